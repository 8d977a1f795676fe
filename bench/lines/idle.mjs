// idle: processor time with debounce 0 and as it is by default, and statements a second
import { row, show, showAll, sum } from '../tools/figures.mjs';
import { cpuMs } from '../tools/machine.mjs';
import { now, sleep, until } from '../tools/processes.mjs';

export const besidePeers = true;

export async function measure({ contest, server, size }) {
  await contest.cold();
  const systems = { ...contest.systems, usual: (await contest.usual()).system };
  // after work, which is when a system goes idle
  for (const system of Object.values(systems)) await system.insert(100, 'before-idling');
  for (const system of Object.values(systems)) await until('all is done', async () => (await system.left()) === 0);
  await sleep(size.idleWait);
  const {
    cpu: { Freshet, usual, ...peers },
    statements,
  } = await window(systems, server, size.idleWindow);
  const line = (how, share) =>
    row(`idle, ${how}: share of a core`, {
      freshet: `${share.toFixed(2)} %`,
      beside: showAll(peers),
      value: share,
      goal: { atMost: 1, unit: '%' },
    });
  const { Freshet: zero, usual: byDefault, ...asked } = statements;
  return [
    { ...line('debounce 0', Freshet), inReadme: true },
    line('default settings', usual),
    row('idle: statements a second, debounce 0 and default', {
      freshet: `${show(zero)} and ${show(byDefault)}`,
      beside: showAll(asked),
      value: Math.max(zero, byDefault),
      goal: { atMost: 10 },
    }),
  ];
}

/** Shares of a core in per cent, and statements a second: all at once, since none of them has anything to do. */
function window(systems, server, length) {
  return server.countStatements(async () => {
    const begun = now(),
      before = Object.entries(systems).map(([name, { pid }]) => [name, cpuMs(pid)]);
    await sleep(length);
    const seconds = (now() - begun) / 1000,
      cpu = {},
      statements = {};
    for (const [name, ms] of before) cpu[name] = (cpuMs(systems[name].pid) - ms) / seconds / 10;
    for (const [name, { database }] of Object.entries(systems)) {
      statements[name] = sum((await server.statements(database)).map(({ calls }) => calls)) / seconds;
    }
    return { cpu, statements };
  });
}
