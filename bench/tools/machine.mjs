// What the figures were measured on, and what a process takes of it.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { sleep } from './processes.mjs';

export const root = path.resolve(import.meta.dirname, '../..');
const said = (command, ...args) => {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: root });
  return ((stdout || '') + (stderr || '')).trim();
};

export function describeMachine() {
  const changed = said('git', 'status', '--porcelain', '--untracked-files=no') ? ' and uncommitted changes' : '';
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: said('git', 'rev-parse', '--short', 'HEAD') + changed,
    cores: `${os.availableParallelism()} cores (${os.cpus()[0].model.trim()})`,
    memory: `${Math.round(os.totalmem() / 2 ** 30)} GB`,
    jdk: /"([^"]+)"/.exec(said('java', '-version'))?.[1] ?? 'unknown',
    postgres: /[\d.]+/.exec(said('pg_config', '--version'))?.[0] ?? 'unknown',
    node: process.versions.node,
  };
}

function children(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** A process and all that it began. */
const family = pid => [pid, ...children(pid).flatMap(family)];
const sumOf = (pid, value) =>
  family(pid).reduce((sum, member) => {
    try {
      return sum + value(member);
    } catch {
      return sum;
    }
  }, 0);

/** Processor time so far, in ms; Linux counts in hundredths of a second. */
export const cpuMs = pid =>
  sumOf(pid, member => {
    const fields = fs
      .readFileSync(`/proc/${member}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (+fields[11] + +fields[12]) * 10;
  });

export const residentMb = pid =>
  sumOf(pid, member => +/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${member}/status`, 'utf8'))[1] / 1024);

/** Waits until what was measured before has stopped working: less than a third of a core, or `atMost` is over. */
export async function quiet(pids, atMost) {
  for (const end = Date.now() + atMost; Date.now() < end;) {
    const before = pids.map(cpuMs);
    await sleep(300);
    if (pids.reduce((sum, pid, i) => sum + cpuMs(pid) - before[i], 0) < 100) return;
  }
}
