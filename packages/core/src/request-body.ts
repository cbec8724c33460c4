import { appendForm } from './apply-patch.ts';
import { AuthError, ConfigurationError } from './auth-error.ts';

/** A body that can be sent any number of times, and read by a strategy. */
export interface ReadBody {
  readonly body: string | Uint8Array<ArrayBuffer>;
  /** Content-Type that goes with it where the caller set none. */
  readonly contentType: string | undefined;
}

/** What the platform sends. */
export type Body = NonNullable<RequestInit['body']>;

const FORM = 'application/x-www-form-urlencoded';

/** Whether `body` is read by sending it: streams, async iterables, and what pipes, as the form-data package does. Anything else can be sent again. */
export function isOneShot(body: unknown): boolean {
  return typeof body === 'object' && body !== null && ('getReader' in body || Symbol.asyncIterator in body || 'pipe' in body);
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

/** The bytes or text of `body`, as it will be sent. Synchronous unless the platform has to encode or copy: FormData, a Blob. */
export function readBody(body: Body): ReadBody | Promise<ReadBody> {
  const contentType = impliedContentType(body);
  if (typeof body === 'string') return { body, contentType };
  if (body instanceof URLSearchParams) return { body: body.toString(), contentType };
  if (body instanceof ArrayBuffer) return { body: new Uint8Array(body), contentType };
  if (ArrayBuffer.isView(body)) return { body: new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength), contentType };
  return readEncoded(new Response(body));
}

/** Lets the platform encode what only it can: the boundary of FormData, the bytes of a Blob. */
export async function readEncoded(encoded: Request | Response): Promise<ReadBody> {
  return { body: new Uint8Array(await encoded.arrayBuffer()), contentType: encoded.headers.get('content-type') ?? undefined };
}

/** A copy of `body`, where its owner could still change it. */
export function heldBody<Data>(body: Data): Data;
export function heldBody(body: unknown): unknown {
  if (body instanceof FormData) {
    const copy = new FormData();
    for (const [name, value] of body) copy.append(name, value);
    return copy;
  }
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  if (body instanceof ArrayBuffer) return body.slice(0);
  return ArrayBuffer.isView(body) ? new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength).slice() : body;
}

/** The request that form fields are added to. */
export interface FormTarget {
  readonly method: string;
  /** Redirects before it. */
  readonly hops: number;
  /** The caller gave no body. */
  readonly isEmpty: boolean;
  readonly read: ReadBody | undefined;
  readonly contentType: string | null | undefined;
}

/** `target`'s body with `fields` appended. @throws {ConfigurationError} where no form can go. */
export function withFields(target: FormTarget, fields: readonly (readonly [string, string])[], strategy: string): ReadBody {
  const { method, hops, isEmpty, read, contentType } = target;
  if (isEmpty ? !/^(?:GET|HEAD)$/i.test(method) : read && isForm(contentType)) {
    return { body: appendForm(read?.body, fields), contentType: `${FORM};charset=UTF-8` };
  }
  const moved = hops > 0 ? ' after a redirect' : '';
  const message = `${strategy} adds form fields, and this ${method} request${moved} has no body of type ${FORM} to add them to. Place the credential elsewhere.`;
  throw new ConfigurationError(message, { option: 'form', strategy });
}

/** Why a strategy that reads bodies gets none. */
export function unreadableBody(strategy: string): ConfigurationError {
  const message = `${strategy} signs the body, and a stream can be read only once. Send a string, bytes, a Blob, URLSearchParams or FormData.`;
  return new ConfigurationError(message, { option: 'body', strategy });
}

/** Why a redirect that asks for the body again is not followed. */
export function bodyGone(origin: string, strategy: string): AuthError {
  const message = `${strategy}: a redirect asks for the body again, and it was a stream. Call ${origin} directly, or send bytes.`;
  return new AuthError(message, { code: 'BODY_NOT_REPLAYABLE', strategy });
}
