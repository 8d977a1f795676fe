// resident memory: when it has done nothing but idle, and the most while it drains
import { row, show, showAll } from '../tools/figures.mjs';

export const besidePeers = true;

export async function measure({ contest }) {
  await contest.warm();
  const { Freshet, ...peers } = Object.fromEntries(
    Object.entries(contest.systems).map(([name, system]) => [name, system.residentMb]),
  );
  const { idleMb } = await contest.usual();
  const least = Math.min(...Object.values(peers));
  return [
    {
      ...row('resident memory, the most while it drains', {
        freshet: show(Freshet, 'MB'),
        beside: showAll(peers),
        ratio: Freshet / least,
        value: Freshet,
        goal: { atMost: 256, unit: 'MB' },
      }),
      inReadme: true,
    },
    row('resident memory, idle since its start', {
      freshet: show(idleMb, 'MB'),
      value: idleMb,
      goal: { atMost: 200, unit: 'MB' },
    }),
  ];
}
