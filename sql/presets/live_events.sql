-- Live events for the tables events, art, votes, bids and art_media of schema public. Run by their owner:
--   psql "$DATABASE_URL" -f sql/presets/live_events.sql
-- It puts cache_invalidate_art_trigger, …_votes_trigger, …_bids_trigger and …_media_trigger on those that are there;
-- run again, it replaces them. Each takes a lock that waits for open writers of its table; with lock_timeout it gives
-- up instead of making others queue behind it.
BEGIN;
SET LOCAL lock_timeout = '5s';
SELECT install_live_events();
COMMIT;

-- Off and on again, in one statement each: SELECT live_events_off(); SELECT install_live_events();
-- The statements of the replaced system's emergency page work as well:
-- DROP TRIGGER cache_invalidate_bids_trigger ON bids; …
