// 100,000 rows that become something else within a minute, by the clock alone: moment → arrival
import { percentile, row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { now, until } from '../tools/processes.mjs';

export async function measure({ server, receiver, size, ends, say }) {
  const freshet = ends(await startFreshet(server, receiver, { FRESHET_DEBOUNCE: '' })),
    { database } = freshet;
  await database.query(`CREATE TABLE posts (id integer PRIMARY KEY, publish_at timestamptz);
    SELECT cache_invalidation_watch('posts', ARRAY['post:{id}'], due => ARRAY['publish_at'])`);
  await receiver.reset();
  const begun = now();
  await database.query(
    `INSERT INTO posts SELECT i, clock_timestamp() + interval '1 day' FROM generate_series(1, $1::integer) i`,
    [size.moments],
  );
  await until('what was inserted is delivered', async () => (await receiver.seen()).distinct >= size.moments, {
    within: size.longestLine,
    every: 500,
  });
  say(`  ${size.moments} rows were delivered after ${show((now() - begun) / 1000)} s`);
  await receiver.reset();
  // an update of a row that is watched is a change by itself: only the clock's calls come after this
  await database.query(
    `UPDATE posts SET publish_at = clock_timestamp()
    + make_interval(secs => $1 + $2 * id / (SELECT count(*) FROM posts))`,
    [size.momentsAhead, size.momentsFor],
  );
  await until('the edits are delivered', async () => (await receiver.seen()).distinct >= size.moments, {
    within: size.longestLine,
    every: 500,
  });
  await receiver.reset();
  await until('all moments have come', async () => (await receiver.seen()).distinct >= size.moments, {
    within: size.longestLine,
    every: 500,
  });
  const arrived = await receiver.arrivals();
  const rows = await database.query('SELECT id, extract(epoch FROM publish_at) * 1000 AS at FROM posts');
  const late = rows.map(({ id, at }) => arrived[`post:${id}`] - at);
  const early = late.filter(ms => ms < 0).length;
  if (early) throw new Error(`${early} came before their moment`);
  const count = size.moments.toLocaleString('en');
  return [
    row(`moment → arrival, ${count} moments within ${size.momentsFor} s, the latest`, {
      freshet: show(Math.max(...late), 'ms'),
      beside: `p50 ${show(percentile(late, 0.5))}, p99 ${show(percentile(late, 0.99))}`,
      value: Math.max(...late),
      goal: { atMost: 1000, unit: 'ms' },
    }),
  ];
}
