-- A new edition of the first course.
UPDATE public.courses
SET title = regexp_replace(title, ', edition [0-9]+$', '') || ', edition ' || coalesce(substring(title
    FROM ', edition ([0-9]{1,8})$')::integer, 1) + 1, updated_at = now()
WHERE id = (SELECT min(id) FROM public.courses)
RETURNING id, title
