SELECT name, option, is_event FROM public.cache_tag_rules
