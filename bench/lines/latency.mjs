// commit → arrival with debounce 0, p50 and p99; and no NOTIFY in the commits of busy writers
import { latencies } from '../tools/contest.mjs';
import { percentile, row, show, showAll } from '../tools/figures.mjs';
import { sleep, until } from '../tools/processes.mjs';
import { createRows, OWN_ROW } from './writers.mjs';

export const besidePeers = true;

export async function measure({ contest, receiver, size }) {
  await contest.cold();
  const taken = {};
  for (const [name, system] of Object.entries(contest.systems)) {
    await contest.quiet();
    taken[name] = await latencies(system, receiver, size.latencies);
  }
  const rows = [
    [0.5, 'p50', 8],
    [0.99, 'p99', 40],
  ].map(([share, name, atMost]) => {
    const { Freshet, ...peers } = Object.fromEntries(
      Object.entries(taken).map(([system, all]) => [system, percentile(all, share)]),
    );
    return row(`commit → arrival, debounce 0, ${name}`, {
      freshet: show(Freshet, 'ms'),
      beside: showAll(peers),
      ratio: Freshet / Math.min(...Object.values(peers)),
      value: Freshet,
      goal: { atMost, unit: 'ms' },
    });
  });
  rows[0].inReadme = true;
  return [...rows, await notifies(contest.systems.Freshet.database, receiver, size)];
}

/**
 * A transaction that has said NOTIFY holds one lock of the whole server from just before its commit to its end: all
 * such commits stand in one line. Whoever holds or awaits it while 32 writers are at work is one of them, or is not.
 */
async function notifies(database, receiver, { writerSeconds }) {
  await createRows(database);
  await database.query(`SELECT cache_invalidation_watch('rows', ARRAY['row:{id}'])`);
  await receiver.reset();
  const load = database.pgbench(OWN_ROW, { clients: 32, seconds: writerSeconds });
  let over = false,
    samples = 0,
    seen = 0;
  load
    .finally(() => {
      over = true;
    })
    .catch(() => {});
  // the first of them wakes a Freshet that is asleep
  await until('a first change arrives', async () => over || (await receiver.seen()).calls > 0);
  await sleep(500);
  while (!over) {
    const [{ some }] = await database.query(`SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND l.objid = 0
        AND a.application_name = 'pgbench') AS some`);
    samples++;
    seen += some;
    await sleep(2);
  }
  const tps = await load;
  await database.query(`SELECT cache_invalidation_unwatch('rows')`);
  return row('NOTIFY in the commits of 32 busy writers', {
    freshet: `${seen} of ${samples} looks at pg_locks`,
    beside: `${show(tps)} tps`,
    value: seen,
    goal: { atMost: 0 },
  });
}
