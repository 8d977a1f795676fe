-- Whether all pending work carries the priorities that are in force.
SELECT version, labelled FROM freshet.policies
