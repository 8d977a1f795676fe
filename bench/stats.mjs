// How long a stats job of ten functions takes beside its slowest function, and beside their sum, which the replaced worker took.
//   mvn -DskipTests package && npm install --prefix bench --package-lock=false && node bench/stats.mjs [--rounds 5]
// The functions sleep for 0.2 to 2 s, so that the database is not the limit. Starts its own PostgreSQL (pg_config --bindir) and Freshet, and stops them.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';

const rounds = +(process.argv[process.argv.indexOf('--rounds') + 1] || 5) || 5;
const jar = path.join(path.resolve(import.meta.dirname, '..'), 'target', 'freshet.jar');
const names = ['update_half_and_full_season_stats', 'update_aggregated_all_time_stats', 'update_aggregated_hall_of_fame', 'update_aggregated_recent_performance',
  'update_aggregated_season_honours_and_records', 'update_aggregated_match_report_cache', 'update_aggregated_personal_bests', 'update_aggregated_player_profile_stats',
  'update_aggregated_season_race_data', 'update_power_ratings'];
const sleep = ms => new Promise(done => setTimeout(done, ms));
const freePort = () => new Promise(done => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); }); });
const bin = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout.trim(), dir = fs.mkdtempSync(path.join(os.tmpdir(), 'freshet-bench-')), port = await freePort();
const as = process.getuid() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
const run = (command, ...args) => { const [c, ...a] = [...as, path.join(bin, command), ...args]; return spawnSync(c, a, { stdio: 'ignore', cwd: dir }); };
let freshet;
try {
  if (as.length) spawnSync('chown', ['postgres', dir]);
  run('initdb', '-D', `${dir}/data`, '-A', 'trust', '-U', 'postgres', '-N');
  run('pg_ctl', '-D', `${dir}/data`, '-w', '-o', `-p ${port} -k ${dir} -c listen_addresses=127.0.0.1`, '-l', `${dir}/log`, 'start');
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`, db = new pg.Client(url);
  await db.connect();
  for (const [i, name] of names.entries()) await db.query(`CREATE FUNCTION ${name}() RETURNS void LANGUAGE sql AS 'SELECT pg_sleep(${(0.2 * (i + 1)).toFixed(1)})'`);
  const log = `${dir}/freshet.log`, out = fs.openSync(log, 'a');
  freshet = spawn('java', ['-jar', jar], { cwd: dir, stdio: ['ignore', out, out], env: { PATH: process.env.PATH, HOME: process.env.HOME, DATABASE_URL: url, FRESHET_PORT: '0' } });
  while (!/Freshet is listening/.test(fs.readFileSync(log, 'utf8'))) { if (freshet.exitCode !== null) throw new Error(fs.readFileSync(log, 'utf8')); await sleep(50); }
  for (let round = 1; round <= rounds; round++) {
    const { rows: [{ id }] } = await db.query('INSERT INTO background_job_status DEFAULT VALUES RETURNING id');
    let job;
    do { await sleep(50); ({ rows: [job] } = await db.query(`SELECT status, extract(epoch FROM completed_at - started_at) * 1000 AS ms, results FROM background_job_status WHERE id = $1`, [id])); } while (!['completed', 'failed'].includes(job.status));
    const took = job.results.function_results.map(f => f.duration), slowest = Math.max(...took), sum = took.reduce((a, b) => a + b, 0);
    console.log(`round ${round}: ${job.status}, job ${Math.round(job.ms)} ms, slowest function ${slowest} ms, ratio ${(job.ms / slowest).toFixed(3)}; one after the other ${sum} ms`);
  }
  await db.end();
} finally {
  freshet?.kill('SIGKILL');
  run('pg_ctl', '-D', `${dir}/data`, '-m', 'immediate', '-w', 'stop');
  fs.rmSync(dir, { recursive: true, force: true });
}
