-- Identifies a cluster: its replicas have the same value, others do not. Every role may read it, unless this was
-- revoked.
SELECT system_identifier FROM pg_control_system()
