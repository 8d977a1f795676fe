-- Whether an upsert finds the table's key, given as its columns in alphabetical order.
SELECT EXISTS (
    SELECT FROM pg_index i WHERE i.indrelid = ('public.' || :#table)::regclass AND i.indisunique AND i.indisvalid
        AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indimmediate
        AND (SELECT string_agg(a.attname, ', ' ORDER BY a.attname) FROM pg_attribute a
             WHERE a.attrelid = i.indrelid
               AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) = :#key) AS is_there
