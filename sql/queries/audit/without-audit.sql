-- For the rest of the transaction (freshet.audits), write no audit rows: the audit's table has refused one of them.
SELECT set_config('freshet.audit', 'off', true)
