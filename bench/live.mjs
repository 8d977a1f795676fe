// From a commit to open streams: Freshet beside twenty lines of LISTEN -> event stream on the replaced system's
// triggers, and what either costs the bidders.
//   mvn -DskipTests package && npm install --prefix bench --package-lock=false && \
//     node bench/live.mjs [--seconds 15] [--rounds 3] [--only many,one,bids] [--jar FILE]
// Starts its own PostgreSQL (pg_config --bindir), and stops all it started. Latency is from the change's
// clock_timestamp() to the reader, on one machine.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { cpuSeconds } from './stage.mjs';

const option = (name, otherwise) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise;
const now = () => (performance.timeOrigin + performance.now()) / 1000;

if (option('--peer')) {
  // the twenty lines
  const db = new pg.Client(option('--peer')),
    rooms = new Map();
  await db.connect();
  for (let e = 1; e <= 100; e++) await db.query(`LISTEN "cache_invalidate_E${e}"`);
  db.on('notification', ({ channel, payload }) => {
    const frame = `event: message\ndata: ${payload}\n\n`;
    for (const client of rooms.get(channel.slice('cache_invalidate_'.length)) ?? []) client.write(frame);
  });
  const server = http.createServer((request, response) => {
    const eid = request.url.split('/')[2],
      room = rooms.get(eid) ?? new Set();
    rooms.set(eid, room.add(response));
    request.on('close', () => room.delete(response));
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(':\n\n');
  });
  server.listen(0, '127.0.0.1', () => console.log(`Freshet is listening on http://127.0.0.1:${server.address().port}`));
} else if (option('--readers')) {
  // a process of its own, so that writing and reading do not share a thread
  const [url, count, events] = option('--readers').split(','),
    latencies = [],
    { hostname, port } = new URL(url);
  let open = 0,
    seen = 0;
  for (let i = 0; i < +count; i++) {
    let rest = '',
      first = true;
    const socket = net.connect(+port, hostname, () =>
      socket.write(`GET /live/E${1 + (i % +events)}/stream HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`),
    );
    socket.setEncoding('latin1').on('data', text => {
      if (first) {
        first = false;
        if (++open === +count) process.send('open');
      }
      const lines = (rest + text).split('\n'),
        at = now();
      rest = lines.pop();
      for (const line of lines)
        if (line.startsWith('data: ')) {
          seen++;
          latencies.push(at - +/"timestamp" ?: ?([\d.]+)/.exec(line)[1]);
        }
    });
  }
  process.on('message', () => {
    latencies.sort((a, b) => a - b);
    process.send({
      seen,
      p50: latencies[seen >> 1] * 1000,
      p99: latencies[Math.floor(seen * 0.99)] * 1000,
      max: latencies[seen - 1] * 1000,
    });
    process.exit();
  });
} else {
  const seconds = +option('--seconds', 15),
    rounds = +option('--rounds', 3);
  const only = option('--only', 'many,one,bids').split(',');
  const jar = path.resolve(option('--jar', path.join(import.meta.dirname, '..', 'target', 'freshet.jar')));
  const sleep = ms => new Promise(done => setTimeout(done, ms));
  const freePort = () =>
    new Promise(done => {
      const s = net.createServer().listen(0, '127.0.0.1', () => {
        const { port } = s.address();
        s.close(() => done(port));
      });
    });
  const bin = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout.trim(),
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'freshet-bench-')),
    port = await freePort();
  const as = process.getuid() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
  const run = (command, ...args) => {
    const [c, ...a] = [...as, path.join(bin, command), ...args];
    return spawnSync(c, a, {
      encoding: 'utf8',
      stdio: ['ignore', command === 'pgbench' ? 'pipe' : 'ignore', 'ignore'],
      cwd: dir,
    }).stdout;
  };
  const started = [];
  const server = async (command, args, env) => {
    const log = `${dir}/${started.length}.log`,
      out = fs.openSync(log, 'a'),
      child = spawn(command, args, {
        cwd: dir,
        stdio: ['ignore', out, out],
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      });
    started.push(child);
    for (;;) {
      const url = /Freshet is listening on (\S+)/.exec(fs.readFileSync(log, 'utf8'))?.[1];
      if (url) return { url, child };
      if (child.exitCode !== null) throw new Error(fs.readFileSync(log, 'utf8'));
      await sleep(50);
    }
  };
  try {
    if (as.length) spawnSync('chown', ['postgres', dir]);
    run('initdb', '-D', `${dir}/data`, '-A', 'trust', '-U', 'postgres', '-N');
    run(
      'pg_ctl',
      '-D',
      `${dir}/data`,
      '-w',
      '-o',
      `-p ${port} -k ${dir} -c listen_addresses=127.0.0.1 -c max_connections=200 ` +
        '-c shared_buffers=256MB -c max_wal_size=4GB',
      '-l',
      `${dir}/log`,
      'start',
    );
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`,
      db = new pg.Client(url);
    await db.connect();
    await db.query(`CREATE TABLE events (id int PRIMARY KEY, eid text);
      CREATE TABLE art (id int PRIMARY KEY, event_id int REFERENCES events, round int, easel int, status text,
        description text);
      CREATE TABLE votes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, art_id int REFERENCES art);
      CREATE TABLE bids (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, art_id int REFERENCES art, amount numeric,
        placed_at timestamptz DEFAULT now());
      CREATE TABLE art_media (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, artwork_id int REFERENCES art);
      INSERT INTO events SELECT n, 'E' || n FROM generate_series(1, 100) n;
      INSERT INTO art SELECT n, 1 + n % 100, 1 + n / 100, n % 100 FROM generate_series(0, 999) n;
      CREATE FUNCTION old_notify() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE a record; BEGIN
        SELECT e.eid, art.round, art.easel INTO a
        FROM art JOIN events e ON e.id = art.event_id WHERE art.id = NEW.art_id;
        PERFORM pg_notify('cache_invalidate_' || a.eid, json_build_object('type', TG_ARGV[0],
          'event_eid', a.eid, 'endpoints', json_build_array('/live/event/' || a.eid),
          'art_id', NEW.art_id, 'round', a.round, 'easel', a.easel,
          'timestamp', extract(epoch FROM clock_timestamp()))::text);
        PERFORM pg_notify('global_cache_stats', json_build_object('event_eid', a.eid, 'table', TG_TABLE_NAME,
          'operation', TG_OP, 'timestamp', extract(epoch FROM now()))::text);
        RETURN NEW; END $$;`);
    const freshet = await server('java', ['-jar', jar], { DATABASE_URL: url, FRESHET_PORT: '0' });
    const peer = await server(process.execPath, [process.argv[1], '--peer', url], {});
    const on = {
      none: 'SELECT live_events_off()',
      freshet: 'SELECT install_live_events()',
      old: `CREATE TRIGGER old_votes AFTER INSERT ON votes FOR EACH ROW EXECUTE FUNCTION old_notify('vote_cast');
        CREATE TRIGGER old_bids AFTER INSERT ON bids FOR EACH ROW EXECUTE FUNCTION old_notify('bid_placed')`,
    };
    const install = async which => {
      await db.query(
        'DROP TRIGGER IF EXISTS old_votes ON votes; DROP TRIGGER IF EXISTS old_bids ON bids; SELECT live_events_off()',
      );
      if (which !== 'none') await db.query(on[which]);
    };
    const latency = async (which, target, readers, events, rate) => {
      await install(which);
      const child = spawn(process.execPath, [process.argv[1], '--readers', `${target.url},${readers},${events}`], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      started.push(child);
      await new Promise(open => child.once('message', open));
      const end = now() + seconds,
        begun = now(),
        cpu = cpuSeconds([target.child.pid]);
      let sent = 0;
      while (now() < end) {
        while (sent < (now() - begun) * rate && now() < end)
          await db.query({
            name: 'vote',
            text: 'INSERT INTO votes (art_id) SELECT id FROM art WHERE event_id = $1 LIMIT 1',
            values: [1 + (sent++ % events)],
          });
        await sleep(1);
      }
      await sleep(1500);
      const result = new Promise(done => child.once('message', done));
      child.send('report');
      const { seen, p50, p99, max } = await result;
      const each = ((cpuSeconds([target.child.pid]) - cpu) / seen) * 1e6;
      return (
        `${which.padEnd(8)} ${sent} events, ${seen} of ${(sent * readers) / events} deliveries, ` +
        `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(0)} ms, CPU ${each.toFixed(1)} µs each`
      );
    };
    for (const [which, target] of [
      ['freshet', freshet],
      ['old', peer],
    ])
      console.log(`warming up: ${await latency(which, target, 1000, 100, 200)}`);
    for (let round = 1; round <= rounds; round++) {
      for (const [what, words, events, rate] of [
        ['many', '200/s on 100 events', 100, 200],
        ['one', '100/s on one event', 1, 100],
      ]) {
        for (const [which, target] of only.includes(what)
          ? [
              ['freshet', freshet],
              ['old', peer],
            ]
          : []) {
          console.log(`round ${round}, ${words}, 1,000 readers: ${await latency(which, target, 1000, events, rate)}`);
        }
      }
    }
    fs.writeFileSync(
      `${dir}/bid.sql`,
      '\\set art random(0, 999)\nINSERT INTO bids (art_id, amount) VALUES (:art, 5);\n',
    );
    const tps = {};
    for (let round = 1; round <= rounds && only.includes('bids'); round++) {
      for (const which of ['none', 'freshet', 'old']) {
        await install(which);
        await db.query('TRUNCATE bids');
        await db.query('CHECKPOINT');
        const out = run(
          'pgbench',
          '-n',
          '-h',
          dir,
          '-p',
          `${port}`,
          '-U',
          'postgres',
          '-f',
          `${dir}/bid.sql`,
          '-M',
          'prepared',
          '-c',
          '32',
          '-j',
          '2',
          '-T',
          '4',
          'postgres',
        );
        (tps[which] ??= []).push(+/tps = ([\d.]+)/.exec(out)[1]);
        for (let waiting = which === 'freshet'; waiting; await sleep(200))
          ({
            rows: [{ waiting }],
          } = await db.query('SELECT EXISTS (SELECT FROM freshet.live_outbox) AS waiting'));
      }
      console.log(
        `round ${round}, bids with 32 clients: ${Object.entries(tps)
          .map(([which, all]) => `${which} ${Math.round(all.at(-1))}/s (${(all.at(-1) / tps.none.at(-1)).toFixed(2)})`)
          .join(', ')}`,
      );
    }
    await db.end();
  } finally {
    started.forEach(child => child.kill('SIGKILL'));
    run('pg_ctl', '-D', `${dir}/data`, '-m', 'immediate', '-w', 'stop');
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
