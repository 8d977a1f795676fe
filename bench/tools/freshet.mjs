// Freshet as it is shipped: by the launcher beside the jar where there is one, and otherwise with java -jar.
import fs from 'node:fs';
import path from 'node:path';
import { root } from './machine.mjs';
import { now, start, temporaryFolder, until } from './processes.mjs';

const jar = path.join(root, 'target', 'freshet.jar'),
  launcher = path.join(root, 'target', 'freshet');
export const hasLauncher = fs.existsSync(launcher) && fs.statSync(launcher).isFile();
export const shipped = hasLauncher ? 'target/freshet' : 'java -jar target/freshet.jar';
export const JAVA_JAR = ['java', '-jar', jar],
  LAUNCHER = [launcher];

/** @param folder where it is started: routes/ beside it are its routes, otherwise those in the jar */
export async function launch(environment, { command = hasLauncher ? LAUNCHER : JAVA_JAR, folder } = {}) {
  folder ??= temporaryFolder();
  const log = path.join(folder, 'freshet.log'),
    begun = now();
  const { child, pid, ended, kill } = start(command[0], command.slice(1), {
    output: fs.openSync(log, 'w'),
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      JAVA_HOME: process.env.JAVA_HOME ?? '',
      FRESHET_PORT: '0',
      ...environment,
    },
  });
  const url = await until(
    'Freshet listens',
    () => {
      const text = fs.readFileSync(log, 'utf8');
      if (child.exitCode !== null) throw new Error(`Freshet ends at its start: ${text.slice(-600)}`);
      return /Freshet is listening on (\S+)/.exec(text)?.[1];
    },
    { every: 10 },
  );
  return {
    url,
    pid,
    kill,
    folder,
    startMs: now() - begun,
    /** Lets it stop by itself, with a PostgreSQL server of its own. */
    async stop() {
      process.kill(pid, 'SIGTERM');
      await ended;
    },
  };
}

/** Freshet on a database of `server`, calling `receiver`: a system as tools/contest.mjs compares them. */
export async function startFreshet(server, receiver, environment = {}, { prepare, ...how } = {}) {
  const database = await server.database();
  await prepare?.(database);
  const freshet = await launch(
    {
      DATABASE_URL: database.url,
      VERCEL_DEPLOYMENT_URL: receiver.url,
      REVALIDATION_SECRET: 'bench-secret-0123456789',
      FRESHET_DEBOUNCE: '0',
      ...environment,
    },
    how,
  );
  return {
    ...freshet,
    database,
    insert: (n, prefix) =>
      database.query(
        `SELECT enqueue_cache_invalidation(
      ARRAY(SELECT $2::text || '-' || i FROM generate_series(0, $1::integer - 1) i))`,
        [n, prefix],
      ),
    async one(tag) {
      await database.query('SELECT enqueue_cache_invalidation($1::text)', [tag]);
      return now();
    },
    left: async () =>
      (
        await database.query(
          'SELECT count(*) AS n FROM public.cache_invalidation_queue WHERE last_invalidated_at IS NULL',
        )
      )[0].n,
    async end() {
      await freshet.kill();
      await database.drop();
    },
  };
}
