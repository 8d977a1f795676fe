// resident memory: when it has done nothing but idle, and the most while it drains
import { row, show, showAll } from '../tools/figures.mjs';
import { launch } from '../tools/freshet.mjs';
import { residentMb } from '../tools/machine.mjs';
import { sleep } from '../tools/processes.mjs';

export const besidePeers = true;

export async function measure({ contest, server, receiver, size }) {
  await contest.warm();
  const { Freshet, ...peers } = Object.fromEntries(
    Object.entries(contest.systems).map(([name, system]) => [name, system.residentMb]));
  const database = await server.database();
  const idle = await launch({ DATABASE_URL: database.url, VERCEL_DEPLOYMENT_URL: receiver.url,
    REVALIDATION_SECRET: 'bench-secret-0123456789' });
  await sleep(size.idleWait);
  const idleMb = residentMb(idle.pid);
  await idle.kill();
  await database.drop();
  const least = Math.min(...Object.values(peers));
  return [
    { ...row('resident memory, the most while it drains', { freshet: show(Freshet, 'MB'), beside: showAll(peers),
      ratio: Freshet / least, value: Freshet, goal: { atMost: 256, unit: 'MB' } }), inReadme: true },
    row('resident memory, idle since its start', { freshet: show(idleMb, 'MB'), value: idleMb,
      goal: { atMost: 200, unit: 'MB' } }),
  ];
}
