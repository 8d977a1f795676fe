-- For the rest of the transaction (freshet.audits): the audit's table has refused a row of this work.
SELECT set_config('freshet.audit', 'off', true)
