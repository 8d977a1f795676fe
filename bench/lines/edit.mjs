// edit of a route file until it is live: with both cores quiet, and with all cores busy
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { median, row, show } from '../tools/figures.mjs';
import { startFreshet } from '../tools/freshet.mjs';
import { root } from '../tools/machine.mjs';
import { now, sleep, start, temporaryFolder, until } from '../tools/processes.mjs';

const DESCRIPTION = /^( {4}description: ).*$/m;

export async function measure({ server, receiver, size, ends }) {
  const folder = temporaryFolder(),
    file = path.join(folder, 'routes', 'targets', 'tag.camel.yaml');
  fs.cpSync(path.join(root, 'routes'), path.join(folder, 'routes'), { recursive: true });
  const freshet = ends(await startFreshet(server, receiver, {}, { folder }));
  await sleep(size.settleFor);
  await edited(freshet, file); // the first one loads classes
  const quiet = await times(size.edits, () => edited(freshet, file));
  const hogs = Array.from({ length: os.availableParallelism() }, () => start(process.execPath, ['-e', 'for (;;);']));
  const busy = await times(size.edits, () => edited(freshet, file)).finally(() => hogs.forEach(hog => hog.kill()));
  return [
    ['cores quiet', quiet, 1.5],
    ['all cores busy', busy, 5],
  ].map(([how, all, atMost]) =>
    row(`edit of a route file until it is live, ${how}`, {
      freshet: show(median(all) / 1000, 's'),
      value: median(all) / 1000,
      goal: { atMost, unit: 's' },
    }),
  );
}

async function times(n, measured) {
  const all = [];
  for (let i = 0; i < n; i++) all.push(await measured());
  return all;
}

let edits = 0;
/** Milliseconds until the API shows the route as it was written. */
async function edited(freshet, file) {
  const description = `The tag target as it was edited for time ${++edits}`;
  await sleep(300 * Math.random()); // at no fixed distance to the last look at the folder
  const begun = now();
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(DESCRIPTION, `$1${description}`));
  await until(
    'the edit is live',
    async () => (await (await fetch(`${freshet.url}/api/routes`)).text()).includes(description),
    { every: 25, within: 60_000 },
  );
  return now() - begun;
}
