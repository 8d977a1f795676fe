#!/usr/bin/env bash
# What a watch costs the users' own transactions: the same load with and without it, in turns, on a PostgreSQL server
# of its own. Needs the server's programs (pg_config --bindir, or PGBIN) and takes about ROUNDS × 25 seconds. On a busy
# machine believe the ratios of many rounds only.
#   ROUNDS=5 SECONDS_EACH=2 CLIENTS=32 bench/writers.sh
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${PGBIN:-$(pg_config --bindir)} rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-2} clients=${CLIENTS:-32}
dir=$(mktemp -d); chmod 755 "$dir"; mkdir "$dir/data"
as() { if [ "$(id -u)" = 0 ]; then chown -R postgres "$dir"; su postgres -s /bin/sh -c "$1"; else sh -c "$1"; fi; }
trap 'as "$bin/pg_ctl -D $dir/data -m immediate stop" >/dev/null 2>&1 || true; rm -rf "$dir"' EXIT
as "$bin/initdb -D $dir/data -U postgres -A trust -E UTF8 --locale=C >/dev/null"
options="-c listen_addresses='' -k $dir -c max_connections=100 -c shared_buffers=256MB -c max_wal_size=4GB"
as "$bin/pg_ctl -D $dir/data -w -l $dir/log -o \"$options\" start" >/dev/null
export PGHOST=$dir PGUSER=postgres
sql() { psql -qAtX -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' "$@"; }
mapfile -t files < <(ls sql/migrations/V*.sql | LC_ALL=C sort -V; ls sql/functions/R__*.sql | LC_ALL=C sort)
sql -c 'CREATE SCHEMA freshet' >/dev/null
for file in "${files[@]}"; do sql -1 -f "$file" >/dev/null; done     # each in a transaction of its own, as Freshet does
sql -c 'CREATE TABLE rows (id int PRIMARY KEY, hot int DEFAULT 1, v int DEFAULT 0, title text DEFAULT $$a title$$)
        WITH (fillfactor = 50)' \
    -c 'INSERT INTO rows SELECT i FROM generate_series(1, 100000) i' -c 'VACUUM ANALYZE rows'

own='\set id :client_id*300 + random(1,300)'
printf '%s\nUPDATE rows SET v = v + 1 WHERE id = :id;\n' "$own" >"$dir/short"
printf '%s\nBEGIN;\nUPDATE rows SET v = v + 1 WHERE id = :id;\n\\sleep 5 ms\nCOMMIT;\n' "$own" >"$dir/held"
tps() {
    sql -c 'TRUNCATE freshet.inbox' -c 'VACUUM rows' -c 'CHECKPOINT'
    "$bin/pgbench" -n -f "$dir/$1" -M prepared -c "$clients" -j 2 -T "$seconds" postgres 2>/dev/null |
        sed -n 's/^tps = \([0-9]*\).*/\1/p' | head -1
}
compare() {   # load, template
    local without=0 with=0 all=''
    for _ in $(seq "$rounds"); do
        a=$(tps "$1"); sql -c "SELECT cache_invalidation_watch('rows', ARRAY['$2'])" >/dev/null
        b=$(tps "$1"); sql -c "SELECT cache_invalidation_unwatch('rows')" >/dev/null
        without=$((without + a)) with=$((with + b)) all="$all $((100 * b / a))"
    done
    printf '%-34s %6d → %6d tps  ratio %s  (rounds, %%:%s)\n' "$3" $((without / rounds)) $((with / rounds)) \
        "$(awk "BEGIN { printf \"%.2f\", $with / $without }")" "$all"
}
echo "PostgreSQL $(sql -c 'SHOW server_version'), $clients clients, $rounds rounds of $seconds s"
compare short 'row:{id}' 'a tag for each row'
compare short 'hot:{hot}' 'one hot tag'
compare held 'hot:{hot}' 'one hot tag, held 5 ms'

statement() {   # rows, template: the best of five, in ms
    sql -c "DO \$\$ DECLARE began timestamptz; best float := 1e9; BEGIN FOR i IN 1..5 LOOP
        began := clock_timestamp(); UPDATE rows SET v = v + 1 WHERE id <= $1;
        best := least(best, extract(epoch FROM clock_timestamp() - began) * 1000); ROLLBACK;
        END LOOP; PERFORM set_config('bench.best', round(best::numeric, 1)::text, false); END \$\$" \
        -c "SELECT current_setting('bench.best')"
}
for n in 1000 100000; do
    sql -c 'VACUUM rows'; bare=$(statement $n)
    for template in 'row:{id}' 'hot:{hot}'; do
        sql -c "SELECT cache_invalidation_watch('rows', ARRAY['$template'])" -c 'VACUUM rows' >/dev/null
        printf 'UPDATE of %6d rows, %-10s      %8s → %8s ms\n' $n "$template" "$bare" "$(statement $n)"
        sql -c "SELECT cache_invalidation_unwatch('rows')" >/dev/null
    done
done
