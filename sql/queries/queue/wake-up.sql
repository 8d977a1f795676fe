-- Writers need not wake any instance from now on: polling finds what they commit.
SELECT setval('freshet.asleep_until', 1) AS until
