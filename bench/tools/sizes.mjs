// How much of everything: the figures of bench/README.md come from FULL; SHORT ends in five minutes and shows only
// that all lines work and roughly where they stand.
export const FULL = {
  tags: 20_000, coldStarts: 2, warmUpRounds: 6, rounds: 5, batchTags: 100_000,
  latencies: 200, idleWait: 30_000, idleWindow: 20_000, settleFor: 8_000,
  writerSeconds: 4, writerWarmUp: 1, writerRounds: 5,
  live: ['--seconds', '15', '--rounds', '3'], invalidate: ['--keys', '1000000', '--seconds', '10'],
  heldDeliveries: 600_000, heldSingles: 100, oldRows: 10_000_000, backlog: 1_000_000,
  edits: 3, starts: 3, longestLine: 45 * 60_000,
};
export const SHORT = {
  tags: 2_000, coldStarts: 1, warmUpRounds: 1, rounds: 2, batchTags: 10_000,
  latencies: 20, idleWait: 3_000, idleWindow: 4_000, settleFor: 2_000,
  writerSeconds: 1, writerWarmUp: 0, writerRounds: 1,
  live: ['--seconds', '1', '--rounds', '1'], invalidate: ['--keys', '100000', '--seconds', '1'],
  heldDeliveries: 6_000, heldSingles: 20, oldRows: 1_000_000, backlog: 20_000,
  edits: 1, starts: 1, longestLine: 90_000,
};
