// One PostgreSQL server for a whole run, of its own, on a free port of 127.0.0.1.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { atTheEnd, freePort, outputOf, sleep, temporaryFolder } from './processes.mjs';

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  max_connections: 300,
  shared_buffers: '1GB',
  max_wal_size: '4GB',
};
/** Counts nothing until countStatements says so. */
const COUNTING = { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track': 'none' };

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);

export async function startPostgres() {
  const server = await startServer(),
    { port } = server;
  const urlOf = name => `postgres://postgres@127.0.0.1:${port}/${name}`;
  const admin = await connect(urlOf('postgres'));
  let made = 0;

  /** A new database; `query` runs on one connection, one statement after the other. */
  async function database() {
    const name = `bench_${++made}`,
      url = urlOf(name);
    await admin.query(`CREATE DATABASE ${name}`);
    const client = await connect(url);
    return {
      name,
      url,
      port,
      query: async (text, values) => (await client.query(text, values)).rows,
      connect: () => connect(url),
      pgbench: (script, load) => pgbench(server, name, script, load),
      async drop() {
        await client.end();
        await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
      },
    };
  }

  async function track(what) {
    await admin.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    if (what === 'top') await admin.query('SELECT pg_stat_statements_reset()');
    await admin.query(`ALTER SYSTEM SET pg_stat_statements.track = '${what}'`);
    await admin.query('SELECT pg_reload_conf()');
    await sleep(200); // the sessions take it over with their next statement
  }

  return {
    database,
    replica: () => startReplica(server),
    /** While `work` goes on, in all databases: counting costs time, so that it is off otherwise. */
    async countStatements(work) {
      if (!server.canCount) throw new Error('this PostgreSQL is without pg_stat_statements, which counts statements');
      try {
        await track('top');
        return await work();
      } finally {
        await track('none');
      }
    },
    /** [{query, calls, ms: mean of one}] of a database, as counted so far */
    statements: async ({ name }) =>
      (
        await admin.query(
          `SELECT query, calls, mean_exec_time AS ms
      FROM pg_stat_statements JOIN pg_database ON oid = dbid WHERE datname = $1`,
          [name],
        )
      ).rows,
  };
}

const isRoot = process.getuid() === 0;

/** As root, PostgreSQL's programs are run by the user postgres: they refuse to be run by root. */
const runner =
  (bin, folder) =>
  (program, ...args) => {
    const all = [...(isRoot ? ['runuser', '-u', 'postgres', '--'] : []), path.join(bin, program), ...args];
    const { status } = spawnSync(all[0], all.slice(1), { stdio: 'ignore', cwd: folder });
    if (status !== 0) throw new Error(`${program} ends with ${status}`);
  };

async function startServer() {
  const [bin, libraries] = ['--bindir', '--pkglibdir'].map(what =>
    spawnSync('pg_config', [what], { encoding: 'utf8' }).stdout.trim(),
  );
  const canCount = fs.existsSync(path.join(libraries, 'pg_stat_statements.so'));
  const folder = temporaryFolder(),
    port = await freePort();
  if (isRoot) spawnSync('chown', ['postgres', folder]);
  const run = runner(bin, folder);
  run('initdb', '-D', `${folder}/data`, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', '-N');
  const settings = { ...SETTINGS, ...(canCount ? COUNTING : {}), port, unix_socket_directories: folder };
  fs.appendFileSync(
    `${folder}/data/postgresql.conf`,
    Object.entries(settings)
      .map(([name, value]) => `${name} = '${value}'\n`)
      .join(''),
  );
  atTheEnd(() => run('pg_ctl', '-D', `${folder}/data`, '-m', 'immediate', '-w', 'stop'));
  run('pg_ctl', '-D', `${folder}/data`, '-l', `${folder}/log`, '-w', 'start');
  return { bin, folder, port, canCount };
}

/** A streaming replica of it. */
async function startReplica({ bin, folder, port: primary }) {
  const data = `${folder}/replica`,
    port = await freePort(),
    run = runner(bin, folder);
  run('pg_basebackup', '-h', '127.0.0.1', '-p', `${primary}`, '-U', 'postgres', '-D', data, '-R', '-c', 'fast');
  fs.appendFileSync(`${data}/postgresql.conf`, `port = '${port}'\n`);
  const stop = () => run('pg_ctl', '-D', data, '-m', 'immediate', '-w', 'stop'),
    forget = atTheEnd(stop);
  run('pg_ctl', '-D', data, '-l', `${folder}/replica.log`, '-w', 'start');
  return {
    urlOf: name => `postgres://postgres@127.0.0.1:${port}/${name}`,
    kill() {
      forget();
      stop();
      fs.rmSync(data, { recursive: true, force: true });
    },
  };
}

async function connect(connectionString) {
  const client = new pg.Client({ connectionString, application_name: 'bench' });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Transactions a second. */
async function pgbench({ bin, folder, port }, database, script, { clients, seconds }) {
  const file = path.join(folder, 'load.sql');
  fs.writeFileSync(file, script);
  const text = await outputOf(path.join(bin, 'pgbench'), [
    '-n',
    '-h',
    '127.0.0.1',
    '-p',
    `${port}`,
    '-U',
    'postgres',
    '-f',
    file,
    '-M',
    'prepared',
    '-c',
    `${clients}`,
    '-j',
    '2',
    '-T',
    `${seconds}`,
    database,
  ]);
  return +/^tps = ([\d.]+)/m.exec(text)[1];
}
