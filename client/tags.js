const SMALL = 'abcdefghijklmnopqrstuvwxyz0123456789';
const LETTERS = `${SMALL}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
/** What else there is of visible ASCII, but for , and ~. */
const MARKS = '!"#$%&\'()*+-./:;<=>?@[\\]^_`{|}';
const DIGEST = 40;

/** What each provider takes as it is, and how much of it. Where one ignores case, a capital letter is escaped. */
const PROVIDERS = {
  cloudflare: { allowed: SMALL + MARKS, longest: 1024 },
  fastly: { allowed: LETTERS + MARKS, longest: 1024 },
  vercel: { allowed: LETTERS + MARKS, longest: 256 },
  netlify: { allowed: SMALL + MARKS, longest: 1024 },
  bunny: { allowed: `${SMALL}-_.:/`, longest: 256 },
  cloudfront: { allowed: SMALL + MARKS.replace('*', ''), longest: 256 },
  akamai: { allowed: `${LETTERS}!#$%'+./^_\`|-`, longest: 128 },
  varnish: { allowed: `${LETTERS}-_.:/@=`, longest: 256 },
  nginx: { allowed: `${LETTERS}-_.:/@=&?`, longest: 1024, isPath: true },
  redis: {},
};

/** The tag as Freshet purges it at that provider: what the app writes into its header of tags. */
export function tagFor(provider, tag) {
  const rule = Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined;
  if (rule === undefined) {
    throw new TypeError(`tagFor: "${provider}" is no provider: write one of ${Object.keys(PROVIDERS).join(', ')}`);
  }
  if (typeof tag !== 'string' || tag === '') {
    throw new TypeError('tagFor: the tag must be a text of 1 to 256 characters');
  }
  if (rule.allowed === undefined) {
    return tag;
  }
  const bytes = new TextEncoder().encode(tag);
  let spelled = rule.isPath && !tag.startsWith('/') ? '/~~' : '';
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte);
    // in a path, //, /./ and /../ are not what they are in a tag
    const isLost = rule.isPath && spelled.endsWith('/') && (letter === '.' || letter === '/');
    spelled += rule.allowed.includes(letter) && !isLost ? letter : `~${byte.toString(16).padStart(2, '0')}`;
  }
  return spelled.length <= rule.longest
    ? spelled
    : `${spelled.slice(0, rule.longest - DIGEST - 2)}~~${sha256(bytes).slice(0, DIGEST)}`;
}

/** Of its own: an edge runtime has a digest that is awaited, and node:crypto is nowhere else. */
function sha256(message) {
  const [constants, hash] = roots();
  const length = message.length;
  const padded = new Uint8Array(((length + 72) >> 6) << 6);
  padded.set(message);
  padded[length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, length * 8);
  for (let block = 0; block < padded.length; block += 64) {
    addBlock(hash, constants, new DataView(padded.buffer, block, 64));
  }
  return hash.map(word => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function addBlock(hash, constants, block) {
  const words = Array.from({ length: 64 }, (_, i) => (i < 16 ? block.getUint32(i * 4) | 0 : 0));
  const turn = (word, by) => (word >>> by) | (word << (32 - by));
  for (let i = 16; i < 64; i++) {
    const early = turn(words[i - 15], 7) ^ turn(words[i - 15], 18) ^ (words[i - 15] >>> 3);
    const late = turn(words[i - 2], 17) ^ turn(words[i - 2], 19) ^ (words[i - 2] >>> 10);
    words[i] = (words[i - 16] + early + words[i - 7] + late) | 0;
  }
  let [a, b, c, d, e, f, g, h] = hash;
  for (let i = 0; i < 64; i++) {
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + constants[i] + words[i]) | 0;
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [a, b, c, d, e, f, g, h] = [(first + second) | 0, a, b, c, (d + first) | 0, e, f, g];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    hash[i] = (hash[i] + word) | 0;
  });
}

/** The first bits of the cube roots of 64 primes, and of the square roots of 8, as the standard has them. */
function roots() {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) {
    if (primes.every(prime => n % prime !== 0)) {
      primes.push(n);
    }
  }
  const bits = root => Math.floor((root - Math.floor(root)) * 0x100000000) | 0;
  return [primes.map(prime => bits(Math.cbrt(prime))), primes.slice(0, 8).map(prime => bits(Math.sqrt(prime)))];
}
