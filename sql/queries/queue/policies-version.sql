-- Run a few times a second while there are calls: shows whether the policies that this instance has read are in force.
SELECT version FROM freshet.policies
