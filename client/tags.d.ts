/** The templates of Freshet's targets that spell tags. */
export type TagProvider =
  'akamai' | 'bunny' | 'cloudflare' | 'cloudfront' | 'fastly' | 'netlify' | 'nginx' | 'redis' | 'varnish' | 'vercel';

/**
 * The tag as Freshet purges it at that provider: `headers.set('Edge-Cache-Tag', tagFor('akamai', 'course:7'))`. No two
 * tags are spelled alike. Throws a TypeError for another provider, or no tag.
 */
export function tagFor(provider: TagProvider, tag: string): string;
