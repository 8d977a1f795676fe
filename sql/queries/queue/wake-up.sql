-- Nobody needs to be woken any more: what writers commit from now on is found by asking.
SELECT setval('freshet.asleep_until', 1) AS until
