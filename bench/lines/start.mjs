// start until it listens, its own database there: java -jar, and the shipped launcher
import { median, row, show } from '../tools/figures.mjs';
import { hasLauncher, JAVA_JAR, launch, LAUNCHER } from '../tools/freshet.mjs';
import { sleep, temporaryFolder } from '../tools/processes.mjs';

export async function measure({ size }) {
  const rows = [];
  for (const [how, command, atMost] of [
    ['java -jar', JAVA_JAR, 3],
    ['shipped launcher', LAUNCHER, 1.5],
  ]) {
    if (command === LAUNCHER && !hasLauncher) {
      rows.push(
        row(`start until it listens, ${how}`, {
          freshet: 'there is no target/freshet',
          value: NaN,
          goal: { atMost, unit: 's' },
        }),
      );
      continue;
    }
    const folder = temporaryFolder(),
      taken = [];
    for (let time = 0; time <= size.starts; time++) {
      // the first one makes the database
      const freshet = await launch({}, { command, folder });
      taken.push(freshet.startMs);
      await freshet.stop();
      await sleep(500);
    }
    const seconds = median(taken.slice(1)) / 1000;
    rows.push(
      row(`start until it listens, own database there, ${how}`, {
        freshet: show(seconds, 's'),
        value: seconds,
        goal: { atMost, unit: 's' },
      }),
    );
  }
  return rows;
}
