-- All pending work carries the priorities of this version; what was folded meanwhile does so anyway.
UPDATE freshet.policies SET labelled = :#version WHERE labelled < :#version
