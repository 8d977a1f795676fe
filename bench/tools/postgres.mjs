// One PostgreSQL server for a whole run, of its own, on a free port of 127.0.0.1.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { atTheEnd, freePort, outputOf, temporaryFolder } from './processes.mjs';

const SETTINGS = {
  listen_addresses: '127.0.0.1', max_connections: 300, shared_buffers: '1GB', max_wal_size: '4GB',
  // counts statements in the databases that ask for it only: see countStatements
  shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track': 'none',
};

pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.NUMERIC, Number);

export async function startPostgres() {
  const bin = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout.trim();
  const folder = temporaryFolder(), port = await freePort(), root = process.getuid() === 0;
  if (root) spawnSync('chown', ['postgres', folder]);
  const run = (program, ...args) => {
    const all = [...root ? ['runuser', '-u', 'postgres', '--'] : [], path.join(bin, program), ...args];
    const { status } = spawnSync(all[0], all.slice(1), { stdio: 'ignore', cwd: folder });
    if (status !== 0) throw new Error(`${program} ends with ${status}`);
  };
  run('initdb', '-D', `${folder}/data`, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', '-N');
  const settings = { ...SETTINGS, port, unix_socket_directories: folder };
  fs.appendFileSync(`${folder}/data/postgresql.conf`,
    Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`).join(''));
  atTheEnd(() => run('pg_ctl', '-D', `${folder}/data`, '-m', 'immediate', '-w', 'stop'));
  run('pg_ctl', '-D', `${folder}/data`, '-l', `${folder}/log`, '-w', 'start');

  const urlOf = name => `postgres://postgres@127.0.0.1:${port}/${name}`;
  const admin = await connect(urlOf('postgres'));
  let made = 0;
  return {
    /** A new database; `query` runs on one connection, one statement after the other. */
    async database() {
      const name = `bench_${++made}`, url = urlOf(name);
      await admin.query(`CREATE DATABASE ${name}`);
      const client = await connect(url);
      return {
        name, url, port,
        query: async (text, values) => (await client.query(text, values)).rows,
        connect: () => connect(url),
        pgbench: (script, options) => pgbench(bin, folder, port, name, script, options),
        countStatements: () => countStatements(client, name),
        async drop() {
          await client.end();
          await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
        },
      };
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
async function pgbench(bin, folder, port, database, script, { clients, seconds }) {
  const file = path.join(folder, 'load.sql');
  fs.writeFileSync(file, script);
  const text = await outputOf(path.join(bin, 'pgbench'), ['-n', '-h', '127.0.0.1', '-p', `${port}`, '-U', 'postgres',
    '-f', file, '-M', 'prepared', '-c', `${clients}`, '-j', '2', '-T', `${seconds}`, database]);
  return +/^tps = ([\d.]+)/m.exec(text)[1];
}

/** Counts from now on; connections that are open already are not counted. */
async function countStatements(client, name) {
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  await client.query(`ALTER DATABASE ${name} SET pg_stat_statements.track = 'top'`);
}
