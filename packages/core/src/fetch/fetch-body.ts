import { appendForm } from '../apply-patch.ts';
import { ConfigurationError } from '../auth-error.ts';
import type { FetchCall } from './fetch-call.ts';
import { isOneShot } from './is-one-shot.ts';
import { settingsOf } from './request-settings.ts';

/** A body that can be sent any number of times, and read by a strategy. */
export interface ReadBody {
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Content-Type that goes with it where the caller set none. */
  readonly contentType: string | undefined;
}

const FORM = 'application/x-www-form-urlencoded';

/**
 * Makes a call's body readable as `readsBody` asks, and finds out whether the body of a `Request` can be sent twice. Synchronous unless the platform
 * has to encode or copy: FormData, a Blob, a Request.
 *
 * @throws {ConfigurationError} when a strategy has to read a body that can be read only once.
 */
export function prepareBody(call: FetchCall, readsBody: 'none' | 'form' | 'bytes'): void | Promise<void> {
  const { source, body } = call;
  const isRead = readsBody === 'bytes' || (readsBody === 'form' && isForm(call.headers.get('content-type') ?? impliedContentType(body)));
  const copy = source && body === source.body ? copyOfReplayable(source) : undefined;
  if (copy && !isRead) {
    call.replayable = true;
    call.reread = () => readRequest(copy);
    return undefined;
  }
  if (!isRead || body === null || body === undefined) return undefined;
  if (isOneShot(body) && !copy) {
    const { name } = call.lane.strategy;
    const message = `${name} signs the body, and a stream can be read only once. Send a string, bytes, a Blob, URLSearchParams or FormData.`;
    throw new ConfigurationError(message, { option: 'body', strategy: name });
  }
  const hold = (read: ReadBody): void => {
    call.read = read;
    call.replayable = true;
  };
  const read = copy ? readRequest(copy) : readBody(body);
  return read instanceof Promise ? read.then(hold) : hold(read);
}

/** `init` with the body that was read, the strategy's form fields, and the Content-Type they need. @throws {ConfigurationError} where no form can go. */
export function withBody(call: FetchCall, init: RequestInit, fields: readonly (readonly [string, string])[]): RequestInit {
  const { body, contentType } = fields.length > 0 || !call.read ? formBody(call, fields) : call.read;
  const added = contentType !== undefined && call.headers.get('content-type') === null;
  return {
    ...(call.source && settingsOf(call.source)),
    method: call.method,
    ...init,
    body,
    ...(added && { headers: [...new Headers(init.headers), ['Content-Type', contentType]] as [string, string][] }),
  };
}

/** What is sent in place of a Request that was sent before, or that has to go to another URL. */
export async function withRereadBody({ source, method, body, reread }: FetchCall, init: RequestInit): Promise<RequestInit> {
  const again = reread ? { body: (await reread()).body } : { body, duplex: 'half' };
  return { ...(source && settingsOf(source)), method, ...init, ...again } as RequestInit;
}

function formBody(call: FetchCall, fields: readonly (readonly [string, string])[]): ReadBody {
  const { read, method } = call;
  const isEmpty = call.body === undefined || call.body === null;
  const canCarry = isEmpty ? !/^(?:GET|HEAD)$/i.test(method) : read && isForm(call.headers.get('content-type') ?? read.contentType);
  if (!canCarry) {
    const message = `Form fields of a strategy need a ${FORM} body, a method other than ${method === 'POST' ? 'GET' : method}, and \`readsBody: 'form'\`.`;
    throw new ConfigurationError(message, { option: 'form', strategy: call.lane.strategy.name });
  }
  return { body: appendForm(read?.body, fields), contentType: `${FORM};charset=UTF-8` };
}

/** Whether `contentType` is that of a form, in any case and with any parameters. */
function isForm(contentType: string | null | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === FORM;
}

/** The media type that fetch gives `body` where the caller sets none. */
function impliedContentType(body: unknown): string | undefined {
  if (typeof body === 'string') return 'text/plain;charset=UTF-8';
  if (body instanceof URLSearchParams) return `${FORM};charset=UTF-8`;
  return body instanceof Blob && body.type !== '' ? body.type : undefined;
}

function readBody(body: BodyInit): ReadBody | Promise<ReadBody> {
  const contentType = impliedContentType(body);
  if (typeof body === 'string') return { body, contentType };
  if (body instanceof URLSearchParams) return { body: body.toString(), contentType };
  if (body instanceof ArrayBuffer) return { body: new Uint8Array(body), contentType };
  if (ArrayBuffer.isView(body)) return { body: new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength), contentType };
  return readEncoded(new Response(body));
}

/** Lets the platform encode what only it can: the boundary of FormData, the bytes of a Blob. */
async function readEncoded(encoded: Request | Response): Promise<ReadBody> {
  return { body: new Uint8Array(await encoded.arrayBuffer()), contentType: encoded.headers.get('content-type') ?? undefined };
}

function readRequest(copy: Request): Promise<ReadBody> {
  return readEncoded(copy.clone());
}

/**
 * A copy of `request` whose body can be read later, or `undefined` when its body is a one-shot stream. A `Request` does not say which it was made
 * from, but the constructor has to know: it refuses `mode: 'no-cors'` for a body without a source (Fetch standard, `new Request` step 38). The probe
 * is a clone that is cancelled before anything is read, so a stream is not buffered.
 */
function copyOfReplayable(request: Request): Request | undefined {
  return !isRefusedWithoutCors(request.clone()) && tellsStreams() ? request.clone() : undefined;
}

/** Whether this runtime's `Request` tells the two apart; where it does not, every Request body counts as one-shot. */
function tellsStreams(): boolean {
  return isRefusedWithoutCors(
    new Request('https://probe.invalid', { method: 'POST', body: new ReadableStream(), duplex: 'half' } as RequestInit),
  );
}

function isRefusedWithoutCors(probe: Request): boolean {
  let probed = probe;
  try {
    probed = new Request(probe, { mode: 'no-cors', method: 'POST' });
  } catch {
    return true;
  } finally {
    probed.body?.cancel().catch(() => {}); // nobody reads it: how the cancellation ends is of no interest
  }
  return false;
}
