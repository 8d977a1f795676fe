-- Checked before a transaction is started for it: whether a tag has changed whose entries have to leave the registry,
-- and whether there is anything to publish.
SELECT EXISTS (SELECT FROM freshet.registry_due) AS changes, EXISTS (SELECT FROM freshet.publication) AS publications
