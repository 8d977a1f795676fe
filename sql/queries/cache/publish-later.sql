UPDATE freshet.publication SET attempts = attempts + 1,
    not_before = now() + make_interval(secs => least(60, power(2, least(attempts, 10)))) WHERE number = :#number
