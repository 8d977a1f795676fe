// Whatever a run starts is stopped with it: at its end, on Ctrl-C, and when it fails.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const undo = new Set();

/** Runs `stop`, which must not wait for anything, when this process ends; returns what takes it back. */
export function atTheEnd(stop) {
  undo.add(stop);
  return () => undo.delete(stop);
}

process.on('exit', () => {
  for (const stop of [...undo].reverse()) {
    try {
      stop();
    } catch {
      /* the next one all the same */
    }
  }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

export const sleep = ms => new Promise(done => setTimeout(done, ms));
/** Milliseconds since the epoch, with fractions: comparable between processes of one machine. */
export const now = () => performance.timeOrigin + performance.now();

export async function until(what, condition, { within = 120_000, every = 50 } = {}) {
  for (const end = now() + within; ;) {
    const value = await condition();
    if (value) return value;
    if (now() > end) throw new Error(`not within ${within / 1000} s: ${what}`);
    await sleep(every);
  }
}

export function freePort() {
  return new Promise(done => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export function temporaryFolder() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'freshet-bench-'));
  fs.chmodSync(folder, 0o755);
  atTheEnd(() => {
    stopServersBelow(folder);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** A PostgreSQL server that Freshet began and that outlived it. */
function stopServersBelow(folder) {
  for (const name of fs.readdirSync(folder, { recursive: true })) {
    if (path.basename(name) !== 'postmaster.pid') continue;
    const pid = +fs.readFileSync(path.join(folder, name), 'utf8').split('\n')[0];
    if (!isAlive(pid)) continue;
    process.kill(pid, 'SIGQUIT');
    for (let i = 0; i < 50 && isAlive(pid); i++) spawnSync('sleep', ['0.1']);
  }
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/s.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** A process with children of its own, if it likes: they are stopped together. */
export function start(command, args, { output = 'pipe', ...options } = {}) {
  const child = spawn(command, args, { detached: true, stdio: ['pipe', output, output], ...options });
  const killed = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      /* it is gone */
    }
  };
  const forget = atTheEnd(killed);
  const ended = new Promise(done => {
    child.on('error', error => done({ error }));
    child.on('exit', code => {
      forget();
      done({ code });
    });
  });
  child.stdin.on('error', () => {});
  return {
    child,
    pid: child.pid,
    ended,
    kill: async () => {
      killed();
      await ended;
    },
  };
}

/**
 * What another measurement of this folder prints. It starts a PostgreSQL server of its own; should it be stopped
 * before it could stop that, the server is found, since its data is below our folder.
 */
export async function outputOfScript(file, args, ends) {
  const folder = temporaryFolder();
  ends({ end: async () => stopServersBelow(folder) });
  return outputOf(process.execPath, [file, ...args], { env: { ...process.env, TMPDIR: folder } }, ends);
}

/** What a program prints, once it has ended well. */
export async function outputOf(command, args, options, ends = () => {}) {
  const { child, ended, kill } = start(command, args, options);
  ends({ end: kill });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', part => {
      text += part;
    });
  const closed = new Promise(done => child.on('close', done));
  const { code, error } = await ended;
  const why = error?.message ?? `exit ${code}`;
  if (code !== 0) throw new Error(`${path.basename(command)}: ${why}: ${text.slice(-600)}`);
  await closed;
  return text;
}
