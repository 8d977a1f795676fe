-- Watches products, expert sessions, clients, modules and lessons with the tags of cache_tag_rules; run it as the owner
-- of those tables.
--   psql "$DATABASE_URL" -f sql/presets/cache_entities.sql
-- And back: SELECT cache_invalidation_unwatch('products'), …
SELECT * FROM install_cache_entities();
