-- A cluster and its replicas have this in common, and no others. Anybody may ask, where nobody has taken that away.
SELECT system_identifier FROM pg_control_system()
