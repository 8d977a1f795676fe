-- For statements that leave the planner no choice (PlansTest): for one tag, planning takes longer than running them.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true)
