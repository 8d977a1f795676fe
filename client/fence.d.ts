/** What was given up: `error` is the last thing that its target said. */
export interface GivenUp {
  tag: string;
  target: string;
  error: string | null;
}

export type FenceAnswer = { fresh: true } | { fresh: false; given_up: GivenUp[] };

/**
 * Resolves once everything that the transaction of `token` changed has been delivered to every target, or part of it
 * was given up. Rejects for a token that is not known (a FreshetError of status 404), and after timeoutMs (by default
 * 30,000).
 */
export function waitUntilFresh(token: string, options?: { timeoutMs?: number }): Promise<FenceAnswer>;
