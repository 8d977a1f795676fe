SELECT freshet.seal_audit(:#limit) AS sealed
