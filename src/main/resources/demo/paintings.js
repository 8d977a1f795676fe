// What hangs on the easels: drawn from round and easel, the same in every window.
import { s } from '/admin/assets/dom.js';

const PALETTES = [
  ['#f3dcb8', '#e7a977', '#c9694f', '#6e4159', '#2f2a48', '#fff3d6'],
  ['#dfe9e4', '#a9c7c1', '#5e94a0', '#2d5f77', '#1b3147', '#f6c667'],
  ['#f6ead0', '#d9c27e', '#9dac5c', '#55793f', '#26432f', '#e5684d'],
  ['#f5d8d2', '#e59c9a', '#b75d78', '#6b3b66', '#32254b', '#f9c784'],
  ['#e4e2ee', '#b7b3d6', '#7f80b8', '#485390', '#232b5c', '#f4d58d'],
  ['#fbe9c6', '#f2bd5b', '#dc7b3c', '#8f3f35', '#3d2230', '#7fb6ad'],
];

/** Always the same from 0 to 1 for the same seed. */
function dice(seed) {
  let state = (seed * 2654435761) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const n = value => value.toFixed(1);

function strokes(round, easel) {
  const roll = dice(round * 97 + easel * 13);
  const [sky, far, middle, near, dark, light] = PALETTES[(easel + round) % PALETTES.length];
  const sun = { x: 20 + roll() * 80, y: 14 + roll() * 22, r: 6 + roll() * 8 };
  const band = (y, swing, fill) => {
    let d = `M-10 ${n(y)}`;
    for (let x = -10; x < 130; x += 28)
      d += ` q${n(7 + roll() * 6)} ${n((roll() - 0.5) * swing)} 28 ${n((roll() - 0.5) * swing * 0.55)}`;
    return s('path', { d: d + ' V110 H-10 Z', fill });
  };
  const figures = Array.from({ length: 2 + Math.floor(roll() * 4) }, () => {
    const x = 12 + roll() * 96,
      h = 8 + roll() * 20,
      w = 3 + roll() * 7;
    return s('path', {
      d: `M${n(x)} 80 v${n(-h)} l${n(w / 2)} ${n(-w * 0.7)} l${n(w / 2)} ${n(w * 0.7)} v${n(h)} Z`,
      fill: roll() > 0.4 ? dark : near,
    });
  });
  return [
    s('rect', { x: -10, y: -10, width: 140, height: 110, fill: sky }),
    s('circle', { cx: n(sun.x), cy: n(sun.y), r: n(sun.r), fill: light }),
    band(40 + roll() * 8, 26, far),
    band(54 + roll() * 6, 20, middle),
    figures,
    band(72 + roll() * 5, 12, near),
    s('path', {
      d: `M${n(10 + roll() * 30)} 84 q20 ${n(-4 - roll() * 8)} 44 0 t40 -2`,
      stroke: light,
      'stroke-width': 1.4,
      fill: 'none',
      'stroke-linecap': 'round',
      opacity: 0.8,
    }),
  ];
}

/** Without a label, its name stands beside it. */
const called = label => (label ? { role: 'img', 'aria-label': label } : { 'aria-hidden': 'true' });

export const painting = (round, easel, label) =>
  s(
    'svg',
    { class: 'painting', viewBox: '0 0 120 90', ...called(label), 'data-own': '', key: `p${round}-${easel}` },
    strokes(round, easel),
  );

/** Somebody held up a phone: no two alike. */
export function photo(id, round, easel, label) {
  const roll = dice(id + 7);
  const turn = (roll() - 0.5) * 16,
    scale = 0.58 + roll() * 0.22;
  return s(
    'svg',
    { class: 'painting', viewBox: '0 0 120 90', ...called(label), 'data-own': '' },
    s('rect', { width: 120, height: 90, fill: roll() > 0.5 ? '#cfc7bb' : '#3a3733' }),
    s('rect', { y: 68, width: 120, height: 22, fill: '#7d6a55' }),
    s(
      'g',
      {
        transform:
          `translate(${n(60 + (roll() - 0.5) * 16)} ${n(42 + (roll() - 0.5) * 8)}) ` +
          `rotate(${n(turn)}) scale(${scale.toFixed(2)}) translate(-60 -45)`,
      },
      s('rect', { x: -5, y: -5, width: 130, height: 100, fill: '#2a221b' }),
      s('svg', { x: 0, y: 0, width: 120, height: 90, viewBox: '0 0 120 90' }, strokes(round, easel)),
    ),
  );
}
