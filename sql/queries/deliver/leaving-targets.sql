-- Finds targets whose file was deleted and which no instance has served for a minute since. The rows are locked, so
-- that anyone who is adding deliveries for them has finished before forget-target.sql looks. This runs under the turn's
-- lock, so no hand-over is among those.
SELECT name FROM freshet.target WHERE deleted_at IS NOT NULL AND served_at < now() - interval '1 minute'
ORDER BY name FOR UPDATE SKIP LOCKED
