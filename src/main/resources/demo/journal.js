// The console lines of the client in debug mode: they go where they always went, and are shown here as well.
const KEPT = 200;
const OURS = /^(\[BroadcastCacheManager\]|📡 \[BROADCAST\]|(❌ )?\[CACHE\]) /u;

/** Tells `heard(line)` each line `{ n, at, text, details }`. */
export function listen(heard) {
  const lines = [];
  let n = 0;
  const { log } = console;
  console.log = (...args) => {
    log.apply(console, args);
    const [text, ...details] = args;
    if (typeof text !== 'string' || !OURS.test(text)) return;
    const line = { n: ++n, at: Date.now(), text, details: details.map(detail => JSON.stringify(detail)).join(' ') };
    lines.push(line);
    if (lines.length > KEPT) lines.shift();
    heard(line);
  };
  return lines;
}
