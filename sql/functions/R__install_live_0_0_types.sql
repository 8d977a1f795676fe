-- What live events are about: one row for each table. Another type of event is another row, and in Java its table, its
-- operation and its endpoints (dev.freshet.live.Change; LiveTest compares the two). JSON, because callers without USAGE
-- on schema freshet get it as an argument, and because a function with dependents cannot get another column.

CREATE OR REPLACE FUNCTION freshet.live_types() RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
SELECT jsonb_agg(to_jsonb(t) ORDER BY place) FROM (VALUES
    (1, 'events', ARRAY['id', 'eid'], true,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (2, 'art', ARRAY['id', 'event_id', 'round', 'easel', 'status', 'description'], true,
        'art', 'art_updated', 'AFTER UPDATE',
        'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT', 'NULL',
        '(SELECT n.id, n.status::text, n.description::text FROM new_rows n'
        ' EXCEPT SELECT o.id, o.status::text, o.description::text FROM old_rows o) c', 'c', 'id',
        '''art_id'', c.id, ''round'', a.round, ''easel'', a.easel'),
    (3, 'votes', ARRAY['art_id'], false,
        'votes', 'vote_cast', 'AFTER INSERT',
        'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT', 'NULL',
        'new_rows n', 'n', 'art_id',
        '''art_id'', n.art_id, ''round'', a.round, ''easel'', a.easel'),
    (4, 'bids', ARRAY['art_id', 'amount'], false,
        'bids', 'bid_placed', 'AFTER INSERT',
        'REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT', 'NULL',
        'new_rows n', 'n', 'art_id',
        '''art_id'', n.art_id, ''round'', a.round, ''easel'', a.easel, ''amount'', n.amount'),
    (5, 'art_media', ARRAY['artwork_id'], false,
        'media', 'media_updated', 'AFTER INSERT OR UPDATE',
        'FOR EACH ROW', 'TG_OP',
        '(SELECT) one', 'NEW', 'artwork_id',
        '''artwork_id'', NEW.artwork_id')
) t(place,                              -- in messages, and in the order in which they are installed
    relation,
    reads,                              -- its columns: if one of them is missing, nothing is installed
    needed,                             -- the same if there is no such table
    short,                              -- names trigger cache_invalidate_SHORT_trigger and function freshet_live_SHORT;
                                        -- null: a table that is only looked up
    type,
    event, level,                       -- the trigger's
    operation,                          -- an expression; 'NULL': the only one of its type
    changed,                            -- what has changed: an item of FROM
    row_name,                           -- what one of these rows is called
    artwork,                            -- their column that refers to art.id
    members)                            -- of the payload: arguments of json_build_object
$$;
