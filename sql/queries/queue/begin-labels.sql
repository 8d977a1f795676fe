-- Does what is owed bear the priorities that are in force?
SELECT version, labelled FROM freshet.policies
