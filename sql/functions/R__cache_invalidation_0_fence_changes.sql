-- What a transaction with a fence has changed: noted when it commits.

-- PostgreSQL raises an error for a transaction still to come, which a token in a copy of the database may name.
CREATE OR REPLACE FUNCTION freshet.is_open(transaction bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN coalesce(pg_xact_status(transaction::text::xid8) = 'in progress', false);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END $$;

-- At commit: determines what this transaction has written into the inbox and the queue. If a row can be seen although
-- its writer's transaction is in progress, the writer is this transaction or one of its savepoints. Those have numbers
-- above the transaction's (their age counts from there), and few rows of other transactions that began later can be
-- seen. xmin has 32 bits, so this compares distances.
--
-- Triggers that fire at commit after this one may write, too. So this looks again, after all triggers that are waiting
-- now, until two looks in a row have found nothing. It also looks again at commit if somebody made it look earlier (SET
-- CONSTRAINTS ALL IMMEDIATE): looks count only if they belong to one statement.
CREATE OR REPLACE FUNCTION freshet.note_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    SET enable_seqscan = off SET enable_mergejoin = off SET jit = off
AS $$
DECLARE
    top    CONSTANT bigint := pg_current_xact_id()::text::bigint;
    fence  freshet.fence;
    upto   CONSTANT bigint := coalesce(pg_sequence_last_value('freshet.inbox_id_seq'), 0);
    own    bigint[];
    noted  bigint := 0;
    queued bigint := 0;
    looks  smallint;
BEGIN
    SELECT * INTO fence FROM freshet.fence f WHERE f.id = NEW.id;
    own := ARRAY(SELECT x FROM (SELECT DISTINCT xmin::text::bigint FROM freshet.inbox
                                WHERE id > fence.noted_to AND age(xmin) <= 0) w(x)
                 WHERE freshet.is_own(x, top));
    IF own <> '{}' THEN
        INSERT INTO freshet.fence_inbox (inbox, fence, tag)
        SELECT i.id, fence.id, i.tag FROM freshet.inbox i
        WHERE i.id > fence.noted_to AND age(i.xmin) <= 0 AND i.tag IS NOT NULL AND i.xmin::text::bigint = ANY (own)
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS noted = ROW_COUNT;
    END IF;

    own := ARRAY(SELECT x FROM (
                     SELECT DISTINCT xmin::text::bigint FROM public.cache_invalidation_queue
                     WHERE ((last_invalidated_at IS NULL AND handover IS NULL) OR invalidation_count > handed_count)
                       AND age(xmin) <= 0) w(x)
                 WHERE freshet.is_own(x, top));
    IF own <> '{}' THEN
        INSERT INTO freshet.fence_queue AS w (fence, tag, time_bucket, count)
        SELECT fence.id, q.tag, q.time_bucket, q.invalidation_count FROM public.cache_invalidation_queue q
        WHERE ((q.last_invalidated_at IS NULL AND q.handover IS NULL) OR q.invalidation_count > q.handed_count)
          AND q.xmin::text::bigint = ANY (own)
        ON CONFLICT ON CONSTRAINT fence_queue_pkey DO UPDATE SET count = excluded.count WHERE w.count < excluded.count;
        GET DIAGNOSTICS queued = ROW_COUNT;
    END IF;

    looks := CASE WHEN noted + queued = 0 AND fence.noted_at = statement_timestamp() THEN fence.quiet + 1 ELSE 0 END;
    IF looks < 2 THEN
        SET CONSTRAINTS freshet.note_changes DEFERRED;
        UPDATE freshet.fence f SET noted_at = statement_timestamp(), noted_to = upto, quiet = looks WHERE f.id = NEW.id;
    END IF;
    RETURN NULL;
END $$;

-- Has no SET clauses, so that PostgreSQL can inline it into the look, which calls it for each writer.
CREATE OR REPLACE FUNCTION freshet.is_own(writer bigint, top bigint) RETURNS boolean
LANGUAGE sql VOLATILE
AS $$
SELECT CASE (writer - top % 4294967296 + 4294967296) % 4294967296 < 2147483648
           WHEN true THEN writer = top % 4294967296
                          OR freshet.is_open(top + (writer - top % 4294967296 + 4294967296) % 4294967296)
           ELSE false END
$$;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'freshet.fence'::regclass AND tgname = 'note_changes') THEN
        CREATE CONSTRAINT TRIGGER note_changes AFTER INSERT OR UPDATE OF quiet ON freshet.fence
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION freshet.note_changes();
    END IF;
END $$;

-- Whether a fence waits for something in the queue. It needs a snapshot of its own: an upsert by someone else that
-- committed while the hand-over ran is handed over with it (sql/queries/queue/hand-over.sql), and so is its
-- transaction's fence.
CREATE OR REPLACE FUNCTION freshet.fences_wait() RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN RETURN EXISTS (SELECT FROM freshet.fence_queue); END $$;

REVOKE ALL ON FUNCTION freshet.is_open(bigint), freshet.note_changes(), freshet.is_own(bigint, bigint),
    freshet.fences_wait() FROM PUBLIC;
