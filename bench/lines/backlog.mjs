// a million tags pending when it starts: the most memory until the last one is delivered
import { row, show } from '../tools/figures.mjs';
import { launch, startFreshet } from '../tools/freshet.mjs';
import { residentMb } from '../tools/machine.mjs';
import { until } from '../tools/processes.mjs';

export async function measure({ server, receiver, size, ends }) {
  const before = ends(await startFreshet(server, receiver)); // makes the tables
  await before.kill();
  const { database, left } = before;
  await database.query(
    `INSERT INTO public.cache_invalidation_queue (tag, time_bucket)
    SELECT 'pending-' || i, date_bin('5 s', now() - interval '1 hour', 'epoch')
    FROM generate_series(1, $1::integer) i`,
    [size.backlog],
  );
  const freshet = await launch({
    DATABASE_URL: database.url,
    VERCEL_DEPLOYMENT_URL: receiver.url,
    REVALIDATION_SECRET: 'bench-secret-0123456789',
    FRESHET_REVALIDATE_BATCH: '100',
  });
  ends({ end: freshet.kill });
  let most = 0;
  await until(
    'all is delivered',
    async () => {
      most = Math.max(most, residentMb(freshet.pid));
      return (await left()) === 0;
    },
    { within: size.longestLine, every: 500 },
  );
  return [
    row(`resident memory with ${size.backlog.toLocaleString('en')} tags pending at the start`, {
      freshet: show(most, 'MB'),
      value: most,
      goal: { atMost: 256, unit: 'MB' },
    }),
  ];
}
