-- Targets whose file was deleted and which no instance has served for a minute since. Locked, so that whoever owes
-- them something at this moment has done so before forget-target.sql looks, and asked under the turn's lock, so that
-- no hand-over is among those.
SELECT name FROM freshet.target WHERE deleted_at IS NOT NULL AND served_at < now() - interval '1 minute'
ORDER BY name FOR UPDATE SKIP LOCKED
