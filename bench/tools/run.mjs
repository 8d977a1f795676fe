// Runs the lines, one after the other, and makes the table. Started by bench/run.
import fs from 'node:fs';
import path from 'node:path';
import { Contest } from './contest.mjs';
import { shipped } from './freshet.mjs';
import { describeMachine } from './machine.mjs';
import { sleep } from './processes.mjs';
import { startPostgres } from './postgres.mjs';
import { startReceiver } from './receiver.mjs';
import { heading, table, writeReadmes, writeResult } from './report.mjs';
import { FULL, SHORT } from './sizes.mjs';

const ORDER = [
  'drain-cold',
  'drain-warm',
  'drain-batches',
  'latency',
  'fence',
  'memory',
  'idle',
  'writers',
  'writers-draining',
  'live-readers',
  'invalidate',
  'held-snapshot',
  'history',
  'edit',
  'start',
  'backlog',
  'broken',
  'replay',
  'moments',
  'copies',
];

const options = process.argv.slice(2).filter(word => word.startsWith('--'));
const wanted = process.argv.slice(2).filter(word => !word.startsWith('--'));
const short = options.includes('--short'),
  size = short ? SHORT : FULL;
const folder = path.resolve(import.meta.dirname, '../lines');
const there = fs
  .readdirSync(folder)
  .filter(file => file.endsWith('.mjs'))
  .map(file => file.replace('.mjs', ''));
const ordered = [...ORDER.filter(name => there.includes(name)), ...there.filter(name => !ORDER.includes(name))];
const wrong = [
  ...wanted.filter(name => !there.includes(name)),
  ...options.filter(option => !['--short', '--readme'].includes(option)),
];
if (wrong.length) {
  console.error(`bench/run does not know ${wrong.join(', ')}; bench/run --list shows the lines`);
  process.exit(2);
}
if (options.includes('--readme') && (short || wanted.length)) {
  console.error('bench/run --readme keeps what a whole run has measured: without --short and names of lines');
  process.exit(2);
}

const say = text => console.error(text);
// a line that was stopped may still learn that what it waits for is gone
process.on('unhandledRejection', e => say(`  afterwards: ${e?.message ?? e}`));
const machine = describeMachine();
const head = heading(machine, shipped, ['bench/run', ...process.argv.slice(2)].join(' '));
const stage = { server: await startPostgres(), receiver: await startReceiver(), size, say };
const contest = new Contest(stage),
  results = [];

for (const name of ordered.filter(each => !wanted.length || wanted.includes(each))) {
  const begun = Date.now();
  say(`${name} …`);
  results.push(await measure(name));
  say(`  ${Math.round((Date.now() - begun) / 1000)} s`);
  writeResult(`${head}\n\n${table(results)}`);
}
await contest.end();
console.log(`${head}\n\n${table(results)}`);
if (options.includes('--readme')) writeReadmes(machine, head, results);
process.exit(results.some(({ failed }) => failed) ? 1 : 0);

/** A line that fails says why, and the others go on. What it started and did not end is stopped with the run. */
async function measure(name) {
  const toEnd = [];
  try {
    const line = await import(path.join(folder, `${name}.mjs`));
    if (!line.besidePeers) await contest.end();
    const ends = system => {
      toEnd.push(() => system.end());
      return system;
    };
    const rows = await Promise.race([line.measure({ ...stage, contest, ends }), tooLong()]);
    return { name, rows };
  } catch (e) {
    say(`  failed: ${e.stack}`);
    return { name, failed: e.message.replaceAll(/\s*[\n|]\s*/g, ' ').slice(0, 300) };
  } finally {
    for (const end of toEnd.reverse()) await end().catch(() => {});
  }
}

async function tooLong() {
  await sleep(size.longestLine);
  throw new Error(`stopped after ${size.longestLine / 60_000} minutes`);
}
