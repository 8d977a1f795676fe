// drain, one call per tag: 20,000 tags once the JIT compilers are done
import { row, show, showAll } from '../tools/figures.mjs';
import { medians } from './drain-cold.mjs';

export const besidePeers = true;

export async function measure({ contest, size }) {
  const { Freshet, ...peers } = medians(await contest.warm());
  const warm = `drain, one call per tag, warm (after ${size.warmUpRounds + 1} rounds)`;
  const best = Object.keys(peers).reduce((a, b) => (peers[a] >= peers[b] ? a : b));
  const of = (whose, peer, goal) =>
    row(`${warm}: of ${whose}`, {
      freshet: `${show(Freshet)}/s`,
      beside: `${peer} ${show(peers[peer])}`,
      ratio: Freshet / peers[peer],
      goal,
    });
  const rows = [
    row(`${warm}: of the best peer`, {
      freshet: `${show(Freshet)}/s`,
      beside: showAll(peers),
      ratio: Freshet / peers[best],
      goal: { atLeast: 1.0 },
    }),
  ];
  for (const [whose, peer, atLeast] of [
    ['graphile-worker', 'graphile-worker', 1.2],
    ['the hand-written loop', 'by hand', 3],
  ])
    if (peers[peer]) rows.push(of(whose, peer, { atLeast }));
  rows[0].inReadme = true;
  return rows;
}
