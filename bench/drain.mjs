// How fast a backlog becomes calls, side by side in one run: Freshet (target/freshet.jar) and the worker that most projects write by hand.
//   mvn -DskipTests package && npm install --prefix bench && node bench/drain.mjs [--rounds 3] [--tags 20000] [--only tags,batch,idle,heap]
// Starts its own PostgreSQL (pg_config --bindir), its own receiver and its own Freshet on free ports of 127.0.0.1, and stops them.
import { fork, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';

const option = (name, otherwise) => { const i = process.argv.indexOf('--' + name); return i < 0 ? otherwise : process.argv[i + 1]; };
const rounds = +option('rounds', 3), tags = +option('tags', 20000), only = option('only', 'tags,batch,idle,heap').split(',');
const root = path.resolve(import.meta.dirname, '..'), jar = path.join(root, 'target', 'freshet.jar');
const stops = [];
const sleep = ms => new Promise(done => setTimeout(done, ms));
const freePort = () => new Promise(done => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); }); });

if (process.argv[2] === 'receiver') {           // a process of its own, so that it does not share the worker's thread
  let calls = 0, seen = 0, last = 0;
  http.createServer((request, response) => {
    let body = '';
    request.on('data', data => body += data);
    request.on('end', () => { const b = JSON.parse(body); calls++; seen += b.tags ? b.tags.length : 1; last = Date.now(); response.end('{}'); });
  }).listen(0, '127.0.0.1', function () { process.send({ port: this.address().port }); });
  process.on('message', () => { process.send({ calls, seen, last }); calls = seen = 0; });
  process.on('disconnect', () => process.exit());
} else {
  try { await main(); } finally { for (const stop of stops.reverse()) await stop(); }
  process.exit();
}

async function main() {
  const server = await startPostgres();
  const receiver = await startReceiver();
  const rows = [];
  if (only.includes('tags')) {
    const freshet = await startFreshet(await server.database('freshet'), receiver.url);
    const byHand = await server.database('by_hand');
    await byHand.client.query(`CREATE TABLE cache_invalidation_queue(tag text, time_bucket timestamptz, invalidation_count int DEFAULT 1,
      last_invalidated_at timestamptz, created_at timestamptz DEFAULT now(), PRIMARY KEY (tag, time_bucket))`);
    for (let round = 0; round < rounds; round++) {
      const mine = await drainFreshet(freshet, receiver, tags), theirs = await drainByHand(byHand.pool, receiver, tags);
      rows.push(`${tags} tags, one call each, round ${round + 1}: Freshet ${mine.toFixed(0)}/s, by hand with 32 at once ${theirs.toFixed(0)}/s, ratio ${(mine / theirs).toFixed(1)}`);
      console.log(rows.at(-1));
    }
    if (only.includes('idle')) {
      await sleep(30000);
      const before = cpuMs(freshet.pid), database = await backendsCpuMs(freshet.db), t = Date.now();
      await sleep(10000);
      const share = ms => (100 * ms / (Date.now() - t)).toFixed(2);
      console.log(`idle, debounce 0: ${share(cpuMs(freshet.pid) - before)} % of a core in Freshet, ${share(await backendsCpuMs(freshet.db) - database)} % in its database sessions`);
    }
    await freshet.stop();
  }
  if (only.includes('batch')) {
    const freshet = await startFreshet(await server.database('batch'), receiver.url, { FRESHET_REVALIDATE_BATCH: '100' });
    for (let round = 0; round < rounds; round++) console.log(`100000 tags in batches of 100, round ${round + 1}: ${(await drainFreshet(freshet, receiver, 100000)).toFixed(0)} tags/s`);
    await freshet.stop();
  }
  if (only.includes('heap')) {
    const db = await server.database('heap');
    const quiet = await startFreshet(db, receiver.url);
    await quiet.stop();
    await db.client.query(`INSERT INTO cache_invalidation_queue(tag, time_bucket) SELECT 'pending:' || i, now() - interval '1 hour' FROM generate_series(1, 1000000) i`);
    const freshet = await startFreshet(db, receiver.url, { FRESHET_REVALIDATE_BATCH: '100' }, ['-Xmx128m']);
    let most = 0;
    for (;;) {
      most = Math.max(most, heapMb(freshet.pid));
      const { rows: [left] } = await db.client.query('SELECT count(*)::int AS n FROM cache_invalidation_queue WHERE last_invalidated_at IS NULL');
      if (left.n === 0) break;
      await sleep(500);
    }
    console.log(`1,000,000 tags pending at the start, -Xmx128m: all delivered, heap in use at most ${most} MB`);
    await freshet.stop();
  }
}

async function drainFreshet(freshet, receiver, n) {
  await receiver.take();
  const t = Date.now();
  await freshet.db.query(`SELECT enqueue_cache_invalidation(array_agg($1 || ':' || i)) FROM generate_series(1, $2::int) i`, [`t${t}`, n]);
  let seen = 0, last;
  while (seen < n) { await sleep(50); const got = await receiver.take(); seen += got.seen; last = got.last; }
  return 1000 * n / (last - t);
}

/** Take the oldest thousand, call for 32 at once, mark each. */
async function drainByHand(pool, receiver, n) {
  await pool.query(`INSERT INTO cache_invalidation_queue(tag, time_bucket) SELECT $1 || ':' || i, now() FROM generate_series(1, $2::int) i`, [`h${Date.now()}`, n]);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const post = tag => new Promise((done, fail) => {
    const request = http.request(receiver.url + '/api/revalidate', { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, response => { response.resume(); response.on('end', done); });
    request.on('error', fail);
    request.end(JSON.stringify({ tag }));
  });
  const t = Date.now();
  for (;;) {
    const { rows } = await pool.query('SELECT tag, time_bucket::text FROM cache_invalidation_queue WHERE last_invalidated_at IS NULL ORDER BY time_bucket LIMIT 1000');
    if (!rows.length) break;
    for (let i = 0; i < rows.length; i += 32) await Promise.all(rows.slice(i, i + 32).map(async row => {
      await post(row.tag);
      await pool.query('UPDATE cache_invalidation_queue SET last_invalidated_at = now() WHERE tag = $1 AND time_bucket = $2', [row.tag, row.time_bucket]);
    }));
  }
  agent.destroy();
  return 1000 * n / (Date.now() - t);
}

async function startPostgres() {
  const bin = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout.trim(), dir = fs.mkdtempSync(path.join(os.tmpdir(), 'freshet-bench-')), port = await freePort();
  const run = (command, ...args) => { const as = process.getuid() === 0 ? ['runuser', '-u', 'postgres', '--'] : []; const [c, ...a] = [...as, path.join(bin, command), ...args]; return spawnSync(c, a, { stdio: 'ignore', cwd: dir }); };
  if (process.getuid() === 0) spawnSync('chown', ['postgres', dir]);
  run('initdb', '-D', `${dir}/data`, '-A', 'trust', '-U', 'postgres', '-N');
  run('pg_ctl', '-D', `${dir}/data`, '-w', '-o', `-p ${port} -k ${dir} -c listen_addresses=127.0.0.1 -c shared_buffers=256MB -c max_wal_size=4GB`, '-l', `${dir}/log`, 'start');
  stops.push(() => { run('pg_ctl', '-D', `${dir}/data`, '-m', 'immediate', '-w', 'stop'); fs.rmSync(dir, { recursive: true, force: true }); });
  const connect = async name => { const client = new pg.Client(`postgres://postgres@127.0.0.1:${port}/${name}`); client.on('error', () => {}); await client.connect(); return client; };
  const admin = await connect('postgres');
  return { database: async name => { await admin.query(`CREATE DATABASE ${name}`); return { url: `postgres://postgres@127.0.0.1:${port}/${name}`, client: await connect(name),
    pool: new pg.Pool({ connectionString: `postgres://postgres@127.0.0.1:${port}/${name}`, max: 32 }).on('error', () => {}) }; } };
}

async function startReceiver() {
  const child = fork(import.meta.filename, ['receiver']);
  stops.push(() => child.kill());
  const { port } = await new Promise(done => child.once('message', done));
  return { url: `http://127.0.0.1:${port}`, take: () => new Promise(done => { child.once('message', done); child.send('take'); }) };
}

async function startFreshet(database, target, more = {}, javaArgs = []) {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'freshet-bench-')), log = path.join(cwd, 'log'), out = fs.openSync(log, 'a');
  const child = spawn('java', [...javaArgs, '-jar', jar], { cwd, stdio: ['ignore', out, out], env: { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL: database.url,
    FRESHET_PORT: '0', FRESHET_DEBOUNCE: '0', VERCEL_DEPLOYMENT_URL: target, REVALIDATION_SECRET: 'bench', ...more } });
  const stop = async () => { child.kill('SIGKILL'); fs.rmSync(cwd, { recursive: true, force: true }); };
  stops.push(stop);
  while (!/Freshet is listening/.test(fs.readFileSync(log, 'utf8'))) { if (child.exitCode !== null) throw new Error(fs.readFileSync(log, 'utf8')); await sleep(50); }
  return { pid: child.pid, db: database.client, stop };
}

function cpuMs(pid) { const f = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' '); return (+f[11] + +f[12]) * 10; }
async function backendsCpuMs(client) { const { rows } = await client.query(`SELECT pid FROM pg_stat_activity WHERE application_name = 'freshet' AND datname = current_database()`); return rows.reduce((sum, { pid }) => sum + cpuMs(pid), 0); }
function heapMb(pid) { const m = /used (\d+)K/.exec(spawnSync('jcmd', [String(pid), 'GC.heap_info'], { encoding: 'utf8' }).stdout); return m ? Math.round(m[1] / 1024) : NaN; }
