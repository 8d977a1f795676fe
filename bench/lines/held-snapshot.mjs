// claim, hand-over, probe and throughput after 600,000 deliveries whose rows a held snapshot keeps from vacuum
import { drain } from '../tools/contest.mjs';
import { median, row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { sleep, until } from '../tools/processes.mjs';
import { statementTimes } from '../tools/statements.mjs';

/** What finds work, whatever it is called: it ran for every second tag at least. */
const FINDS_WORK = /claim|hand-over|handover|probe|has-changes|fold|due/;

export async function measure({ server, receiver, size, ends, say }) {
  const freshet = ends(await startFreshet(server, receiver)),
    { database } = freshet;
  const rounds = async n => {
    const rates = [];
    for (let i = 0; i < n; i++) rates.push(await drain(freshet, receiver, size.tags));
    return rates;
  };
  await rounds(size.warmUpRounds + 1);
  const free = median(await rounds(size.rounds));

  const holder = await database.connect();
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await holder.query('SELECT count(*) FROM public.cache_invalidation_queue');
  const held = await rounds(Math.ceil(size.heldDeliveries / size.tags));
  say(`  free ${show(free)}/s, under the snapshot ${held.map(rate => show(rate)).join(', ')}`);
  const times = await server.countStatements(async () => {
    for (let i = 0; i < size.heldSingles; i++) await oneByOne(freshet, receiver, `after-${i}`);
    return (await statementTimes(server, database, size.heldSingles / 2)).filter(({ name }) => FINDS_WORK.test(name));
  });
  const throughput = median(await rounds(size.rounds));
  await holder.end();
  if (!times.length) throw new Error('no statement was found that claims, hands over or probes');
  const deliveries = size.heldDeliveries.toLocaleString('en');
  return [
    row(`claim, hand-over, probe after ${deliveries} deliveries under a held snapshot, the slowest`, {
      freshet: show(times[0].ms, 'ms'),
      beside: times.map(({ name, ms }) => `${name} ${show(ms)}`).join(', '),
      value: times[0].ms,
      goal: { atMost: 5, unit: 'ms' },
    }),
    row('drain after that, the snapshot still held: of free running', {
      freshet: `${show(throughput)}/s`,
      beside: `free ${show(free)}`,
      ratio: throughput / free,
      goal: { atLeast: 0.9 },
    }),
  ];
}

async function oneByOne(freshet, receiver, tag) {
  await receiver.reset();
  await freshet.one(tag);
  await until('it arrives', async () => (await receiver.seen()).distinct === 1, { every: 5 });
  await sleep(5);
}
