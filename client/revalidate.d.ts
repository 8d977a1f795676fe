export interface RevalidateOptions {
  /** REVALIDATION_SECRET (for the batch endpoint INTERNAL_API_KEY). A function is asked at each request, e.g. where it is not known at build time. */
  secret?: string | (() => string | undefined);
  /** A second one that is accepted, e.g. INTERNAL_API_KEY where one route serves both. */
  key?: string | (() => string | undefined);
  /** Default: that of `next/cache`. It is called with the tag and `{ expire: 0 }`. */
  revalidateTag?: (tag: string, profile: { expire: number }) => unknown;
  /** How old a signature may be. Default: 300. */
  toleranceSeconds?: number;
}

/** `export const POST = revalidateHandler({ secret: process.env.REVALIDATION_SECRET })`. Throws where no secret is set. */
export function revalidateHandler(options: RevalidateOptions): (request: Request) => Promise<Response>;
