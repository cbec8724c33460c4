// RFC 5849 §3.4.1: the request as an adapter shows it to `oauth1`.
import { ConfigurationError, isLoopback, UnsafeDestinationError } from '@authseam/core';
import type { ExplainableRequest } from './explain-signature.ts';
import type { CheckedOptions } from './oauth1-options.ts';
import type { SignableRequest } from './sign-request.ts';

/**
 * The request as it was given, and as an adapter shows it: its URL parsed, its Content-Type there, its body only where that is looked at.
 *
 * @throws {ConfigurationError} for what no adapter sends, or no form field can be added to.
 * @throws {UnsafeDestinationError} for PLAINTEXT over plain http beyond loopback.
 */
export function signableRequest(request: ExplainableRequest, options: CheckedOptions): { given: SignableRequest; signed: SignableRequest } {
  const { method = 'GET', body: givenBody } = request;
  const { bodyHash, placement } = options;
  const headers = headersOf(request);
  const text = String(request.url);
  const url = checkedUrl(text, options);
  const body = givenBody instanceof URLSearchParams ? String(givenBody) : givenBody;
  const implied = givenBody instanceof URLSearchParams ? `${FORM};charset=UTF-8` : bodyHash && typeof body === 'string' ? TEXT : undefined;
  if (implied && !headers.has('content-type')) headers.set('Content-Type', implied);
  const isForm = headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() === FORM;
  const canCarry = body === undefined ? !/^(?:GET|HEAD)$/i.test(method) : isForm;
  if (placement === 'form' && !canCarry) throw unfit('body', `is no form to add fields to, and \`placement: 'form'\` needs one`);
  const given = { method, url: text, headers, ...(body !== undefined && { body }) };
  const shown = { method, url, headers };
  return { given, signed: body !== undefined && (isForm || bodyHash) ? { ...shown, body } : shown };
}

function headersOf({ headers }: ExplainableRequest): Headers {
  try {
    return new Headers(headers);
  } catch {
    throw unfit('headers', 'hold what no header can be'); // what the platform says about it quotes it
  }
}

function checkedUrl(text: string, { signatureMethod }: CheckedOptions): string {
  if (!URL.canParse(text)) throw unfit('url', 'must be absolute');
  const url = new URL(text);
  const { protocol, origin, username, password } = url;
  if (username || password) throw unfit('url', 'holds a user name or password, which no adapter sends: take them out');
  if (protocol !== 'https:' && protocol !== 'http:') throw unfit('url', 'is neither https nor http');
  if (signatureMethod === 'PLAINTEXT' && protocol === 'http:' && !isLoopback(url)) {
    const message = `oauth1: PLAINTEXT sends the secrets themselves, so not to ${origin}. Use https, or a method that signs, such as HMAC-SHA1.`;
    throw new UnsafeDestinationError(message, { origin, strategy: 'oauth1' });
  }
  url.hash = '';
  return url.href;
}

function unfit(option: string, problem: string): ConfigurationError {
  return new ConfigurationError(`oauth1: the request's \`${option}\` ${problem}.`, { option, strategy: 'oauth1' });
}

const FORM = 'application/x-www-form-urlencoded';
const TEXT = 'text/plain;charset=UTF-8';
