import type { FetchLike } from '@authseam/core/fetch';

/** What ky puts on the `Request`, but for the body; options that are not among these come to `fetch` as they are. */
export const requestMembers: readonly (keyof Request & keyof RequestInit)[] = [
  'method',
  'headers',
  'signal',
  'cache',
  'credentials',
  'integrity',
  'keepalive',
  'mode',
  'redirect',
  'referrer',
  'referrerPolicy',
];

/** A `fetch` of the user, called as ky calls it, replays and redirects included: everything on a `Request`, the options of others beside it. */
export function calledByKy(fetch: FetchLike): FetchLike {
  const onRequest = new Set<string>([...requestMembers, 'body', 'duplex']);
  return (input, init = {}) => {
    const others = Object.entries(init).filter(([name]) => !onRequest.has(name));
    return fetch(new Request(input, init), Object.fromEntries(others));
  };
}
