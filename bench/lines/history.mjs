// drain with 10,000,000 processed tags and audit rows behind it, beside the same with none
import { median, row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';

export async function measure({ server, receiver, size, ends, contest, say }) {
  const empty = ends(await startFreshet(server, receiver)),
    full = ends(await startFreshet(server, receiver));
  say('  filling');
  await fill(full.database, size.oldRows);
  say('  filled');
  const rates = await contest.rounds({ 'with history': full, empty }, size.tags);
  const behind = median(rates['with history']),
    without = median(rates.empty);
  const rows = size.oldRows.toLocaleString('en');
  return [
    row(`drain with ${rows} processed and as many audit rows behind it: of empty`, {
      freshet: `${show(behind)}/s`,
      beside: `empty ${show(without)}`,
      ratio: behind / without,
      goal: { atLeast: 0.9 },
    }),
  ];
}

/** As Freshet would have left them, half a minute ago, so that the retention keeps them. */
async function fill(database, rows) {
  const has = async (table, column) =>
    (
      await database.query(
        `SELECT FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = $1 AND column_name = $2`,
        [table, column],
      )
    ).length > 0;
  const handed = await has('cache_invalidation_queue', 'handed_count');
  // a null xid: these rows are none that wait to be sealed
  const xid = await has('invalidation_audit', 'xid');
  const processed = database.query(
    `INSERT INTO public.cache_invalidation_queue
      (tag, time_bucket, invalidation_count, created_at, last_invalidated_at ${handed ? ', handed_count' : ''})
    SELECT 'old-' || i, date_bin('5 s', now() - interval '1 min', 'epoch'), 1, now() - interval '1 min',
      now() - interval '30 s' ${handed ? ', 1' : ''} FROM generate_series(1, $1::integer) i`,
    [rows],
  );
  const second = await database.connect();
  const audited = second.query(
    `INSERT INTO public.invalidation_audit
      (kind, target, outcome, status, keys, triggered_by, latency_ms, timestamp, request_id ${xid ? ', xid' : ''})
    SELECT 'delivery', 'tag', 'delivered', 200, jsonb_build_array('old-' || i), 'queue', 20, now() - interval '30 s',
      gen_random_uuid()::text ${xid ? ', NULL' : ''} FROM generate_series(1, $1::integer) i`,
    [rows],
  );
  await Promise.all([processed, audited]);
  await second.end();
  await database.query('VACUUM ANALYZE public.cache_invalidation_queue');
  await database.query('VACUUM ANALYZE public.invalidation_audit');
}
