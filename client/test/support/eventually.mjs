/** Waits for a condition, not for a time; the time is only when to give up. */
export async function eventually(condition, what, patienceMs = 20_000) {
  const end = Date.now() + patienceMs;
  for (;;) {
    const found = await condition();
    if (found) {
      return found;
    }
    if (Date.now() > end) {
      throw new Error(`not within ${patienceMs} ms: ${typeof what === 'function' ? what() : what}`);
    }
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
