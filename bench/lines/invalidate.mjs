// /invalidate/key with audit, 32 at once; a pattern of 10 keys among a million, p50
import path from 'node:path';
import { row, show } from '../tools/figures.mjs';
import { root } from '../tools/machine.mjs';
import { outputOfScript } from '../tools/processes.mjs';

export async function measure({ size, ends }) {
  const text = await outputOfScript(path.join(root, 'bench', 'invalidate.mjs'), size.invalidate, ends);
  const perSecond = +/^\/invalidate\/key, 32 at once: (\d+)/m.exec(text)?.[1];
  const patterns = Object.fromEntries([...text.matchAll(/^(prefix|suffix|infix), .*?p50 ([\d.]+) ms/gm)]
    .map(([, kind, ms]) => [kind, +ms]));
  const slowest = Math.max(...Object.values(patterns));
  if (!perSecond || !Number.isFinite(slowest)) throw new Error(`invalidate.mjs says: ${text.slice(-300)}`);
  const redis = [...text.matchAll(/Redis SCAN MATCH (\d+) ms/g)].map(m => +m[1]);
  return [
    row('/invalidate/key with audit, 32 clients', { freshet: `${show(perSecond)}/s`, value: perSecond,
      goal: { atLeast: 3000, unit: '/s' } }),
    row(`/invalidate/pattern of 10 in ${(+size.invalidate[1]).toLocaleString('en')} keys, p50, slowest kind`, {
      freshet: show(slowest, 'ms'), value: slowest, goal: { atMost: 2, unit: 'ms' },
      beside: redis.length ? `Redis SCAN MATCH ${redis.join(', ')}` : 'no redis-server here',
      ratio: redis.length ? slowest / Math.min(...redis) : undefined }),
  ];
}
