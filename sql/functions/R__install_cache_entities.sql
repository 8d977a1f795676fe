-- SELECT * FROM install_cache_entities(): watches products, expert sessions, clients, modules and lessons, as far as
-- such tables exist, with the tags that cache_tag_rules has for a change of each. After a change of a rule, another
-- call adapts the watches.
DO $$ BEGIN PERFORM freshet.step_aside('install_cache_entities'); END $$;

CREATE OR REPLACE FUNCTION public.install_cache_entities() RETURNS TABLE (watched text, tags text[])
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entity  record;
    columns text[];
    ids     jsonb;
BEGIN
    FOR entity IN
        SELECT e.*, c.oid::regclass AS relation
        FROM (VALUES ('products', 'onProductCreated', 'productId'),
                     ('job_readiness_products', 'onProductCreated', 'productId'),
                     ('expert_sessions', 'onExpertSessionModified', 'none'),
                     ('job_readiness_expert_sessions', 'onExpertSessionModified', 'none'),
                     ('clients', 'onClientConfigModified', 'clientId'),
                     ('client_configurations', 'onClientConfigModified', 'none'),
                     ('modules', 'onModuleContentModified', 'moduleId'),
                     ('lessons', 'onModuleContentModified', 'none')) e(name, rule, is_its_id)
        JOIN pg_class c ON c.relname = e.name AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    LOOP
        SELECT array_agg(attname) INTO columns
        FROM pg_attribute WHERE attrelid = entity.relation AND attnum > 0 AND NOT attisdropped;
        -- replaces the placeholder of a rule by the table's column
        SELECT jsonb_object_agg(given.id, '{' || given.col || '}') INTO ids FROM (
            SELECT i.id, CASE WHEN i.id = entity.is_its_id AND 'id' = ANY (columns) THEN 'id'
                              WHEN i.col = ANY (columns) THEN i.col END AS col
            FROM (VALUES ('clientId', 'client_id'), ('productId', 'product_id'), ('moduleId', 'module_id'))
                 i(id, col)) given
        WHERE given.col IS NOT NULL;
        watched := entity.relation::text;
        tags := public.cache_tags_of_rule(entity.rule, coalesce(ids, '{}'));
        PERFORM public.cache_invalidation_watch(entity.relation, tags);
        RETURN NEXT;
    END LOOP;
    IF watched IS NULL THEN
        RAISE EXCEPTION 'there is none of the tables products, expert_sessions, clients, modules, lessons '
                        'in the schema public'
            USING HINT = 'Watch yours by name: '
                         'SELECT cache_invalidation_watch(''your_table'', ARRAY[''products'', ''product:{id}'']).';
    END IF;
END $$;

DO $$
BEGIN
    PERFORM freshet.settle_in('public.install_cache_entities()', 'pg_proc',
        'watches the tables behind the application cache; their owner may call this');
END $$;
