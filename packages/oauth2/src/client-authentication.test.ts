import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { type ClientAuthenticationOptions, clientAuthentication } from './client-authentication.ts';

const strategy = 's';
const issuer = { issuer: 'https://login.example.com/', token_endpoint: 'https://login.example.com/token' };

/** What authentication puts on a request. */
async function applied(options: ClientAuthenticationOptions, now?: () => number) {
  const authenticate = clientAuthentication({ ...options, strategy, ...(now && { now }) });
  return applyTo(authenticate, options.clientId);
}

async function applyTo(authenticate: ReturnType<typeof clientAuthentication>, clientId: string) {
  const secrets = new Set<string>();
  const body = new URLSearchParams();
  const headers = new Headers();
  await (await authenticate(secrets))(issuer, { client_id: clientId }, body, headers);
  return { body: Object.fromEntries(body), authorization: headers.get('authorization'), secrets: [...secrets] };
}

const decodeForm = (text: string) => new URLSearchParams(`x=${text}`).get('x');

describe('client_secret_basic', () => {
  it('form-encodes id and secret before Basic (RFC 6749 §2.3.1)', async () => {
    const { authorization, body } = await applied({ clientId: '1PpG/Q 1', clientSecret: 'ä:+%€' });
    expect(Buffer.from(authorization!.replace('Basic ', ''), 'base64').toString()).toBe('1PpG%2FQ+1:%C3%A4%3A%2B%25%E2%82%AC');
    expect(body).toEqual({});
  });

  it('comes back as it was for every id and secret', async () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((value) => !/\p{Cc}/u.test(value));
    await fc.assert(
      fc.asyncProperty(text, text, async (clientId, clientSecret) => {
        const { authorization } = await applied({ clientId, clientSecret });
        const [id, secret, ...more] = atob(authorization!.replace('Basic ', '')).split(':');
        expect([id, secret].map((part) => decodeForm(part!))).toEqual([clientId, clientSecret]);
        expect(more).toEqual([]);
      }),
    );
  });

  it('asks a function for the secret at each request', async () => {
    let count = 0;
    const authenticate = clientAuthentication({ clientId: 'id', clientSecret: async () => `secret-${++count}`, strategy });
    const [first, second] = [await applyTo(authenticate, 'id'), await applyTo(authenticate, 'id')];
    expect([atob(first.authorization!.slice(6)), atob(second.authorization!.slice(6))]).toEqual(['id:secret%2D1', 'id:secret%2D2']);
    expect(second.secrets).toEqual(['secret-2']);
  });
});

describe('client_secret_post and none', () => {
  it('puts id and secret into the body', async () => {
    const { body, authorization } = await applied({ clientId: 'id', clientSecret: 'ä b', clientAuthentication: 'client_secret_post' });
    expect(body).toEqual({ client_id: 'id', client_secret: 'ä b' });
    expect(authorization).toBeNull();
  });

  it('sends a public client as its id', async () => {
    expect((await applied({ clientId: 'id', clientAuthentication: 'none' })).body).toEqual({ client_id: 'id' });
  });
});

describe('assertions', () => {
  const nowMs = 1_700_000_000_900;
  const checks = { issuer: 'id', subject: 'id', audience: issuer.issuer, typ: 'client-authentication+jwt', currentDate: new Date(nowMs) };

  it('client_secret_jwt signs with the secret and does not send it (RFC 7523, RFC 10070)', async () => {
    const clientSecret = 'a secret of 32 characters or more';
    const { body, secrets } = await applied({ clientId: 'id', clientSecret, clientAuthentication: 'client_secret_jwt' }, () => nowMs);
    expect(body).toMatchObject({ client_id: 'id', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' });
    const key = new TextEncoder().encode(clientSecret);
    const { payload, protectedHeader } = await jwtVerify(body['client_assertion']!, key, checks);
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'client-authentication+jwt' });
    expect(payload).toEqual({
      iss: 'id',
      sub: 'id',
      aud: issuer.issuer,
      iat: 1_700_000_000,
      exp: 1_700_000_060,
      jti: expect.stringMatching(/^[\da-f-]{36}$/),
    });
    expect(Object.keys(body)).not.toContain('client_secret');
    expect(secrets).toEqual([clientSecret]);
  });

  it('has another jti each time', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const authenticate = clientAuthentication({ clientId: 'id', privateKey, strategy });
    const assertions = await Promise.all([1, 2, 3].map(async () => (await applyTo(authenticate, 'id')).body['client_assertion']));
    const ids = assertions.map((assertion) => JSON.parse(Buffer.from(assertion!.split('.')[1]!, 'base64url').toString()).jti);
    expect(new Set(ids).size).toBe(3);
  });

  it.each(['RS256', 'PS256', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'private_key_jwt signs with %s, from PEM, JWK and CryptoKey',
    async (algorithm) => {
      const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
      const pem = await exportPKCS8(privateKey);
      const jwk = await exportJWK(privateKey);
      const variants: [ClientAuthenticationOptions['privateKey'], object][] = [
        [
          { key: pem, algorithm, keyId: 'k1' },
          { alg: algorithm, kid: 'k1' },
        ],
        [{ key: () => pem.replaceAll('\n', '\\n'), algorithm }, { alg: algorithm }],
        [{ ...jwk, alg: algorithm, kid: 'k2' } as JsonWebKey, { alg: algorithm, kid: 'k2' }],
        [
          { key: jwk as JsonWebKey, algorithm, keyId: 'k3' },
          { alg: algorithm, kid: 'k3' },
        ],
        [privateKey, { alg: algorithm }],
        [
          { key: privateKey, keyId: 'k4' },
          { alg: algorithm, kid: 'k4' },
        ],
      ];
      for (const [key, header] of variants) {
        const { body } = await applied({ clientId: 'id', privateKey: key! }, () => nowMs);
        const { protectedHeader } = await jwtVerify(body['client_assertion']!, publicKey, checks);
        expect(protectedHeader).toEqual({ typ: 'client-authentication+jwt', ...header });
      }
    },
  );

  it.each([
    ['RS256', 'RS256'],
    ['PS256', 'RS256'],
    ['ES256', 'ES256'],
    ['ES384', 'ES384'],
    ['ES512', 'ES512'],
    ['EdDSA', 'EdDSA'],
  ])('finds an algorithm for a %s key that does not tell: %s', async (generated, expected) => {
    const { privateKey } = await generateKeyPair(generated, { extractable: true });
    const pem = `Bag Attributes\n    friendlyName: x\n${await exportPKCS8(privateKey)}`;
    const { alg: _, ...jwk } = await exportJWK(privateKey);
    for (const key of [pem, jwk as JsonWebKey]) {
      const { body } = await applied({ clientId: 'id', privateKey: key });
      expect(JSON.parse(Buffer.from(body['client_assertion']!.split('.')[0]!, 'base64url').toString()).alg).toBe(expected);
    }
  });

  it('imports a key again only when its function yields another one', async () => {
    const [first, second] = await Promise.all([
      generateKeyPair('ES256', { extractable: true }),
      generateKeyPair('ES256', { extractable: true }),
    ]);
    const pems = [await exportPKCS8(first.privateKey), await exportPKCS8(first.privateKey), await exportPKCS8(second.privateKey)];
    const authenticate = clientAuthentication({ clientId: 'id', privateKey: () => pems.shift()!, strategy });
    for (const { publicKey } of [first, first, second]) {
      const { body } = await applyTo(authenticate, 'id');
      await jwtVerify(body['client_assertion']!, publicKey);
    }
  });

  it('imports a key that does not change once', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    let reads = 0;
    const jwk = Object.defineProperty(await exportJWK(privateKey), 'd', {
      enumerable: true,
      get: ((d) => () => {
        reads += 1;
        return d;
      })((await exportJWK(privateKey)).d),
    });
    const authenticate = clientAuthentication({ clientId: 'id', privateKey: jwk as JsonWebKey, strategy });
    await applyTo(authenticate, 'id');
    const readsOfOneImport = reads;
    await applyTo(authenticate, 'id');
    expect(reads).toBe(readsOfOneImport);
  });

  it('says when a key cannot be imported, without showing it', async () => {
    const pem = '-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----';
    for (const privateKey of [pem, () => pem, { kty: 'RSA', d: 'canary' }, { key: (await generatePem()).pkcs8, algorithm: 'HS999' }]) {
      const error: unknown = await applied({ clientId: 'id', privateKey }).catch((caught) => caught);
      expect(error).toMatchObject({ name: 'ConfigurationError', option: 'privateKey' });
      expect(String((error as Error).stack)).not.toContain('canary');
    }
  });

  it('says when a key does not fit, however it comes', async () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
    const pkcs8 = (key: typeof short) => key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const jwk = (key: typeof short) => key.export({ format: 'jwk' }) as JsonWebKey;
    const rsa = await generateKeyPair('RS256', { extractable: true });
    const ed = jwk(generateKeyPairSync('ed25519').privateKey);
    const hash = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const shortKey = await crypto.subtle.importKey('jwk', jwk(short), hash, false, ['sign']);
    for (const privateKey of [
      pkcs8(short),
      () => pkcs8(short),
      jwk(short),
      shortKey,
      { key: rsa.privateKey, algorithm: 'ES256' },
      { key: rsa.privateKey, algorithm: 'PS256' },
      { key: rsa.privateKey, algorithm: 'none' },
      { key: ed, algorithm: 'RS256' },
      { key: ed, algorithm: 'HS256' },
      jwk(generateKeyPairSync('x25519').privateKey),
      pkcs8(generateKeyPairSync('x25519').privateKey),
      { ...ed, alg: 'RSA-OAEP' },
      () => undefined,
      () => null,
      () => ed,
      async () => 42,
    ]) {
      const authenticate = clientAuthentication({ clientId: 'id', privateKey, strategy } as never);
      for (const _ of [1, 2])
        await expect(applyTo(authenticate, 'id')).rejects.toMatchObject({ name: 'ConfigurationError', option: 'privateKey' });
    }
  });

  it('says at construction that a key may not sign', async () => {
    const ed = generateKeyPairSync('ed25519').privateKey;
    const jwk = ed.export({ format: 'jwk' }) as JsonWebKey;
    const ecdh = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']);
    const publicExponent = new Uint8Array([1, 0, 1]);
    const oaep = { name: 'RSA-OAEP', modulusLength: 2048, publicExponent, hash: 'SHA-256' };
    const decrypting = await crypto.subtle.generateKey(oaep, true, ['encrypt', 'decrypt']);
    for (const privateKey of [
      ecdh.privateKey,
      { key: decrypting.privateKey },
      ed,
      { ...jwk, use: 'enc' },
      { key: { ...jwk, key_ops: ['verify'] } },
      { key: jwk, keyId: 5 },
      { key: jwk, algorithm: ['EdDSA'] },
      { ...jwk, kid: 7 },
    ]) {
      expect(() => clientAuthentication({ clientId: 'id', privateKey, strategy } as never)).toThrow(
        expect.objectContaining({ name: 'ConfigurationError', option: 'privateKey' }),
      );
    }
  });

  it('says how to convert a PKCS#1 key, at construction', async () => {
    const { pkcs1 } = await generatePem();
    const construct = () => clientAuthentication({ clientId: 'id', privateKey: pkcs1, strategy });
    expect(construct).toThrow(/openssl pkcs8 -topk8/);
    expect(construct).toThrow(expect.objectContaining({ option: 'privateKey' }));
  });
});

async function generatePem() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    pkcs1: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

describe('clientAuthentication', () => {
  const publicJwk = { kty: 'EC', crv: 'P-256', x: 'a', y: 'b' };
  it.each([
    ['clientSecret', {}],
    ['clientSecret', { clientAuthentication: 'client_secret_post' }],
    ['clientSecret', { clientAuthentication: 'none', clientSecret: 'canary' }],
    ['clientSecret', { clientSecret: '' }],
    ['clientSecret', { clientSecret: 'canary\n' }],
    ['clientSecret', { clientSecret: 42 }],
    ['clientSecret', { privateKey: { d: 'canary' }, clientSecret: 'canary' }],
    ['privateKey', { clientAuthentication: 'private_key_jwt' }],
    ['privateKey', { clientAuthentication: 'none', privateKey: { d: 'canary' } }],
    ['privateKey', { clientAuthentication: 'client_secret_basic', clientSecret: 'canary', privateKey: { d: 'canary' } }],
    ['privateKey', { privateKey: 'canary' }],
    ['privateKey', { privateKey: publicJwk }],
    ['privateKey', { privateKey: { key: publicJwk } }],
    ['privateKey', { privateKey: null, clientAuthentication: 'private_key_jwt' }],
    ['privateKey', { privateKey: 42 }],
    ['clientAuthentication', { clientAuthentication: 'tls_client_auth', clientSecret: 'canary' }],
    ['clientAuthentication', { clientAuthentication: 'constructor', clientSecret: 'canary' }],
    ['clientId', { clientId: '', clientSecret: 'canary' }],
    ['clientId', { clientId: undefined, clientSecret: 'canary' }],
    ['clientId', { clientId: 'id\r\n', clientSecret: 'canary' }],
    ['clientId', { clientId: () => 'id', clientSecret: 'canary' }],
  ])('refuses %s in %j without showing it', (option, options) => {
    const construct = () => clientAuthentication({ clientId: 'id', ...options, strategy } as never);
    expect(construct).toThrow(expect.objectContaining({ name: 'ConfigurationError', option, strategy }));
    expect(construct).not.toThrow(/canary/);
  });

  it('says to call the function that a client identifier is', () => {
    const construct = () => clientAuthentication({ clientId: () => 'id', clientSecret: 'secret', strategy } as never);
    expect(construct).toThrow(/fromEnv\('\w+'\)\(\)/);
  });

  it('tells a rotated secret that turns out to be none', async () => {
    await expect(applied({ clientId: 'id', clientSecret: () => 'canary\n' })).rejects.toMatchObject({ option: 'clientSecret' });
  });
});
