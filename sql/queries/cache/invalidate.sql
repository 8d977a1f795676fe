SELECT told AS answer, first_time AS is_new
FROM freshet.invalidate(:#keys::text[], :#pattern, :#requestId, :#answer, :#triggeredBy, :#elapsedMs, :#detail)
