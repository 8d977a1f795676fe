// drain, one call per tag: the first 20,000 after the start
import { median, row, show, showAll } from '../tools/figures.mjs';

export const besidePeers = true;

export async function measure({ contest }) {
  const { Freshet, ...peers } = medians(await contest.cold());
  const best = Math.max(...Object.values(peers));
  return [
    row('drain, one call per tag, the first after the start: of the best peer’s first', {
      freshet: `${show(Freshet)}/s`,
      beside: showAll(peers),
      ratio: Freshet / best,
      goal: { atLeast: 0.6 },
    }),
  ];
}

export const medians = rates => Object.fromEntries(Object.entries(rates).map(([name, all]) => [name, median(all)]));
