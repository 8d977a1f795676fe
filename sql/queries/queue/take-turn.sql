-- Folding and handing over is one instance's work at a time. The lock ends with the transaction, so it holds behind a
-- transaction pooler and dies with its holder. Whoever meets a lock of somebody else's while working gives way long
-- before deadlock_timeout.
SELECT pg_try_advisory_xact_lock(7382084) AS mine, set_config('lock_timeout', '15ms', true),
    set_config('jit', 'off', true),
       set_config('random_page_cost', '1.1', true),     -- what is worked on is in memory
       set_config('plan_cache_mode', 'force_generic_plan', true)    -- planned once: PlansTest
