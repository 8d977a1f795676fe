-- What is owed bears the priorities of these policies; what was folded meanwhile does, too.
UPDATE freshet.policies SET labelled = :#version WHERE labelled < :#version
