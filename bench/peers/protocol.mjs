// What a peer is told, one command a line, and what it answers, one line of JSON each:
//   insert N PREFIX    so many jobs, PREFIX-0 and on     one TAG    one job; answers when it had committed
//   left               how many jobs are not done
import readline from 'node:readline';
import { Agent, request } from 'undici';

export const database = process.env.PEER_DATABASE,
  target = process.env.PEER_TARGET;
const dispatcher = new Agent({ connections: 64, pipelining: 1 });
const now = () => performance.timeOrigin + performance.now();

/** One call, as Freshet makes it. */
export async function post(tag) {
  const answer = await request(target, {
    method: 'POST',
    dispatcher,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tag }),
  });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
}

export async function serve({ insert, one, left }) {
  const say = answer => console.log(JSON.stringify(answer));
  say({ ready: true });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, subject, prefix] = line.split(' ');
    try {
      if (command === 'insert') await insert(Array.from({ length: +subject }, (_, i) => `${prefix}-${i}`));
      if (command === 'one') await one(subject);
      say({ at: now(), left: command === 'left' ? await left() : undefined });
    } catch (e) {
      say({ error: e.message });
    }
  }
}
