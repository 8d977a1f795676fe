-- Which tags a change of an entity stands for. If operators change a row, the next call follows it. {clientId},
-- {productId} and {moduleId} are replaced by what the caller passes; a tag whose id is not passed is left out.
DO $$ BEGIN PERFORM freshet.step_aside('cache_tag_rules'); END $$;
CREATE TABLE public.cache_tag_rules (
    name     text   PRIMARY KEY,                                      -- the "type" of /api/admin/cache/clear,
                                                                      -- or an event
    tags     text[] NOT NULL DEFAULT '{}',
    includes text[] NOT NULL DEFAULT '{}',                            -- other rules whose tags belong to it
    option   text   UNIQUE,                                           -- its name among the options
                                                                      -- of invalidateRelatedCaches
    is_event boolean NOT NULL DEFAULT false,
    CONSTRAINT name_is_a_word CHECK (name ~ '^[A-Za-z][A-Za-z0-9_]{0,62}$')
) WITH (vacuum_truncate = off);
INSERT INTO public.cache_tag_rules (name, tags, includes, option, is_event) VALUES
    ('products',        ARRAY['job_readiness_products', 'products', 'client:{clientId}'],
                        '{}', 'products', false),
    ('expert_sessions', ARRAY['expert_sessions', 'job_readiness', 'product:{productId}'],
                        '{}', 'expertSessions', false),
    ('client_configs',  ARRAY['client_configs', 'clients', 'settings', 'client:{clientId}'],
                        '{}', 'clientConfigs', false),
    ('module_content',  ARRAY['module_content', 'modules', 'lessons', 'module:{moduleId}'],
                        '{}', 'moduleContent', false),
    ('all_phase2',      ARRAY['job_readiness_products', 'expert_sessions', 'client_configs', 'module_content'],
                        '{}', NULL, false),
    ('all_phase1',      ARRAY['users', 'clients', 'analytics', 'dashboard'],
                        '{}', NULL, false),
    ('onProductCreated',        ARRAY['product:{productId}'], ARRAY['products', 'client_configs'], NULL, true),
    ('onExpertSessionModified', '{}', ARRAY['expert_sessions'], NULL, true),
    ('onModuleContentModified', '{}', ARRAY['module_content'], NULL, true),
    ('onClientConfigModified',  '{}', ARRAY['products', 'client_configs'], NULL, true),
    ('onBulkDataImport',        '{}', ARRAY['all_phase2'], NULL, true);
DO $$ BEGIN
    PERFORM freshet.settle_in('public.cache_tag_rules', 'pg_class',
        'which tags an entity''s change stands for', '{service_role}');
END $$;
