// idle: processor time with debounce 0 and as it is by default, and statements a second
import { row, show, showAll } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { cpuMs } from '../tools/machine.mjs';
import { startPeer, PEERS } from '../tools/peers.mjs';
import { now, sleep } from '../tools/processes.mjs';

export async function measure(stage) {
  const { server, receiver, size, ends, say } = stage, prepare = database => database.countStatements();
  const systems = {
    zero: ends(await startFreshet(server, receiver, {}, { prepare })),
    usual: ends(await startFreshet(server, receiver, { FRESHET_DEBOUNCE: '' }, { prepare })),
  };
  for (const name of Object.keys(PEERS)) {
    try { systems[name] = ends(await startPeer(name, server, receiver)); } catch (e) { say(`  ${e.message}`); }
  }
  // as after work, which is when a system goes idle
  for (const system of Object.values(systems)) await system.insert(100, 'before');
  await sleep(size.idleWait);
  const shares = await processorShares(systems, size.idleWindow);
  const { zero, usual, ...peers } = shares.cpu;
  const line = (how, share) => row(`idle, ${how}: share of a core`, { freshet: `${share.toFixed(2)} %`,
    beside: showAll(peers), value: share, goal: { atMost: 1, unit: '%' } });
  const asked = Math.max(shares.statements.zero, shares.statements.usual);
  return [
    { ...line('debounce 0', zero), inReadme: true }, line('default settings', usual),
    row('idle: statements a second (debounce 0, default)', {
      freshet: `${show(shares.statements.zero)}, ${show(shares.statements.usual)}`, value: asked,
      goal: { atMost: 10 } }),
  ];
}

/** All at once: none of them has anything to do. */
async function processorShares(systems, window) {
  const counted = Object.entries(systems).filter(([name]) => name === 'zero' || name === 'usual');
  const calls = async ({ database }) => (await database.query(`SELECT coalesce(sum(calls), 0)::bigint AS n
    FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())`))[0].n;
  const each = async what => {
    const values = {};
    for (const [name, system] of counted) values[name] = await what(system);
    return values;
  };
  const callsBefore = await each(calls), begun = now();
  const cpuBefore = Object.fromEntries(Object.entries(systems).map(([name, { pid }]) => [name, cpuMs(pid)]));
  await sleep(window);
  const seconds = (now() - begun) / 1000;
  const cpu = Object.fromEntries(Object.entries(systems).map(([name, { pid }]) =>
    [name, (cpuMs(pid) - cpuBefore[name]) / seconds / 10]));
  const callsAfter = await each(calls);
  const statements = Object.fromEntries(counted.map(([name]) =>
    [name, (callsAfter[name] - callsBefore[name]) / seconds]));
  return { cpu, statements };
}
