import { AuthError } from '../auth-error.ts';
import type { AuthPatch } from '../auth-strategy.ts';
import { hiddenRedirect } from '../hidden-redirects.ts';
import { headersBoundToOrigin, headersOfBody, type Redirection, redirection } from '../redirect.ts';
import { type Body, bodyGone } from '../request-body.ts';
import { repeatable } from './fetch-body.ts';
import type { FetchCall } from './fetch-call.ts';
import type { FetchLike } from './fetch-like.ts';
import { settingsOf } from './request-settings.ts';

/** A redirect, and the `init` of the request that it leads to. */
export interface FetchHop {
  readonly redirection: Redirection;
  readonly init: RequestInit;
}

/** As many as the Fetch standard follows. */
const MOST_REDIRECTS = 20;

/**
 * The hop that `response` sends `call` to, as fetch itself would take it.
 *
 * @throws {AuthError} past 20 redirects, for a body that is gone, and where a browser hides the redirect and would take a credential along.
 */
export async function nextHop(call: FetchCall, response: Response, { query }: AuthPatch): Promise<FetchHop | undefined> {
  const { url, method, headers, lane, source, hops, read } = call;
  const { name } = lane.strategy;
  if (response.type === 'opaqueredirect') throw hiddenRedirect(url, name);
  const next = redirection({ status: response.status, location: response.headers.get('location') }, { url, method, strategy: name }, query);
  if (!next) return undefined;
  if (hops >= MOST_REDIRECTS) {
    throw new AuthError(`${name}: more than ${MOST_REDIRECTS} redirects.`, { code: 'TOO_MANY_REDIRECTS', strategy: name });
  }
  const body = next.dropsBody ? undefined : await bodyAgain(call, next.url.origin);
  const gone = [...(next.dropsBody ? headersOfBody : []), ...(next.crossOrigin ? headersBoundToOrigin : [])];
  const { body: _, ...rest } = { ...(source && settingsOf(source)), ...call.init };
  const kept = headers.without(gone);
  // What was read is text or bytes now, and would get another media type, or none.
  if (body !== undefined && read?.contentType && headers.get('content-type') === null) kept.push(['Content-Type', read.contentType]);
  return { redirection: next, init: { ...rest, method: next.method, headers: kept, ...(body !== undefined && { body }) } };
}

async function bodyAgain({ body, read, reread, replayable, lane }: FetchCall, origin: string): Promise<Body | undefined> {
  if (read) return repeatable(read);
  if (reread) return repeatable(await reread());
  if (replayable) return body ?? undefined;
  throw bodyGone(origin, lane.strategy.name);
}

/** Past the first hop, responses read as if fetch had followed the redirect itself. */
export function redirectedFetch(fetch: FetchLike): FetchLike {
  return async (input, init) => asRedirected(await fetch(input, init));
}

function asRedirected(response: Response): Response {
  const { clone } = response;
  return Object.defineProperties(response, {
    redirected: { value: true, configurable: true },
    clone: { value: () => asRedirected(clone.call(response)), configurable: true, writable: true },
  });
}
