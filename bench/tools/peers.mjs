// The peers, each a process of its own that takes one command a line (bench/peers/protocol.mjs) and answers in JSON.
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { root } from './machine.mjs';
import { start } from './processes.mjs';

const folder = path.join(root, 'bench', 'peers');
const node = file => [process.execPath, path.join(folder, file)];
const scheduler = path.join(folder, 'db-scheduler', 'target');

export const PEERS = {
  'pg-boss': node('pg-boss.mjs'),
  'graphile-worker': node('graphile-worker.mjs'),
  'db-scheduler': [
    'java',
    '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
    '-cp',
    `${scheduler}/peer.jar:${scheduler}/lib/*`,
    'Peer',
  ],
  'by hand': node('by-hand.mjs'),
};

export async function startPeer(name, server, receiver) {
  if (name === 'db-scheduler' && !fs.existsSync(`${scheduler}/peer.jar`)) throw new Error('it could not be built');
  const database = await server.database(),
    [command, ...args] = PEERS[name];
  const { child, pid, kill, ended } = start(command, args, {
    env: {
      ...process.env,
      PEER_DATABASE: database.url,
      PEER_TARGET: `${receiver.url}/api/revalidate`,
      PEER_JDBC: `jdbc:postgresql://127.0.0.1:${database.port}/${database.name}?user=postgres`,
    },
  });
  let complaint = '';
  child.stderr.on('data', text => {
    complaint = (complaint + text).slice(-600);
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`${name} has ended: ${complaint}`);
    const said = JSON.parse(value);
    if (said.error) throw new Error(`${name}: ${said.error}`);
    return said;
  };
  const ask = question => {
    child.stdin.write(question + '\n');
    return answer();
  };
  ended.then(({ error }) => {
    complaint += error?.message ?? '';
  });
  await answer();
  return {
    pid,
    database,
    insert: (n, prefix) => ask(`insert ${n} ${prefix}`),
    one: async tag => (await ask(`one ${tag}`)).at,
    left: async () => (await ask('left')).left,
    async end() {
      await kill();
      await database.drop();
    },
  };
}
