SELECT freshet.run_stats_function(:#function, :#tenant::uuid)
