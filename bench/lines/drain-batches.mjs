// drain in batches of 100, beside the best peer that calls for one tag at a time
import { median, row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { medians } from './drain-cold.mjs';

export const besidePeers = true;

export async function measure({ contest, server, receiver, size, ends }) {
  const { Freshet, ...peers } = medians(await contest.cold());
  const best = Object.keys(peers).reduce((a, b) => (peers[a] >= peers[b] ? a : b));
  const batches = ends(await startFreshet(server, receiver, { FRESHET_REVALIDATE_BATCH: '100' }));
  batches.tags = size.batchTags;
  const rates = await contest.rounds({ batches, [best]: contest.systems[best] }, size.tags);
  const mine = median(rates.batches),
    theirs = median(rates[best]);
  return [
    {
      ...row('drain in batches of 100: of the best peer one by one', {
        freshet: `${show(mine)}/s`,
        beside: `${best} ${show(theirs)}`,
        ratio: mine / theirs,
        goal: { atLeast: 5 },
      }),
      inReadme: true,
    },
  ];
}
