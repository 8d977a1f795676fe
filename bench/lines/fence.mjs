// the last target's answer → GET /api/fresh answers, p50 and p99; and what the fence costs who asks for one and who
// does not
import { percentile, row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { now } from '../tools/processes.mjs';
import { createRows, OWN_ROW } from './writers.mjs';

const ASKING = `BEGIN;\n${OWN_ROW}SELECT cache_invalidation_fence();\nCOMMIT;\n`;
const IN_A_TRANSACTION = `BEGIN;\n${OWN_ROW}SELECT 1;\nCOMMIT;\n`;

export async function measure({ server, receiver, size, ends }) {
  const { database, url, kill } = ends(await startFreshet(server, receiver));
  await receiver.reset();
  const taken = [],
    tokens = new Map();
  for (let i = -20; i < size.latencies; i++) {
    const tag = `fenced-${i}`;
    await database.query('BEGIN');
    await database.query('SELECT enqueue_cache_invalidation($1::text)', [tag]);
    const [{ token }] = await database.query('SELECT cache_invalidation_fence() AS token');
    await database.query('COMMIT');
    const answer = await fetch(`${url}/api/fresh?after=${token}&wait=30s`),
      body = await answer.text();
    const at = now();
    if (body !== '{"fresh":true}') throw new Error(`${answer.status} ${body}`);
    if (i >= 0) tokens.set(tag, at);
  }
  const arrivals = await receiver.arrivals();
  for (const [tag, at] of tokens) {
    if (!arrivals[tag] || arrivals[tag] > at) throw new Error(`${tag}: early`);
    taken.push(at - arrivals[tag]);
  }
  await kill();
  await createRows(database);
  await database.query(`SELECT cache_invalidation_watch('rows', ARRAY['row:{id}'])`);
  const load = async script => {
    const tps = await database.pgbench(script, { clients: 8, seconds: size.writerSeconds });
    await database.query('TRUNCATE freshet.inbox, freshet.fence, freshet.fence_inbox, freshet.fence_queue');
    return tps;
  };
  await load(OWN_ROW);
  const [without, asking] = [await load(IN_A_TRANSACTION), await load(ASKING)];
  return [
    ...[
      [0.5, 'p50', 10],
      [0.99, 'p99', 60],
    ].map(([share, name, atMost]) =>
      row(`the target's call → the fence's answer, ${name}`, {
        freshet: show(percentile(taken, share), 'ms'),
        value: percentile(taken, share),
        goal: { atMost, unit: 'ms' },
      }),
    ),
    row('writers, 8 clients, nothing folding: each asks for a fence', {
      freshet: `${show(asking)} tps`,
      beside: `without ${show(without)}`,
      ratio: asking / without,
    }),
  ];
}
