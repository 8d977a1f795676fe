-- The next match is over.
SELECT public.demo_finish_match() AS id
