import type { FetchLike } from '@authseam/core/fetch';
import type { Options } from 'ky';
import { requestMembers } from './called-by-ky.ts';

/** Option by which the `init` hook tells the fetch below: ky hands on what it does not know. */
const NOTE = 'authseamBody';

/**
 * ky makes a `Request` of every call, and Bun and Deno do not say whether the body of a `Request` can be had again. There a hook looks at the options
 * before ky does, and text and bytes are known to be. What may be large, Blob and FormData, is not read into memory, and counts as a stream there.
 *
 * @returns The options that attach `authorized`.
 */
export function withKnownBodies(authorized: FetchLike): Options {
  if (tellsSources()) return { fetch: authorized };
  const fetch: FetchLike = async (input, init = {}) => {
    const { [NOTE]: isKnown, ...rest } = init as Record<string, unknown>;
    // A hook may have put a Request without a body, or with another one, in the place of ky's.
    if (!isKnown || typeof input !== 'object' || !('body' in input) || !input.body) return authorized(input, rest);
    const members = requestMembers.map((name) => [name, input[name]] as const).filter(([, value]) => value !== undefined);
    // Bytes and no Blob: that has a type, and would set a Content-Type where ky sends none.
    return authorized(input.url, { ...rest, ...Object.fromEntries(members), body: await input.arrayBuffer() });
  };
  // Attaching again finds by them what is wrapped.
  Object.defineProperties(fetch, Object.getOwnPropertyDescriptors(authorized));
  return { fetch, hooks: { init: [noteBody] } };
}

function noteBody(options: Options): void {
  const { body, json, onUploadProgress } = options;
  const isKnown = json !== undefined || typeof body === 'string' || body instanceof URLSearchParams;
  if (!onUploadProgress && (isKnown || body instanceof ArrayBuffer || ArrayBuffer.isView(body))) Object.assign(options, { [NOTE]: true });
}

/** Whether this runtime refuses `mode: 'no-cors'` for a stream alone (Fetch standard, `new Request` step 38): by that core tells a body's source. */
function tellsSources(): boolean {
  return refusesWithoutCors(new ReadableStream()) && !refusesWithoutCors('-');
}

function refusesWithoutCors(body: string | ReadableStream): boolean {
  try {
    return !new Request(new Request('https://probe.invalid', { method: 'POST', body, duplex: 'half' } as RequestInit), { mode: 'no-cors' });
  } catch {
    return true;
  }
}
