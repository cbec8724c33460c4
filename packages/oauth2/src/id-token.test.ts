import { describe, expect, it } from 'vitest';
import { checkIdToken, type IdTokenExpectations } from './id-token.ts';

const nowMs = Date.now();
const iat = Math.floor(nowMs / 1000);
const metadata = { issuer: 'https://login.example.com', token_endpoint: 'https://login.example.com/token' };
const expected: IdTokenExpectations = { metadata, clientId: 'app', nonce: 'n-1', nowMs, strategy: 'test' };

/** Signed by nobody: signatures are not looked at. */
function idToken(claims: object = {}, alg = 'RS256'): string {
  const payload = { iss: metadata.issuer, aud: 'app', sub: 'jürgen', nonce: 'n-1', iat, exp: iat + 60, ...claims };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg })}.${part(payload)}.c2lnbmF0dXJl`;
}

describe('an ID token', () => {
  it('answers its claims', async () => {
    expect(await checkIdToken(idToken(), expected)).toMatchObject({ sub: 'jürgen', nonce: 'n-1' });
  });

  it('may be signed with anything but nothing where the metadata do not say, else with what they say', async () => {
    for (const alg of ['ES256', 'EdDSA', 'PS512', 'HS256']) expect(await checkIdToken(idToken({}, alg), expected)).toBeDefined();
    const strict = { ...expected, metadata: { ...metadata, id_token_signing_alg_values_supported: ['ES256'] } };
    for (const work of [checkIdToken(idToken({}, 'none'), expected), checkIdToken(idToken(), strict)])
      await expect(work).rejects.toMatchObject({ code: 'ID_TOKEN_INVALID', strategy: 'test' });
  });

  it('never shows in the error', async () => {
    const token = idToken({ nonce: 'other' });
    for (const unfit of [token, `${token}.`, 'no.jwt', '']) {
      const error = await checkIdToken(unfit, expected).catch((caught) => caught);
      expect(error).toMatchObject({ code: 'ID_TOKEN_INVALID' });
      if (unfit) expect(`${error.stack}${error.message}${String(error.cause)}`).not.toContain(unfit);
    }
  });

  it('without a nonce is expected where none was sent', async () => {
    const { nonce: _, ...bare } = expected;
    expect(await checkIdToken(idToken({ nonce: undefined }), bare)).toBeDefined();
    await expect(checkIdToken(idToken(), bare)).rejects.toMatchObject({ code: 'ID_TOKEN_INVALID' });
  });
});

describe.each([
  ['of a sign-in', expected],
  ['of a refresh', { ...expected, nonce: undefined, replaces: 'unknown' }],
])('an ID token %s', (_, expectations) => {
  it.each<[string, object]>([
    ['azp', { azp: 'other' }],
    ['azp', { azp: '' }],
    ['azp', { azp: null }],
    ['azp', { azp: 'other', aud: ['app'] }],
    ['azp', { azp: 'other', aud: ['app', 'other'] }],
    ['sub', { sub: '' }],
    ['sub', { sub: 'x'.repeat(256) }],
    ['sub', { sub: 5 }],
  ])('is for this client and somebody, else its %s does not hold: %j', async (claim, claims) => {
    const error = await checkIdToken(idToken(claims), expectations).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'ID_TOKEN_INVALID', message: expect.stringContaining(claim) });
  });

  it('names this client as often as it likes, and somebody at length', async () => {
    for (const claims of [{ azp: 'app' }, { azp: 'app', aud: ['app'] }, { azp: 'app', aud: ['app', 'other'] }, { sub: 'x'.repeat(255) }])
      expect(await checkIdToken(idToken(claims), expectations)).toMatchObject(claims);
  });
});

describe('an ID token that was issued in the future', () => {
  it('is refused, but for clocks that differ; never in the answer to a refresh', async () => {
    expect(await checkIdToken(idToken({ iat: iat + 299 }), expected)).toBeDefined();
    const late = idToken({ iat: iat + 302, exp: iat + 900 });
    await expect(checkIdToken(late, expected)).rejects.toMatchObject({ code: 'ID_TOKEN_INVALID', message: expect.stringContaining('iat') });
    expect(await checkIdToken(late, { ...expected, nowMs: nowMs + 60_000 })).toBeDefined();
    expect(await checkIdToken(late, { ...expected, nonce: undefined, replaces: 'unknown' })).toBeDefined();
  });
});

describe('an ID token in the answer to a refresh', () => {
  const refreshed = (replaces: string): IdTokenExpectations => ({ ...expected, nonce: undefined, replaces });

  it('is of the same person, in any script', async () => {
    expect(await checkIdToken(idToken({ nonce: undefined }), refreshed(idToken()))).toBeDefined();
    expect(await checkIdToken(idToken(), refreshed(idToken()))).toBeDefined();
    for (const claims of [{ sub: 'jurgen' }, { nonce: 'n-2' }, { iss: 'https://other.example' }, { aud: 'other' }])
      await expect(checkIdToken(idToken(claims), refreshed(idToken()))).rejects.toMatchObject({ code: 'ID_TOKEN_INVALID' });
  });

  it('is taken for what it says where the one before is not known', async () => {
    for (const unknown of ['unknown', 'a.b.c', 'e30', '.bnVsbA.']) expect(await checkIdToken(idToken(), refreshed(unknown))).toBeDefined();
  });

  it('may be the first one again', async () => {
    expect(await checkIdToken(idToken({ iat: iat - 7200, exp: iat - 3600 }), refreshed(idToken()))).toBeDefined();
  });
});
