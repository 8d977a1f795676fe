// Numbers as they are compared and shown.
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b),
    middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
export const sum = values => values.reduce((a, b) => a + b, 0);

export function show(value, unit = '') {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, digits ? '' : ',')}${unit && ' ' + unit}`;
}
/** "pg-boss 9,120, by hand 2,590" */
export const showAll = values =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${show(value)}`)
    .join(', ');

/**
 * One row of the table. A goal is of the ratio, where there is one, and otherwise of the figure itself.
 * @param goal {atLeast} or {atMost}
 */
export function row(what, { freshet, beside = '', ratio, value = ratio, goal }) {
  const [sign, bound] = goal?.atLeast === undefined ? ['≤', goal?.atMost] : ['≥', goal.atLeast];
  return {
    what,
    freshet,
    beside,
    ratio: ratio === undefined ? '' : ratio.toFixed(2),
    goal: bound === undefined ? '' : `${sign} ${bound.toLocaleString('en')}${goal.unit ? ' ' + goal.unit : ''}`,
    reached: bound === undefined ? '' : (sign === '≥' ? value >= bound : value <= bound) ? 'yes' : 'no',
  };
}
