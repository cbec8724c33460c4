import { impliedContentType, isForm, type ReadBody, readBody, readEncoded, unreadableBody, withFields } from '../request-body.ts';
import type { FetchCall } from './fetch-call.ts';
import { FetchHeaders } from './fetch-headers.ts';
import { settingsOf } from './request-settings.ts';

/**
 * Makes a call's body readable as `readsBody` asks, and finds out whether the body of a `Request` can be sent twice. Synchronous unless the platform
 * has to encode or copy: FormData, a Blob, a Request.
 *
 * @throws {ConfigurationError} when a strategy has to read a body that can be read only once.
 */
export function prepareBody(call: FetchCall, readsBody: 'none' | 'form' | 'bytes'): void | Promise<void> {
  const { source, body } = call;
  const isRead = readsBody === 'bytes' || (readsBody === 'form' && isForm(call.headers.get('content-type') ?? impliedContentType(body)));
  const copy = source && call.isSourceBody && knowsItsSource(source) ? source.clone() : undefined;
  if (copy) {
    let read: Promise<ReadBody> | undefined;
    call.replayable = true;
    call.reread = () => {
      read ??= readEncoded(copy);
      return read;
    };
  }
  if (!isRead || body === undefined || body === null) return undefined;
  if (!call.replayable) throw unreadableBody(call.lane.strategy.name);
  const hold = (read: ReadBody): void => {
    call.read = read;
    call.replayable = true;
  };
  const read = call.reread?.() ?? readBody(body);
  return read instanceof Promise ? read.then(hold) : hold(read);
}

/** `init` with the body that was read, the strategy's form fields, and the Content-Type they need. @throws {ConfigurationError} where no form can go. */
export function withBody(call: FetchCall, init: RequestInit, fields: readonly (readonly [string, string])[]): RequestInit {
  const { body, contentType } = fields.length > 0 || !call.read ? formBody(call, fields) : call.read;
  const headers = new FetchHeaders(init.headers).without(fields.length > 0 ? ['content-length'] : []);
  if (contentType !== undefined && call.headers.get('content-type') === null) headers.push(['Content-Type', contentType]);
  return { ...(call.source && settingsOf(call.source)), method: call.method, ...init, body, headers };
}

/** What is sent in place of a Request that was sent before, or that has to go to another URL. */
export async function withRereadBody(call: FetchCall, init: RequestInit): Promise<RequestInit> {
  const { source, method, reread } = call;
  const again = reread ? { body: repeatable(await reread()) } : { body: call.body, duplex: 'half' };
  return { ...(source && settingsOf(source)), method, ...init, ...again } as RequestInit;
}

/** What was read, as a body that fetch can send on along redirects of its own: bytes it can send only once in Node 22 (undici 6 detaches them). */
export function repeatable({ body }: ReadBody): string | Blob {
  return typeof body === 'string' ? body : new Blob([body]);
}

function formBody(call: FetchCall, fields: readonly (readonly [string, string])[]): ReadBody {
  const { read, method, hops, body } = call;
  const contentType = call.headers.get('content-type') ?? read?.contentType;
  return withFields({ method, hops, read, contentType, isEmpty: body === undefined || body === null }, fields, call.lane.strategy.name);
}

/**
 * Whether the body of `request` can be had again. A `Request` does not say whether it was made from a stream, but the constructor has to know: it
 * refuses `mode: 'no-cors'` for a body without a source (Fetch standard, `new Request` step 38) before it looks whether the body is free. So a body
 * that is locked for the moment tells by the words of the refusal, and nothing is copied or read. Where a runtime does not tell, it counts as a stream.
 */
function knowsItsSource(request: Request): boolean {
  if (runtime?.of !== Request) runtime = { of: Request, words: wordsForText() };
  const { words } = runtime;
  // Bun does not refuse even a locked body, and takes it: there the caller's own is not asked about.
  return words !== '' && words === refusalWithoutCors(request);
}

/** How this runtime refuses what is no stream; empty where it does not tell the two apart. They do not change, and asking is slow. */
let runtime: { readonly of: typeof Request; readonly words: string } | undefined;

function wordsForText(): string {
  const stream = new Request('https://probe.invalid', { method: 'POST', body: new ReadableStream(), duplex: 'half' } as RequestInit);
  const words = refusalWithoutCors(new Request('https://probe.invalid', { method: 'POST', body: '-' }));
  return words === refusalWithoutCors(stream) ? '' : words;
}

function refusalWithoutCors(request: Request): string {
  const reader = request.body?.getReader();
  try {
    new Request(request, { mode: 'no-cors', method: 'POST' });
    return '';
  } catch (error) {
    return String(error);
  } finally {
    reader?.releaseLock();
  }
}
