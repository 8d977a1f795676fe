-- Asked some times a second while there are calls: are the policies that this instance has read still in force?
SELECT version FROM freshet.policies
