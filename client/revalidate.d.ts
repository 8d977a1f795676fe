/** What Next.js takes as second argument of `revalidateTag`: a name such as `'max'`, or an object. */
export type RevalidateProfile = string | { expire?: number };

export interface RevalidateOptions {
  /**
   * REVALIDATION_SECRET (for the batch endpoint INTERNAL_API_KEY). A function is asked at each request, e.g. where it
   * is not known at build time.
   */
  secret?: string | (() => string | undefined);
  /** A second one that is accepted, e.g. INTERNAL_API_KEY where one route serves both. */
  key?: string | (() => string | undefined);
  /** Default: that of `next/cache`. It is called with the tag and its profile. */
  revalidateTag?: (tag: string, profile: any) => unknown;
  /** For tags of which Freshet sends no profile (`cache_invalidation_policy`). Default: `{ expire: 0 }`. */
  profile?: RevalidateProfile;
  /** How old a signature may be. Default: 300. */
  toleranceSeconds?: number;
}

/** `export const POST = revalidateHandler({ secret: process.env.REVALIDATION_SECRET })`. Throws without a secret. */
export function revalidateHandler(options: RevalidateOptions): (request: Request) => Promise<Response>;
