// 1,000 open streams, one event at 100 changes a second: beside twenty lines of Node on LISTEN
import path from 'node:path';
import { median, row, show } from '../tools/figures.mjs';
import { root } from '../tools/machine.mjs';
import { outputOfScript } from '../tools/processes.mjs';

export async function measure({ size, ends }) {
  const text = await outputOfScript(path.join(root, 'bench', 'live.mjs'), size.live, ends);
  const of = (who, which) =>
    [...text.matchAll(new RegExp(`^round \\d+, 100/s on one event.*?:\\s+${who} .*?${which} ([\\d.]+) ms`, 'gm'))].map(
      m => +m[1],
    );
  const take = which => [median(of('freshet', which)), median(of('old', which))];
  if (!of('freshet', 'p50').length) throw new Error(`live.mjs says something else: ${text.slice(-300)}`);
  return [['p50', { atLeast: 1 }], ['p99']].map(([which, goal]) => {
    const [mine, theirs] = take(which);
    return row(`1,000 SSE readers, one event at 100/s, ${which}: of twenty lines of Node`, {
      freshet: show(mine, 'ms'),
      beside: `twenty lines ${show(theirs)}`,
      ratio: theirs / mine,
      goal,
    });
  });
}
