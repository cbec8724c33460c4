import { appendForm } from '../apply-patch.ts';
import { ConfigurationError } from '../auth-error.ts';

/** A body that can be sent any number of times, and read by a strategy. */
export interface ReadBody {
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Content-Type that goes with it where the caller set none. */
  readonly contentType: string | undefined;
}

const FORM = 'application/x-www-form-urlencoded';

/** Whether `body` is read by sending it: streams and async iterables. Anything else can be sent again. */
export function isOneShot(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body);
}

/** Whether `contentType` is that of a form, in any case and with any parameters. */
export function isForm(contentType: string | null | undefined): boolean {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase() === FORM;
}

/** The media type that fetch gives `body` where the caller sets none. */
export function impliedContentType(body: unknown): string | undefined {
  if (typeof body === 'string') return 'text/plain;charset=UTF-8';
  if (body instanceof URLSearchParams) return `${FORM};charset=UTF-8`;
  return body instanceof Blob && body.type !== '' ? body.type : undefined;
}

/**
 * `body` as the bytes or the text that go on the wire.
 *
 * @returns Synchronously unless it is a Blob, a form with files, or the like.
 */
export function readBody(body: NonNullable<BodyInit>): ReadBody | Promise<ReadBody> {
  const contentType = impliedContentType(body);
  if (typeof body === 'string') return { body, contentType };
  if (body instanceof URLSearchParams) return { body: body.toString(), contentType };
  if (body instanceof ArrayBuffer) return { body: new Uint8Array(body), contentType };
  if (ArrayBuffer.isView(body)) return { body: new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength), contentType };
  return readEncoded(body);
}

/** Lets the platform encode what only it can: the boundary of FormData, the bytes of a Blob. */
async function readEncoded(body: BodyInit): Promise<ReadBody> {
  const encoded = new Response(body);
  return { body: new Uint8Array(await encoded.arrayBuffer()), contentType: encoded.headers.get('content-type') ?? undefined };
}

/**
 * A form body with the strategy's fields, and the Content-Type it needs.
 *
 * @throws {ConfigurationError} when the body is no form, or the strategy did not ask to read it.
 */
export function formBody(
  read: ReadBody | undefined,
  request: { readonly hasBody: boolean; readonly contentType: string | null; readonly method: string },
  fields: readonly (readonly [string, string])[],
): ReadBody {
  const canCarry = read ? isForm(request.contentType ?? read.contentType) : !request.hasBody && !/^(?:GET|HEAD)$/i.test(request.method);
  if (!canCarry) {
    const message = `The strategy's form fields need a form body: a ${request.method} request with Content-Type ${FORM}, and a strategy with \`readsBody: 'form'\`.`;
    throw new ConfigurationError(message, { option: 'form' });
  }
  return { body: appendForm(read?.body, fields), contentType: `${FORM};charset=UTF-8` };
}

/**
 * A copy of `request` whose body can be read later, or `undefined` when its body is a one-shot stream. A `Request` does not say which it was made
 * from, but the constructor has to know: it refuses `mode: 'no-cors'` for a body without a source (Fetch standard, `new Request` step 38). The probe
 * runs on a clone that is cancelled before anything is read, so a stream is not buffered.
 */
export function copyOfReplayable(request: Request): Request | undefined {
  const probe = request.clone();
  try {
    const accepted = new Request(probe, { mode: 'no-cors', method: 'POST' });
    cancel(accepted);
  } catch {
    cancel(probe);
    return undefined;
  }
  return knowsItsSource() ? request.clone() : undefined;
}

/** Whether this runtime's `Request` tells the two apart; where it does not, every Request body counts as one-shot. */
function knowsItsSource(): boolean {
  const init = { method: 'POST', body: new ReadableStream(), duplex: 'half' } as RequestInit;
  try {
    new Request(new Request('https://probe.invalid', init), { mode: 'no-cors' });
    return false;
  } catch {
    return true;
  }
}

function cancel(request: Request): void {
  request.body?.cancel().catch(() => {}); // nobody reads it: how the cancellation ends is of no interest
}
