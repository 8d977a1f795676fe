// Makes the pictures of the documents from a Freshet that runs: node docs/images/make.mjs
// Needs target/freshet.jar (mvn -DskipTests package), and chromium with chromedriver on the path.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

const images = path.dirname(fileURLToPath(import.meta.url));
const repository = path.join(images, '..', '..');
const work = mkdtempSync(path.join(tmpdir(), 'freshet-pictures-'));
const started = [];

/** Starts a program and waits for a line that says where it listens. */
function start(command, args, options, pattern) {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  return new Promise((found, failed) => {
    child.once('error', failed);
    child.once('exit', code => failed(new Error(`${command} ended with ${code}`)));
    readline.createInterface({ input: child.stdout }).on('line', line => {
      const match = pattern.exec(line);
      if (match) found(match[1]);
    });
  });
}

async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Until the page shows none of what it shows while it waits. */
async function picture(driver, session, name, url, act) {
  await post(`${driver}/session/${session}/url`, { url });
  const script = 'return !/Loading …|Not known/.test(document.body.innerText)';
  for (let tries = 0; tries < 200; tries++) {
    const ready = await post(`${driver}/session/${session}/execute/sync`, { script, args: [] });
    if (ready.value) break;
    await new Promise(go => setTimeout(go, 100));
  }
  await act();
  const shot = await (await fetch(`${driver}/session/${session}/screenshot`)).json();
  writeFileSync(path.join(images, `${name}.png`), Buffer.from(shot.value, 'base64'));
}

try {
  for (const part of ['routes', 'application.properties']) {
    cpSync(path.join(repository, part), path.join(work, part), { recursive: true });
  }
  const env = { ...process.env, FRESHET_PORT: '0', FRESHET_DB_PORT: '0' };
  const jar = path.join(repository, 'target', 'freshet.jar');
  const freshet = await start('java', ['-jar', jar], { cwd: work, env }, /Freshet is listening on (http:\S+)/);
  const port = await start('chromedriver', ['--port=0'], {}, /started successfully on port (\d+)/);
  const driver = `http://127.0.0.1:${port}`;
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--hide-scrollbars'];
  const options = { args: [...args, '--disable-background-networking', '--window-size=1280,800'] };
  const opened = await post(`${driver}/session`, {
    capabilities: { alwaysMatch: { 'goog:chromeOptions': options } },
  });
  const session = opened.value.sessionId;
  const change = action => post(`${freshet}/demo/actions/${action}`, { round: 1, easel: 4 });
  const pause = seconds => new Promise(go => setTimeout(go, seconds * 1000));

  for (const action of ['course', 'vote', 'bid', 'course', 'bid']) await change(action);
  await pause(8); // all of it is out
  await picture(driver, session, 'console', `${freshet}/admin/info`, () => pause(2));
  await picture(driver, session, 'demo', `${freshet}/demo`, async () => {
    await change('course');
    await change('bid');
    await pause(1); // the bid has arrived, the course's page is stale still
  });
  await fetch(`${driver}/session/${session}`, { method: 'DELETE' });
} finally {
  for (const child of started.reverse()) {
    child.removeAllListeners('exit');
    const ended = new Promise(go => child.once('exit', go));
    if (child.exitCode === null) {
      child.kill();
      await ended;
    }
  }
  rmSync(work, { recursive: true, force: true });
}
