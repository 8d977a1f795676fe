-- Only one instance at a time folds and hands over. The lock ends with the transaction, so it works behind a
-- transaction pooler and is released when its holder dies. A turn that meets a lock of someone else gives way long
-- before deadlock_timeout.
SELECT pg_try_advisory_xact_lock(7382084) AS mine, set_config('lock_timeout', '15ms', true),
    set_config('jit', 'off', true),
       set_config('random_page_cost', '1.1', true),     -- the rows in use are in memory
       set_config('plan_cache_mode', 'force_generic_plan', true)    -- planned once: PlansTest
