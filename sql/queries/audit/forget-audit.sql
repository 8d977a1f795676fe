SELECT freshet.forget_audit(now() - make_interval(secs => :#retentionSeconds), :#limit) AS forgotten
