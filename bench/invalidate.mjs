// The invalidation service beside Redis: how long until the keys that a pattern means are known, gone and audited,
// among a million.
//   mvn -DskipTests package && npm install --prefix bench --package-lock=false && \
//     node bench/invalidate.mjs [--keys 1000000] [--seconds 10] [--rounds 1] [--jar FILE]
// Needs redis-server on the PATH for the comparison; says so where it is missing.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import {
  atTheEnd,
  cpuSeconds,
  freePort,
  option,
  percentile,
  sleep,
  stage,
  startFreshet,
  startPostgres,
} from './stage.mjs';

const keys = +option('keys', 1000000),
  seconds = +option('seconds', 10),
  rounds = +option('rounds', 1);
const kinds = ['profile', 'settings', 'cart', 'orders', 'posts', 'friends', 'photos', 'likes', 'feed', 'inbox'];

await stage(async () => {
  const server = await startPostgres('shared_buffers=512MB'),
    freshet = await startFreshet(server);
  await server.client.query(
    `INSERT INTO cache_entries (cache_key, tags)
     SELECT 'user:' || i / 10 || ':' || (ARRAY['${kinds.join("','")}'])[i % 10 + 1] || ':g' || i / 10 % 100000,
            ARRAY['bench']
     FROM generate_series(0, ${keys - 1}) i`,
  );
  await server.client.query('VACUUM ANALYZE cache_entries');
  const redis = await startRedis();
  const agent = new http.Agent({ keepAlive: true });
  const post = (path, body) =>
    new Promise((done, fail) => {
      const text = JSON.stringify(body),
        begun = performance.now();
      const request = http.request(
        freshet.url + path,
        {
          method: 'POST',
          agent,
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        },
        response => {
          let all = '';
          response.on('data', part => (all += part));
          response.on('end', () =>
            response.statusCode === 200 ? done({ ms: performance.now() - begun, answer: all }) : fail(new Error(all)),
          );
        },
      );
      request.on('error', fail);
      request.end(text);
    });
  for (let i = 0; i < 3000; i++) await post('/invalidate/pattern', { pattern: `warm:${i}:*` }); // a young JVM is slow

  const patterns = {
    prefix: i => `user:${i}:*`,
    suffix: i => `*:g${i}`,
    infix: i => `*:${i}:*`,
    'regular expression': i => `^user:${i}:(profile|cart)`,
  };
  for (const [name, pattern] of Object.entries(patterns)) {
    const mine = [],
      found = [],
      theirs = [];
    for (let n = 0; n < 200; n++) {
      const r = await post('/invalidate/pattern', { pattern: pattern(20000 + n * 7 + name.length * 2000) });
      mine.push(r.ms);
      found.push(JSON.parse(r.answer).invalidated_count);
    }
    if (redis && name !== 'regular expression')
      for (let n = 0; n < 5; n++) theirs.push(await redis.scan(pattern(20000 + n * 7)));
    const p50 = percentile(mine, 0.5),
      theirs50 = theirs.length ? percentile(theirs, 0.5) : NaN;
    console.log(
      `${name}, ${percentile(found, 0.5)} of ${keys} keys: p50 ${p50.toFixed(2)} ms, ` +
        `p99 ${percentile(mine, 0.99).toFixed(1)} ms; ` +
        `Redis SCAN MATCH ${theirs50.toFixed(0)} ms, ratio ${(theirs50 / p50).toFixed(0)}`,
    );
  }
  const many = Array.from({ length: 100000 }, (_, i) => 'k' + i),
    matching = [];
  for (let n = 0; n < 30; n++)
    matching.push((await post('/invalidate/pattern', { pattern: 'k12*', cache_keys: many })).ms);
  console.log(`100000 cache_keys in one request: p50 ${percentile(matching.slice(5), 0.5).toFixed(0)} ms`);
  const plain = [],
    hostile = [];
  for (let n = 0; n < 100; n++) {
    plain.push((await post('/invalidate/pattern', { pattern: 'a*b', cache_keys: ['a'.repeat(1000) + 'b'] })).ms);
    hostile.push((await post('/invalidate/pattern', { pattern: '^(a+)+$', cache_keys: ['a'.repeat(1000) + 'b'] })).ms);
  }
  console.log(
    `^(a+)+$ on a thousand a and a b: p50 ${percentile(hostile, 0.5).toFixed(2)} ms; ` +
      `a*b on the same: ${percentile(plain, 0.5).toFixed(2)} ms`,
  );

  for (const connections of Array(rounds).fill([8, 32]).flat()) {
    let requests = 0,
      until = Date.now() + seconds * 1000;
    const latencies = [];
    agent.maxSockets = connections;
    const { rows } = await server.client.query(
      "SELECT pid FROM pg_stat_activity WHERE backend_type <> 'autovacuum worker'",
    );
    const cpu = () => [
        cpuSeconds([freshet.pid]),
        cpuSeconds(rows.map(row => row.pid).filter(pid => fs.existsSync(`/proc/${pid}`))),
      ],
      before = cpu();
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (Date.now() < until) {
          latencies.push((await post('/invalidate/key', { keys: [`some:${requests++}`] })).ms);
        }
      }),
    );
    const each = cpu().map((after, i) => (((after - before[i]) / requests) * 1e6).toFixed(0) + ' µs');
    console.log(
      `/invalidate/key, ${connections} at once: ${(requests / seconds).toFixed(0)} requests/s, ` +
        `p50 ${percentile(latencies, 0.5).toFixed(1)} ms, p99 ${percentile(latencies, 0.99).toFixed(1)} ms; ` +
        `CPU of Freshet and of PostgreSQL: ${each.join(', ')} each`,
    );
  }
  const {
    rows: [{ n }],
  } = await server.client.query("SELECT count(*) AS n FROM invalidation_audit WHERE kind = 'invalidation'");
  console.log(`${n} audit rows`);
});

async function startRedis() {
  if (spawnSync('redis-server', ['--version']).error) {
    console.log('no redis-server on the PATH: no comparison');
    return null;
  }
  const port = await freePort(),
    redis = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], {
      stdio: 'ignore',
    });
  atTheEnd(() => redis.kill('SIGKILL'));
  let socket;
  for (let i = 0; !socket; i++) {
    try {
      socket = await new Promise((done, fail) => {
        const s = net.connect(port, '127.0.0.1', () => done(s));
        s.on('error', fail);
      });
    } catch (e) {
      if (i > 100) throw e;
      await sleep(50);
    }
  }
  const ask = command =>
    new Promise(done => {
      let all = '';
      const read = data => {
        all += data.toString('latin1');
        if (complete(all)) {
          socket.off('data', read);
          done(all);
        }
      };
      socket.on('data', read);
      socket.write(command);
    });
  const bulk = (...args) => `*${args.length}\r\n${args.map(a => `$${Buffer.byteLength(a)}\r\n${a}\r\n`).join('')}`;
  for (let i = 0; i < keys; i += 10000)
    await ask(
      bulk(
        'MSET',
        ...Array.from({ length: Math.min(10000, keys - i) }, (_, j) => [
          `user:${Math.floor((i + j) / 10)}:${kinds[(i + j) % 10]}:g${Math.floor((i + j) / 10) % 100000}`,
          '1',
        ]).flat(),
      ),
    );
  return {
    async scan(pattern) {
      const begun = performance.now();
      for (let cursor = '0'; ;) {
        cursor = /^\*2\r\n\$\d+\r\n(\d+)/.exec(await ask(bulk('SCAN', cursor, 'MATCH', pattern, 'COUNT', '1000')))[1];
        if (cursor === '0') return performance.now() - begun;
      }
    },
  };
}

function complete(text) {
  // of the answers that come here: +OK, or *2 with a cursor and a list
  if (text[0] === '+') return text.endsWith('\r\n');
  const head = /^\*2\r\n\$\d+\r\n\d+\r\n\*(\d+)\r\n/.exec(text);
  return head !== null && (text.slice(head[0].length).match(/\r\n/g) ?? []).length === 2 * +head[1];
}
