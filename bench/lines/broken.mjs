// one change a second beside 1,000 tags that are always answered with 500: commit → arrival
import { percentile, row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { until } from '../tools/processes.mjs';
import { BROKEN } from '../tools/receiver.mjs';
import { changeNowAndThen } from '../tools/contest.mjs';

export async function measure({ server, receiver, size, ends }) {
  const freshet = ends(await startFreshet(server, receiver));
  await freshet.one('first');
  await until('the first arrives', () => receiver.arrival('first'), { every: 5 });
  await freshet.insert(size.brokenTags, BROKEN);
  const taken = await changeNowAndThen(freshet, receiver, { every: 1000, forMs: size.besideBrokenFor });
  const broken = size.brokenTags.toLocaleString('en');
  return [
    [0.5, 'p50'],
    [0.99, 'p99', 2000],
  ].map(([share, name, atMost]) =>
    row(`commit → arrival beside ${broken} tags that are always answered with 500, ${name}`, {
      freshet: show(percentile(taken, share), 'ms'),
      beside: `${taken.length} changes, the slowest ${show(Math.max(...taken))}`,
      value: percentile(taken, share),
      goal: atMost && { atMost, unit: 'ms' },
    }),
  );
}
