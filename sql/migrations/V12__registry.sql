-- The registry of application caches.

-- Entries of application caches: their keys and tags, and their values if the cache itself is kept here.
CREATE TABLE IF NOT EXISTS public.cache_entries (
    cache_key  text        COLLATE "C" PRIMARY KEY,
    tags       text[]      NOT NULL DEFAULT '{}',
    value      jsonb,
    expires_at timestamptz,                                           -- null: never; -infinity: invalidated,
                                                                      -- only its key is still known
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT key_is_1_to_1024_characters CHECK (length(cache_key) BETWEEN 1 AND 1024),
    CONSTRAINT key_fits_into_an_index CHECK (octet_length(cache_key) <= 2600)
) WITH (vacuum_truncate = off);
ALTER TABLE public.cache_entries
    ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS updated_at timestamptz NOT NULL DEFAULT now();
-- Columns that an adopted table may require and Freshet leaves out.
ALTER TABLE public.cache_entries ALTER COLUMN value DROP NOT NULL, ALTER COLUMN expires_at DROP NOT NULL;
-- For patterns that say how a key begins, ends, or what it contains. With a C collation, the primary key serves the
-- first kind.
CREATE INDEX IF NOT EXISTS freshet_cache_entries_end
    ON public.cache_entries (reverse(cache_key) text_pattern_ops);    -- keys-with-suffix
CREATE INDEX IF NOT EXISTS freshet_cache_entries_tags
    ON public.cache_entries USING gin (tags) WITH (fastupdate = off); -- cache_invalidate_tags
CREATE INDEX IF NOT EXISTS freshet_cache_entries_expired ON public.cache_entries (expires_at)
    WHERE expires_at > '-infinity';                                   -- forget-entries
CREATE INDEX IF NOT EXISTS freshet_cache_entries_invalidated ON public.cache_entries (updated_at)
    WHERE expires_at = '-infinity';                                   -- forget-entries
DO $$
DECLARE
    trigrams text;
BEGIN
    IF (SELECT attcollation <> 'pg_catalog."C"'::regcollation FROM pg_attribute
        WHERE attrelid = 'public.cache_entries'::regclass AND attname = 'cache_key') THEN
        CREATE INDEX IF NOT EXISTS freshet_cache_entries_begin                -- keys-with-prefix
            ON public.cache_entries (cache_key text_pattern_ops);
    END IF;
    BEGIN
        CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA freshet;
    EXCEPTION WHEN OTHERS THEN
        RAISE NOTICE 'Freshet found no pg_trgm (%): '
                     'patterns that only know what a key contains read the whole registry', SQLERRM;
    END;
    SELECT quote_ident(n.nspname) INTO trigrams
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    IF trigrams IS NOT NULL THEN
        -- keys-with-infix
        EXECUTE format('CREATE INDEX IF NOT EXISTS freshet_cache_entries_middle'
                       ' ON public.cache_entries USING gin (cache_key %s.gin_trgm_ops) WITH (fastupdate = off)',
                       trigrams);
    END IF;
END $$;

-- Tags that changed while the registry had entries: entries with such a tag have to leave the registry, too. Tags that
-- were invalidated through the registry itself are not among them, because an entry that was filled again since is
-- fresh.
CREATE TABLE freshet.registry_due (
    tag text NOT NULL
) WITH (vacuum_truncate = off);

-- A registry that V12 created (not one that it found and adopted) starts closed.
DO $$
BEGIN
    IF 'public.cache_entries'::regclass::oid > 'freshet.job_function'::regclass::oid THEN
        PERFORM freshet.settle_in('public.cache_entries', 'pg_class', 'the registry of application caches');
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'service_role') THEN
            GRANT SELECT, INSERT, UPDATE, DELETE ON public.cache_entries TO service_role;
        END IF;
    END IF;
END $$;
