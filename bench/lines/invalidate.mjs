// /invalidate/key with audit, 32 at once; a pattern of 10 keys among a million, p50
import path from 'node:path';
import { row, show } from '../tools/figures.mjs';
import { root } from '../tools/machine.mjs';
import { outputOfScript } from '../tools/processes.mjs';

export async function measure({ size, ends }) {
  const text = await outputOfScript(path.join(root, 'bench', 'invalidate.mjs'), size.invalidate, ends);
  const perSecond = +/^\/invalidate\/key, 32 at once: (\d+)/m.exec(text)?.[1];
  const patterns = [...text.matchAll(/^(?:prefix|suffix|infix), (\d+) of .*?p50 ([\d.]+) ms/gm)];
  const slowest = Math.max(...patterns.map(([, , ms]) => +ms));
  // a short run registers so few keys that its patterns may match none
  const matched = patterns.map(([, count]) => +count).join(', ');
  if (!perSecond || !patterns.length) throw new Error(`invalidate.mjs says: ${text.slice(-300)}`);
  const redis = [...text.matchAll(/Redis SCAN MATCH (\d+) ms/g)].map(m => +m[1]);
  return [
    row('/invalidate/key with audit, 32 clients', {
      freshet: `${show(perSecond)}/s`,
      value: perSecond,
      goal: { atLeast: 3000, unit: '/s' },
    }),
    row(`/invalidate/pattern, ${matched} of ${(+size.invalidate[1]).toLocaleString('en')} keys, p50 of the slowest`, {
      freshet: show(slowest, 'ms'),
      value: slowest,
      goal: { atMost: 2, unit: 'ms' },
      beside: redis.length ? `Redis SCAN MATCH ${redis.join(', ')}` : 'no redis-server here',
      ratio: redis.length ? slowest / Math.min(...redis) : undefined,
    }),
  ];
}
