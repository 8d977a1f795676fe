// a million dead letters are replayed: commit → arrival of other changes meanwhile, and who waits for a lock
import { changeNowAndThen } from '../tools/contest.mjs';
import { percentile, row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { sleep, until } from '../tools/processes.mjs';

export async function measure({ server, receiver, size, ends }) {
  const freshet = ends(await startFreshet(server, receiver)),
    { database } = freshet;
  await freshet.one('first');
  await until('the first arrives', () => receiver.arrival('first'), { every: 5 });
  await database.query(
    `INSERT INTO freshet.dead_letter (target, tag, attempts, last_status, first_failed_at, last_failed_at)
     SELECT 'tag', 'letter-' || i, 9, 500, now(), now() FROM generate_series(1, $1::integer) i`,
    [size.letters],
  );
  await database.query('ANALYZE freshet.dead_letter');
  let over = false;
  const isOver = () => over;
  const waits = longestLockWait(database, isOver);
  const others = changeNowAndThen(freshet, receiver, { every: 100, isOver });
  const begun = Date.now();
  const answer = await fetch(`${freshet.url}/api/dead-letters/replay`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const { replayed } = await answer.json();
  if (replayed !== size.letters) throw new Error(`${replayed} of ${size.letters} letters were replayed`);
  const owed = (Date.now() - begun) / 1000;
  await until('all letters are delivered', async () => (await letters(database)) === 0, {
    within: size.longestLine,
    every: 1000,
  });
  over = true;
  const taken = await others,
    delivered = (Date.now() - begun) / 1000;
  const count = size.letters.toLocaleString('en');
  const rows = [
    [0.5, 'p50'],
    [0.99, 'p99'],
  ].map(([share, name]) =>
    row(`commit → arrival of other changes while ${count} dead letters are replayed, ${name}`, {
      freshet: show(percentile(taken, share), 'ms'),
      beside: `${taken.length} changes; all owed after ${show(owed)} s, delivered after ${show(delivered)} s`,
    }),
  );
  const longest = await waits;
  rows.push(
    row('the longest that anybody was seen to wait for a lock meanwhile', {
      freshet: show(longest, 'ms'),
      value: longest,
      goal: { atMost: 50, unit: 'ms' },
    }),
  );
  return rows;
}

const letters = async database => (await database.query('SELECT count(*) AS n FROM freshet.dead_letter'))[0].n;

async function longestLockWait(database, isOver) {
  const eye = await database.connect();
  let longest = 0;
  while (!isOver()) {
    const { rows } = await eye.query(`SELECT extract(epoch FROM max(clock_timestamp() - waitstart)) * 1000 AS ms
      FROM pg_locks WHERE NOT granted AND waitstart IS NOT NULL
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`);
    longest = Math.max(longest, rows[0].ms ?? 0);
    await sleep(5);
  }
  await eye.end();
  return longest;
}
