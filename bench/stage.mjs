// What every measurement here needs: a PostgreSQL of its own, Freshet from target/freshet.jar, on free ports of
// 127.0.0.1, and an end to all of it.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';

export const option = (name, otherwise) => {
  const i = process.argv.indexOf('--' + name);
  return i < 0 ? otherwise : process.argv[i + 1];
};
export const sleep = ms => new Promise(done => setTimeout(done, ms));
export const freePort = () =>
  new Promise(done => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => done(port));
    });
  });
export const percentile = (values, p) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * p))];
const jar = path.resolve(option('jar', path.join(import.meta.dirname, '..', 'target', 'freshet.jar')));
const stops = [];

/** Runs `body`, and stops whatever it started. */
export async function stage(body) {
  try {
    await body();
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
  process.exit();
}

export const atTheEnd = stop => stops.push(stop);

/** Seconds of CPU that these processes have used: on a busy machine they say more than the clock. */
export const cpuSeconds = pids =>
  pids.reduce((sum, pid) => {
    const fields = fs
      .readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return sum + (+fields[11] + +fields[12]) / 100;
  }, 0);

export async function startPostgres(...settings) {
  const bin = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout.trim(),
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'freshet-bench-')),
    port = await freePort();
  const as = process.getuid() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
  const run = (command, ...args) => {
    const [c, ...a] = [...as, path.join(bin, command), ...args];
    return spawnSync(c, a, { stdio: 'ignore', cwd: dir });
  };
  if (as.length) spawnSync('chown', ['postgres', dir]);
  run('initdb', '-D', `${dir}/data`, '-A', 'trust', '-U', 'postgres', '-N');
  run(
    'pg_ctl',
    '-D',
    `${dir}/data`,
    '-w',
    '-o',
    `-p ${port} -k ${dir} -c listen_addresses=127.0.0.1 ${settings.map(s => '-c ' + s).join(' ')}`,
    '-l',
    `${dir}/log`,
    'start',
  );
  stops.push(() => {
    run('pg_ctl', '-D', `${dir}/data`, '-m', 'immediate', 'stop');
    fs.rmSync(dir, { recursive: true, force: true });
  });
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`,
    client = new pg.Client(url);
  await client.connect();
  client.on('error', () => {});
  return { url, dir, client };
}

export async function startFreshet(server, environment = {}) {
  const log = path.join(server.dir, 'freshet.log'),
    out = fs.openSync(log, 'a');
  const process_ = spawn('java', ['-jar', jar], {
    cwd: server.dir,
    stdio: ['ignore', out, out],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DATABASE_URL: server.url,
      FRESHET_PORT: '0',
      ...environment,
    },
  });
  stops.push(() => {
    process_.kill('SIGKILL');
  });
  let line;
  while (!(line = /Freshet is listening on (\S+)/.exec(fs.readFileSync(log, 'utf8')))) {
    if (process_.exitCode !== null) throw new Error(fs.readFileSync(log, 'utf8'));
    await sleep(50);
  }
  return { url: line[1], pid: process_.pid };
}
