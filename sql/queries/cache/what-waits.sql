-- Asked before a transaction is begun for it: has a tag changed whose entries are to leave the registry, and is there
-- something to publish?
SELECT EXISTS (SELECT FROM freshet.registry_due) AS changes, EXISTS (SELECT FROM freshet.publication) AS publications
