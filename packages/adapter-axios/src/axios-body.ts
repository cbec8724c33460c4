import { type Body, isForm, type ReadBody, readBody, unreadableBody, withFields } from '@authseam/core/adapter';
import type { InternalAxiosRequestConfig } from 'axios';
import { isFetchAdapter, nameOf } from './axios-adapters.ts';
import type { AxiosCall } from './axios-call.ts';
import { headerOf } from './axios-headers.ts';

/**
 * Makes a call's body readable as `readsBody` asks. Synchronous unless the platform has to encode or copy: FormData, a Blob.
 *
 * @throws {ConfigurationError} when a strategy has to read a body that can be read only once.
 */
export function prepareBody(call: AxiosCall, readsBody: 'form' | 'bytes'): void | Promise<void> {
  const { data, replayable, root } = call;
  const isLabelled = isLabelledByAdapter(call);
  if (readsBody === 'form' && (isLabelled || !isForm(call.header('content-type')))) return undefined;
  if (!replayable || !isReadable(data)) throw unreadableBody(root.strategy.name);
  const hold = ({ body, contentType }: ReadBody): void => {
    call.read = { body, contentType: isLabelled ? (contentType ?? 'application/octet-stream') : undefined };
  };
  const read = readBody(data);
  return read instanceof Promise ? read.then(hold) : hold(read);
}

/** Puts the body that was read into `sent`, with the strategy's form fields. @throws {ConfigurationError} where no form can go. */
export function withBody(call: AxiosCall, sent: InternalAxiosRequestConfig, fields: readonly (readonly [string, string])[]): void {
  const { data, method, hops, read, root } = call;
  const label = call.header('content-type');
  const isEmpty = data === undefined || data === null;
  const target = { method, hops, read, isEmpty, contentType: read?.contentType ?? label };
  const { body, contentType } = fields.length === 0 && read ? read : withFields(target, fields, root.strategy.name);
  sent.data = asData(body);
  if (fields.length > 0) sent.headers.delete('content-length');
  if (contentType && (read?.contentType || label === null)) sent.headers.setContentType(contentType);
}

/** `body` in a shape that every adapter of axios sends: its http adapter takes no plain Uint8Array. */
export function asData(body: unknown): unknown {
  if (!(body instanceof Uint8Array)) return body;
  const { buffer, byteOffset, byteLength } = body;
  return buffer.byteLength === byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}

/** Whether the Content-Type is for the adapter to write, whatever the config says. axios's fetch adapter leaves the wrong one that stands there. */
function isLabelledByAdapter({ data, root, config }: AxiosCall): boolean {
  const { adapter } = root;
  if (data instanceof FormData) {
    return !isFetchAdapter(adapter, config) || /^multipart\/form-data/i.test(headerOf(config.headers, 'content-type') ?? '');
  }
  return data instanceof Blob && nameOf(adapter) === 'http';
}

function isReadable(data: unknown): data is Body {
  const isText = typeof data === 'string' || data instanceof URLSearchParams;
  return isText || data instanceof ArrayBuffer || ArrayBuffer.isView(data) || data instanceof FormData || data instanceof Blob;
}
