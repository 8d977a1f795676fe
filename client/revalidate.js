/** A clock may be off by as much; Standard Webhooks suggests five minutes. */
const TOLERANCE_SECONDS = 300;
/** As much as Freshet itself takes. */
const MAX_BODY_BYTES = 1 << 20;
const MAX_TAG_CHARACTERS = 256;
const MAX_PROFILE_CHARACTERS = 1024;
/** With the profile 'max' the next visitor would get the stale page once more. */
const AT_ONCE = { expire: 0 };

const utf8 = new TextEncoder();

/**
 * A Next.js route handler for Freshet's calls: `export const POST = revalidateHandler({ secret:
 * process.env.REVALIDATION_SECRET })`. It runs on Node and on the Edge runtime.
 */
export function revalidateHandler({ secret, key, revalidateTag, profile, toleranceSeconds = TOLERANCE_SECONDS } = {}) {
  const accepted = [secret, key].filter(given => given !== undefined && given !== null && given !== '');
  if (accepted.length === 0) {
    throw new Error(
      'revalidateHandler: no secret. Set REVALIDATION_SECRET to what Freshet has' +
        ' (for the batch endpoint INTERNAL_API_KEY) and pass it as { secret }',
    );
  }
  if (!accepted.every(given => typeof given === 'string' || typeof given === 'function')) {
    throw new TypeError('revalidateHandler: secret and key must be strings, or functions that return one');
  }
  accepted.filter(given => typeof given === 'string').forEach(signingKey);
  if (revalidateTag !== undefined && typeof revalidateTag !== 'function') {
    throw new TypeError('revalidateHandler: revalidateTag must be a function');
  }
  if (profile !== undefined && !isProfile(profile)) {
    throw new TypeError("revalidateHandler: profile must be a name such as 'max', or an object such as { expire: 60 }");
  }
  if (!(toleranceSeconds >= 0)) {
    throw new TypeError('revalidateHandler: toleranceSeconds must be a number of 0 or more');
  }

  return async function POST(request) {
    try {
      const secrets = accepted.map(given => (typeof given === 'function' ? given() : given)).filter(Boolean);
      if (secrets.length === 0) {
        throw new Refused(503, 'the secret is not set here');
      }
      const shown = await credentials(request, secrets);
      if (!shown.matches && !shown.signed) {
        throw new Refused(
          401,
          shown.any
            ? 'the secret is not the one that is set here'
            : 'x-revalidation-secret, Authorization: Bearer or webhook-signature: required',
        );
      }
      const text = await body(request);
      if (!shown.matches && !(await isSigned(request.headers, text, secrets, toleranceSeconds))) {
        throw new Refused(401, 'webhook-signature: is not by the secret that is set here, or too old');
      }
      const call = parsed(text);
      return await revalidate(call, call.profile ?? profile ?? AT_ONCE, revalidateTag ?? (await nextRevalidateTag()));
    } catch (error) {
      if (error instanceof Refused) {
        return answer(error.status, { error: error.message });
      }
      console.error('revalidateHandler:', error);
      return answer(500, { error: 'the tags could not be revalidated' });
    }
  };
}

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function credentials({ headers }, secrets) {
  const plain = headers.get('x-revalidation-secret');
  const bearer = /^bearer +(\S.*)$/i.exec(headers.get('authorization') ?? '')?.[1];
  const given = [plain, bearer].filter(value => value !== null && value !== undefined && value !== '');
  let matches = false;
  for (const value of given) {
    for (const secret of secrets) {
      matches = (await isEqual(bytesOfHeader(value), utf8.encode(secret))) || matches;
    }
  }
  const signed = headers.get('webhook-signature') !== null;
  return { matches, signed, any: given.length > 0 || signed };
}

/**
 * https://www.standardwebhooks.com: HMAC-SHA256 over id.timestamp.body; several signatures stand there while a secret
 * is exchanged.
 */
async function isSigned(headers, text, secrets, toleranceSeconds) {
  const id = headers.get('webhook-id');
  const timestamp = headers.get('webhook-timestamp');
  if (
    !id ||
    !/^[0-9]{1,15}$/.test(timestamp ?? '') ||
    Math.abs(Date.now() / 1000 - Number(timestamp)) > toleranceSeconds
  ) {
    return false;
  }
  const signatures = headers
    .get('webhook-signature')
    .split(' ')
    .filter(part => part.startsWith('v1,'))
    .slice(0, 16);
  let signed = false;
  for (const secret of secrets) {
    const hmac = await crypto.subtle.importKey('raw', signingKey(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
      'sign',
    ]);
    const expected = base64(
      new Uint8Array(await crypto.subtle.sign('HMAC', hmac, utf8.encode(`${id}.${timestamp}.${text}`))),
    );
    for (const signature of signatures) {
      signed = (await isEqual(utf8.encode(signature.slice(3)), utf8.encode(expected))) || signed;
    }
  }
  return signed;
}

function signingKey(secret) {
  if (!secret.startsWith('whsec_')) {
    return utf8.encode(secret);
  }
  try {
    return Uint8Array.from(atob(secret.slice('whsec_'.length)), character => character.charCodeAt(0));
  } catch {
    throw new Error('revalidateHandler: what follows whsec_ in the secret must be base64');
  }
}

/** Digests first: of the same length always, so that neither content nor length shows in the time. */
async function isEqual(left, right) {
  const [a, b] = await Promise.all(
    [left, right].map(async bytes => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))),
  );
  let difference = 0;
  for (let i = 0; i < a.length; i++) {
    difference |= a[i] ^ b[i];
  }
  return difference === 0;
}

/** Headers are read as Latin-1; these are the bytes as they were sent. */
function bytesOfHeader(value) {
  return [...value].every(character => character.charCodeAt(0) < 256)
    ? Uint8Array.from(value, character => character.charCodeAt(0))
    : utf8.encode(value);
}

function base64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

async function body(request) {
  if (Number(request.headers.get('content-length')) > MAX_BODY_BYTES) {
    throw new Refused(413, `body: at most ${MAX_BODY_BYTES} bytes`);
  }
  if (!request.body) {
    return '';
  }
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const reader = request.body.getReader();
  let text = '';
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.byteLength;
    if (size > MAX_BODY_BYTES) {
      await reader.cancel();
      throw new Refused(413, `body: at most ${MAX_BODY_BYTES} bytes`);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

function parsed(text) {
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Refused(400, 'body: must be JSON');
  }
  const isObject = json !== null && typeof json === 'object' && !Array.isArray(json);
  if (!isObject || (json.tag === undefined && json.tags === undefined)) {
    throw new Refused(400, 'tag: required, or tags');
  }
  if (json.tags !== undefined && !(Array.isArray(json.tags) && json.tags.length > 0)) {
    throw new Refused(400, 'tags: must be an array with at least one tag');
  }
  const tags = [...(json.tag === undefined ? [] : [json.tag]), ...(json.tags ?? [])];
  const offset = tags.length - (json.tags ?? []).length;
  tags.forEach((tag, i) => {
    if (typeof tag !== 'string' || tag === '' || [...tag].length > MAX_TAG_CHARACTERS) {
      const name = i < offset ? 'tag' : `tags[${i - offset}]`;
      throw new Refused(400, `${name}: must be a string of 1 to ${MAX_TAG_CHARACTERS} characters`);
    }
  });
  if (json.profile !== undefined && json.profile !== null && !isProfile(json.profile)) {
    throw new Refused(400, `profile: must be a name of 1 to ${MAX_PROFILE_CHARACTERS} characters or an object`);
  }
  // only the batch target reads which tags an answer names; to the other any 2xx is success for all
  return { tags: [...new Set(tags)], profile: json.profile, readsFailedTags: json.source !== undefined };
}

function isProfile(given) {
  const isName = typeof given === 'string' && given !== '' && given.length <= MAX_PROFILE_CHARACTERS;
  return isName || (given !== null && typeof given === 'object' && !Array.isArray(given));
}

async function revalidate({ tags, readsFailedTags }, profile, revalidateTag) {
  const failed = [];
  for (const tag of tags) {
    try {
      // Next.js before 16 takes one argument and ignores this one
      await revalidateTag(tag, profile);
    } catch (error) {
      console.error(`revalidateHandler: ${tag} could not be revalidated:`, error);
      failed.push(tag);
    }
  }
  const invalidated = tags.length - failed.length;
  if (failed.length === 0) {
    return answer(200, { success: true, revalidated: true, invalidated, now: Date.now() });
  }
  const inPart = readsFailedTags && invalidated > 0;
  return answer(inPart ? 207 : 500, {
    success: false,
    revalidated: false,
    invalidated,
    failed_tags: failed,
    now: Date.now(),
    error: `${failed.length} of ${tags.length} tags could not be revalidated`,
  });
}

async function nextRevalidateTag() {
  // inside try, so that a bundler of an app without Next.js lets it pass
  try {
    return (await import('next/cache')).revalidateTag;
  } catch (error) {
    throw new Error('revalidateHandler: there is no next/cache here; pass { revalidateTag }', { cause: error });
  }
}

function answer(status, json) {
  return Response.json(json, { status, headers: { 'cache-control': 'no-store' } });
}
