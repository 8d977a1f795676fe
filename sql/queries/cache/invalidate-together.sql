SELECT request, told AS answer
FROM freshet.invalidate_together(:#requests::text[], :#keys::text[], :#answers::text[], :#callers::text[],
    :#elapsedMs::double precision[])
