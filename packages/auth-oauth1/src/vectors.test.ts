// Published vectors; their sources stand in fixtures/published-vectors.ts.
import { describe, expect, it } from 'vitest';
import { aRequest, patchOf } from './fixtures/a-request.ts';
import {
  bodyHashDraft,
  hmacJefe,
  rfcBaseString,
  rfcIntroduction,
  twitter,
  wikiBaseStrings,
  wikiEncoding,
  wikiHmacSha1,
  wikiNormalization,
  wikiRsaSha1,
} from './fixtures/published-vectors.ts';
import { normalizedParameters } from './normalized-parameters.ts';
import { percentEncode } from './percent-encode.ts';
import { encodedParameters, queryOf, requestParameters } from './request-parameters.ts';
import { hmacSigner } from './signature/hmac.ts';
import { rsaSigner } from './signature/rsa.ts';
import { signatureBaseString } from './signature-base-string.ts';

describe('RFC 5849', () => {
  it.each(rfcIntroduction)('$source', ({ consumer, token, method, url, timestampSeconds, nonce, parameters, signature }) => {
    const { headers, receipt } = patchOf(
      {
        consumerKey: consumer[0],
        consumerSecret: consumer[1],
        ...(token && { token: token[0], tokenSecret: token[1] }),
        realm: 'Photos',
        version: false,
        parameters,
        nonce: () => nonce,
        timestampSeconds: () => timestampSeconds,
      },
      aRequest({ method, url }),
    );
    expect(receipt.signature).toBe(signature);
    expect(headers?.['Authorization']).toMatch(/^OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", /);
    expect(headers?.['Authorization']).toContain(`oauth_signature="${encodeURIComponent(signature)}"`);
  });

  it('§3.4.1.1 to §3.4.1.3: parameters, normalization, base string, signature', () => {
    const { method, url, body, nonce, timestampSeconds, parameters, normalized, baseString, signature, ...credentials } = rfcBaseString;
    const request = aRequest({ method, url, body });
    expect(requestParameters(request, false).parameters).toEqual(parameters);
    const { receipt } = patchOf(
      { ...credentials, realm: 'Example', version: false, nonce: () => nonce, timestampSeconds: () => timestampSeconds },
      request,
    );
    expect(normalizedParameters([...receipt.parameters, ...receipt.requestParameters])).toBe(normalized);
    expect(receipt.baseString).toBe(baseString);
    expect(receipt.signature).toBe(signature);
  });
});

describe('community test cases', () => {
  it.each(wikiEncoding)('encodes %j', (text, encoded) => {
    expect(percentEncode(text)).toBe(encoded);
    expect(encodedParameters(`n=${encodeURIComponent(text)}`)).toEqual([['n', encoded]]);
  });

  it.each(wikiNormalization)('normalizes %s', (query, normalized) => {
    expect(normalizedParameters(encodedParameters(query))).toBe(normalized);
  });

  it.each(wikiBaseStrings)('concatenates %s %s', (method, url, query, baseString) => {
    expect(signatureBaseString({ method, url, parameters: encodedParameters(query) })).toBe(baseString);
    const withQuery = `${url}?${query}`;
    expect(signatureBaseString({ method, url: withQuery, parameters: encodedParameters(queryOf(withQuery)) })).toBe(baseString);
  });

  it.each(wikiHmacSha1)('signs with HMAC-SHA1 and %s', (key, baseString, signature) => {
    expect(hmacSigner('SHA1', key)(baseString)).toBe(signature);
  });

  it('signs with RSA-SHA1', () => {
    expect(rsaSigner('SHA1', wikiRsaSha1.privateKey)(wikiRsaSha1.baseString)).toBe(wikiRsaSha1.signature);
  });
});

it("X (Twitter): the documentation's request", () => {
  const { method, url, body, nonce, timestampSeconds, signature, ...credentials } = twitter;
  const { receipt } = patchOf(
    { ...credentials, nonce: () => nonce, timestampSeconds: () => timestampSeconds },
    aRequest({ method, url, body }),
  );
  expect(receipt.signature).toBe(signature);
});

it.each(bodyHashDraft)('OAuth Request Body Hash 1.0, $source', ({ method, body, nonce, timestampSeconds, hash, baseString }) => {
  const { headers, receipt } = patchOf(
    {
      consumerKey: 'consumer',
      token: 'token',
      tokenSecret: '',
      bodyHash: true,
      nonce: () => nonce,
      timestampSeconds: () => timestampSeconds,
    },
    aRequest({ method, url: 'http://www.example.com/resource', body, ...(body !== undefined && { contentType: 'text/plain' }) }),
  );
  expect(headers?.['Authorization']).toContain(`oauth_body_hash="${encodeURIComponent(hash)}"`);
  expect(receipt.baseString).toBe(baseString);
});

it.each(hmacJefe)('HMAC-%s, RFC 2202 and RFC 4231', (hash, hex) => {
  const signature = hmacSigner(hash, 'Jefe')('what do ya want for nothing?');
  expect(signature).toBe(Buffer.from(hex, 'hex').toString('base64'));
});
