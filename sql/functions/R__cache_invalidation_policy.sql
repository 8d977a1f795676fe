-- SELECT cache_invalidation_policy('search:*', debounce => '30s', at_once => true, profile => 'max', priority => 5):
-- says how the changes of these tags are gathered and delivered, on every instance. Another call replaces the policy.
DO $$ BEGIN PERFORM freshet.step_aside('cache_invalidation_policy'); END $$;

-- A profile is a name, or a JSON object. Text that begins like an object and is none is a typing mistake.
CREATE OR REPLACE FUNCTION freshet.is_profile(profile text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$ BEGIN
    RETURN ltrim(profile, E' \t\r\n') NOT LIKE '{%' OR json_typeof(profile::json) = 'object';
EXCEPTION WHEN data_exception THEN
    RETURN false;
END $$;
REVOKE ALL ON FUNCTION freshet.is_profile(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION public.cache_invalidation_policy(pattern text, debounce interval DEFAULT NULL,
    at_once boolean DEFAULT NULL, profile text DEFAULT NULL, priority integer DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    wrong   CONSTANT text := 'invalid_parameter_value';
    window_ CONSTANT numeric := extract(epoch FROM debounce);
BEGIN
    IF pattern IS NULL OR length(pattern) NOT BETWEEN 1 AND 1024 THEN
        RAISE EXCEPTION 'pattern has 1 to 1024 characters; this one has %',
                coalesce(length(pattern)::text, 'none: it is null')
            USING ERRCODE = wrong, HINT = 'Write a tag, or a glob such as search:*; * alone is every tag.';
    -- A tag may hold any character, so only what clearly is a regular expression is refused.
    ELSIF pattern LIKE '^%' OR pattern LIKE '%$' OR pattern ~ '[\\|]|\.[*+]' THEN
        RAISE EXCEPTION 'pattern % looks like a regular expression, and a policy takes a tag or a glob',
                quote_literal(left(pattern, 60))
            USING ERRCODE = wrong,
                HINT = 'Write * for any run of characters, without ^ at the beginning, $ at the end, \, .*, .+ or |.';
    ELSIF window_ IS NULL AND at_once IS NULL AND profile IS NULL AND priority IS NULL THEN
        RAISE EXCEPTION 'the policy for % says nothing', quote_literal(pattern)
            USING ERRCODE = wrong, HINT = 'Give debounce, at_once, profile or priority; to remove one, SELECT'
                ' cache_invalidation_policy_drop(pattern).';
    ELSIF window_ < 0 OR window_ > 86400 THEN
        RAISE EXCEPTION 'debounce is %: it is 0 to one day', debounce
            USING ERRCODE = wrong, HINT = 'Write an interval such as ''500ms'', ''30s'' or ''1h''.';
    ELSIF priority NOT BETWEEN 0 AND 9 THEN
        RAISE EXCEPTION 'priority is %: it is 0 to 9', priority
            USING ERRCODE = wrong, HINT = 'Write 9 for what goes first, 0 for what goes last; 5 is what every tag has.';
    ELSIF profile = '' OR length(profile) > 1024 THEN
        RAISE EXCEPTION 'profile has 1 to 1024 characters; this one has %', length(profile)
            USING ERRCODE = wrong,
                HINT = 'Write a name such as max, or a JSON object such as {"expire":60}; or leave it out.';
    ELSIF NOT freshet.is_profile(profile) THEN
        RAISE EXCEPTION 'profile % begins like a JSON object and is none', quote_literal(left(profile, 60))
            USING ERRCODE = wrong, HINT = 'Write a name such as max, or a JSON object such as {"expire":60}.';
    END IF;
    INSERT INTO freshet.policy AS p (pattern, "like", is_glob, literal, debounce, at_once, profile, priority)
    VALUES (cache_invalidation_policy.pattern,
            replace(replace(replace(replace(pattern, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'),
            strpos(pattern, '*') > 0, length(replace(pattern, '*', '')),
            make_interval(secs => window_::double precision),      -- '1 day' is not always 24 hours, in every time zone
            cache_invalidation_policy.at_once, cache_invalidation_policy.profile, cache_invalidation_policy.priority)
    ON CONFLICT ON CONSTRAINT policy_pkey DO UPDATE SET
        debounce = excluded.debounce, at_once = excluded.at_once, profile = excluded.profile,
        priority = excluded.priority, made_at = now();
    PERFORM pg_notify('freshet_live', '')      -- an instance that is asleep may have to look more often now
    WHERE freshet.must_wake();
END $$;

DO $$ BEGIN PERFORM freshet.settle_in('public.cache_invalidation_policy(text, interval, boolean, text, integer)',
    'pg_proc', 'how the changes of certain tags are gathered and delivered', '{service_role}'); END $$;
