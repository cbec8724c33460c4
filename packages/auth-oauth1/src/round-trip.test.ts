// parse(sign(x)) verifies: for arbitrary URLs and bodies, what is on the wire carries a signature that a server computes as well.
// The server below shares no code with the signer, and works on bytes where the signer works on text.
import { createHash, createHmac } from 'node:crypto';
import { appendForm, appendQuery } from '@authseam/core/adapter';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aRequest, patchOf } from './fixtures/a-request.ts';
import type { OAuth1Options } from './oauth1-options.ts';

interface Wire {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Uint8Array;
}

const secrets = { consumerKey: 'a key & more', consumerSecret: 'sécret/+%', token: 't=ok', tokenSecret: '' } as const;

const piece = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    '%',
    '+',
    '&',
    '=',
    ';',
    '[',
    ']',
    '?',
    '/',
    '%2',
    '%C3%A9',
    '%ff',
    '%C3',
    '%7E',
    '%zz',
    'é',
    '日',
    '😀',
    ' ',
    "'",
    '!',
    '*',
    '(',
    '~',
    '\ufeff',
  ),
  fc.string({ maxLength: 3 }),
  fc.string({ unit: 'binary', maxLength: 2 }),
);
const text = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));
const host = fc.constantFrom(
  'api.example.com',
  'API.Example.com',
  'bücher.example',
  'a.example:8443',
  'a.example:443',
  '[2001:DB8::1]',
  '127.0.0.1:80',
);
const url = fc
  .tuple(
    fc.constantFrom('http', 'https', 'HTTPS'),
    host,
    fc.constantFrom('', '/', '/a/../b', '/%7Euser/x y', "/it's(1)", '/ü'),
    fc.option(text),
  )
  .map(([scheme, authority, path, query]) => `${scheme}://${authority}${path}${query === null ? '' : `?${query.replaceAll('#', '')}`}`)
  .map((unparsed) => new URL(unparsed).href.replace(/#.*/s, ''))
  .filter((sent) => !namesOf(sent.split('?').slice(1).join('?')).some((name) => name.startsWith('oauth_')));
const method = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'delete', 'OPTIONS', 'm-search', "it's");
const form = fc
  .oneof(text, fc.uint8Array({ maxLength: 12 }))
  .filter((body) => !namesOf(Buffer.from(body as string).toString('latin1')).some((name) => name.startsWith('oauth_')));

describe('a signed request verifies', () => {
  it.each(['header', 'query'] as const)('with the parameters in the %s, and any form body', (placement) => {
    fc.assert(
      fc.property(method, url, fc.option(form, { nil: undefined }), (verb, target, body) => {
        const wire = send({ ...secrets, placement }, verb, target, body);
        expect(verify(wire)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('with the parameters in the form', () => {
    fc.assert(
      fc.property(
        url,
        text.filter((body) => !namesOf(body).some((name) => name.startsWith('oauth_'))),
        (target, body) => {
          expect(verify(send({ ...secrets, placement: 'form' }, 'POST', target, body))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('with a body hash, over the exact bytes', () => {
    fc.assert(
      fc.property(url, fc.uint8Array({ maxLength: 40 }), (target, body) => {
        expect(verify(send({ ...secrets, bodyHash: true }, 'PUT', target, body, 'application/octet-stream'))).toBe(true);
      }),
    );
  });

  it('and does not once anything in it was changed', () => {
    fc.assert(
      fc.property(
        url,
        text.filter((body) => !namesOf(body).some((name) => name.startsWith('oauth_'))),
        (target, body) => {
          const wire = send({ ...secrets }, 'POST', target, body);
          expect(verify({ ...wire, method: 'PUT' })).toBe(false);
          expect(verify({ ...wire, url: appendQuery(wire.url, [['more', '']]) })).toBe(false);
          expect(verify({ ...wire, body: Buffer.concat([wire.body, Buffer.from('&more=')]) })).toBe(false);
        },
      ),
    );
  });
});

function send(options: OAuth1Options, verb: string, target: string, body: string | Uint8Array | undefined, type?: string): Wire {
  const request = aRequest({ method: verb, url: target, body, ...(type !== undefined && { contentType: type }) });
  const { headers, query, form: fields } = patchOf({ ...options, nonce: () => 'once' }, request);
  return {
    method: verb,
    url: appendQuery(target, query),
    authorization: headers?.['Authorization'],
    contentType: request.headers.get('content-type') ?? undefined,
    body: Buffer.from((fields ? appendForm(body, fields) : (body ?? '')) as string),
  };
}

/** A server's side, after RFC 5849 §3.2, §3.4.1 and §3.5. */
function verify({ method: verb, url: target, authorization, contentType, body }: Wire): boolean {
  const { protocol, hostname, port, pathname, search } = new URL(target);
  const header = [...(authorization ?? '').matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value] as const);
  const isForm = contentType === 'application/x-www-form-urlencoded';
  const all = [...header, ...pairsOf(search.slice(1)), ...(isForm ? pairsOf(Buffer.from(body).toString('latin1')) : [])];
  const signatures = all.filter(([name]) => name === 'oauth_signature');
  const normalized = all
    .filter(([name]) => name !== 'oauth_signature' && name !== 'realm')
    .sort(([a, x], [b, y]) => Buffer.compare(Buffer.from(a), Buffer.from(b)) || Buffer.compare(Buffer.from(x), Buffer.from(y)))
    .map((pair) => pair.join('='))
    .join('&');
  const uri = `${protocol}//${hostname}${port && `:${port}`}${pathname}`;
  const base = [verb.toUpperCase(), uri, normalized].map((part) => escapeBytes(Buffer.from(part))).join('&');
  const key = [secrets.consumerSecret, secrets.tokenSecret].map((secret) => escapeBytes(Buffer.from(secret))).join('&');
  const expected = createHmac('sha1', key).update(base).digest();
  const hash = all.find(([name]) => name === 'oauth_body_hash');
  const hashIsRight = !hash || unescapeBytes(hash[1]).toString() === createHash('sha1').update(body).digest('base64');
  return hashIsRight && signatures.length === 1 && unescapeBytes(signatures[0]?.[1] ?? '').toString() === expected.toString('base64');
}

/** Encoded pairs of a query or a form that is given one character per byte. */
function pairsOf(latin1: string): (readonly [string, string])[] {
  const parts = latin1.split('&').filter((part) => part !== '');
  return parts.map((part) => {
    const [name = '', ...value] = part.replaceAll('+', ' ').split('=');
    return [escapeBytes(unescapeBytes(name)), escapeBytes(unescapeBytes(value.join('=')))] as const;
  });
}

function namesOf(query: string): string[] {
  return query.split('&').map((part) => unescapeBytes(part.split('=', 1)[0] ?? '').toString('latin1'));
}

function unescapeBytes(latin1: string): Buffer {
  return Buffer.from(
    latin1.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
}

function escapeBytes(bytes: Buffer): string {
  return [...bytes]
    .map((byte) =>
      /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`,
    )
    .join('');
}
