// Freshet and its peers on one PostgreSQL and one receiver, in alternating rounds: A B C, A B C.
import { show } from './figures.mjs';
import { startFreshet } from './freshet.mjs';
import { quiet, residentMb } from './machine.mjs';
import { PEERS, startPeer } from './peers.mjs';
import { now, sleep, until } from './processes.mjs';

let prefixes = 0;

/** Tags a second, from the first call to the last. */
export async function drain(system, receiver, tags) {
  await receiver.reset();
  await system.insert(tags, `d${prefixes++}`);
  const seen = await until(
    `${tags} tags arrive`,
    async () => {
      const soFar = await receiver.seen();
      system.residentMb = Math.max(system.residentMb ?? 0, residentMb(system.pid));
      return soFar.distinct >= tags && soFar;
    },
    { within: 600_000 },
  );
  await until('nothing is left to do', async () => (await system.left()) === 0, { every: 100 });
  return (tags / (seen.last - seen.first)) * 1000;
}

/** Milliseconds from the commit of one change to its call, with pauses between that no poll can keep step with. */
export async function latencies(system, receiver, count) {
  await receiver.reset();
  const committed = {};
  for (let i = 0; i < count; i++) {
    committed[`one-${i}`] = await system.one(`one-${i}`);
    await sleep(60 + 90 * Math.random());
  }
  await until('all have arrived', async () => (await receiver.seen()).distinct >= count);
  const arrived = await receiver.arrivals();
  return Object.entries(committed).map(([tag, at]) => Math.max(0, arrived[tag] - at));
}

/**
 * Milliseconds from the commit of each change to its call, one at a time and some time apart.
 * @param how `every` so many ms, for `forMs` or until `isOver` says so
 */
export async function changeNowAndThen(system, receiver, { every, forMs = Infinity, isOver = () => false }) {
  const taken = [],
    begun = now(),
    round = prefixes++;
  for (let i = 0; !isOver() && now() - begun < forMs; i++) {
    const tag = `other-${round}-${i}`,
      committed = await system.one(tag);
    const arrived = await until(`${tag} arrives`, () => receiver.arrival(tag), { every: 5, within: 600_000 });
    taken.push(Math.max(0, arrived - committed));
    await sleep(every - ((now() - begun) % every));
  }
  return taken;
}

export class Contest {
  systems = {};
  missing = {};
  #ends = [];
  #cold;
  #warm;
  #usual;

  constructor({ server, receiver, size, say }) {
    Object.assign(this, { server, receiver, size, say });
  }

  /** {name: rate of the first tags after the start}; leaves all systems running */
  cold() {
    return (this.#cold ??= this.#startAll());
  }

  /** {name: rates}: rounds after so many that the JIT compilers are done */
  warm() {
    return (this.#warm ??= this.cold().then(() => this.rounds(this.systems, this.size.tags)));
  }

  /** Freshet with its default settings, which has done nothing since its start, and what it then holds of memory. */
  usual() {
    return (this.#usual ??= (async () => {
      const system = await startFreshet(this.server, this.receiver, { FRESHET_DEBOUNCE: '' });
      this.#ends.push(system);
      await sleep(this.size.idleWait);
      return { system, idleMb: residentMb(system.pid) };
    })());
  }

  async rounds(systems, tags) {
    const rates = {};
    for (let round = -this.size.warmUpRounds; round < this.size.rounds; round++) {
      for (const [name, system] of Object.entries(systems)) {
        await this.quiet(systems);
        const rate = await drain(system, this.receiver, system.tags ?? tags);
        if (round >= 0) (rates[name] ??= []).push(rate);
        this.say(`  ${round < 0 ? 'warm-up' : 'round'}: ${name} ${show(rate)}/s`);
      }
    }
    return rates;
  }

  quiet(systems = this.systems) {
    return quiet(
      Object.values(systems).map(({ pid }) => pid),
      this.size.settleFor,
    );
  }

  async #startAll() {
    const rates = {};
    for (let time = 0; time < this.size.coldStarts; time++) {
      await this.close();
      for (const name of ['Freshet', ...Object.keys(PEERS)]) {
        if (this.missing[name]) continue;
        try {
          await this.quiet();
          this.systems[name] = await this.#start(name);
          (rates[name] ??= []).push(await drain(this.systems[name], this.receiver, this.size.tags));
          this.say(`  cold: ${name} ${show(rates[name].at(-1))}/s`);
        } catch (e) {
          if (name === 'Freshet') throw e;
          await this.#drop(name, e);
          delete rates[name];
        }
      }
    }
    return rates;
  }

  #start(name) {
    return name === 'Freshet' ? startFreshet(this.server, this.receiver) : startPeer(name, this.server, this.receiver);
  }

  async #drop(name, why) {
    this.missing[name] = why.message;
    this.say(`  without ${name}: ${why.message}`);
    await this.systems[name]?.end().catch(() => {});
    delete this.systems[name];
  }

  async close() {
    for (const system of Object.values(this.systems)) await system.end();
    this.systems = {};
  }

  async end() {
    await this.close();
    for (const system of this.#ends.splice(0)) await system.end();
    this.#cold = this.#warm = this.#usual = undefined;
  }
}
