import { gzipSync } from 'node:zlib';
import type { AuthEvent } from '@authseam/core';
import { describe, expect, it } from 'vitest';
import { failure, grant, nowMs, SECRET } from './fixtures/grant.ts';
import { tokenServer, tokens } from './fixtures/token-server.ts';

describe('a token response', () => {
  const receivedAtMs = nowMs;

  it('becomes a token set of the known members', async () => {
    await using server = await tokenServer(tokens({ token_type: 'BEARER', scope: 'a', refresh_token: 'r', id_token: 'i.d.t', email: 'x' }));
    expect(await grant(server)).toEqual({
      accessToken: 'token-1',
      tokenType: 'BEARER',
      receivedAtMs,
      expiresAtMs: nowMs + 3_600_000,
      scope: 'a',
      refreshToken: 'r',
      idToken: 'i.d.t',
    });
  });

  it.each([
    [3600, 3_600_000],
    ['3600', 3_600_000],
    ['1.5', 1_500],
    [0, 0],
    ['0', 0],
    [null, 300_000],
    [undefined, 300_000],
    [2 ** 31, 1e12],
    [1e300, 1e12],
  ])('expires_in %j is %d ms', async (expires_in, ms) => {
    await using server = await tokenServer(tokens({ expires_in }));
    expect((await grant(server)).expiresAtMs).toBe(nowMs + ms);
  });

  it('survives a lifetime beyond all numbers', async () => {
    await using server = await tokenServer({ text: '{"access_token":"t","token_type":"bearer","expires_in":1e400}' });
    expect((await grant(server)).expiresAtMs).toBe(nowMs + 1e12);
  });

  it.each(['3600s', true, -1, '-1', '', ' 3600', '0x10', '1e3', [], {}, 'NaN'])('expires_in %j is none', async (expires_in) => {
    expect((await failure(tokens({ expires_in }))).message).toContain('`expires_in`');
  });

  const jwt = `e30.${Buffer.from(JSON.stringify({ iat: 100, exp: 160 })).toString('base64url')}.c2ln`;
  it.each([
    ['the answer', tokens({ access_token: jwt, expires_in: 10 }), { lifetimeSeconds: 20 }, 10],
    ['the option', tokens({ access_token: jwt, expires_in: undefined }), { lifetimeSeconds: 20 }, 20],
    ['an option of 0', tokens({ access_token: jwt, expires_in: undefined }), { lifetimeSeconds: 0 }, 0],
    ['the JWT', tokens({ access_token: jwt, expires_in: undefined }), {}, 60],
    ['nobody', tokens({ expires_in: undefined }), {}, 300],
  ])('takes the lifetime that %s tells', async (_, answer, tokenResponse, seconds) => {
    await using server = await tokenServer(answer);
    expect((await grant(server, { tokenResponse })).expiresAtMs).toBe(nowMs + seconds * 1000);
  });

  it.each([undefined, null, '', 'mac', 'DPoP', 7])('is not used with token_type %j, unless the scheme is given', async (token_type) => {
    const answer = tokens({ token_type });
    expect((await failure(answer)).message).toMatch(/`token_type`.*`scheme`/);
    await using server = await tokenServer(answer);
    const tokenType = typeof token_type === 'string' && token_type ? token_type : 'Token';
    expect(await grant(server, { scheme: 'Token' })).toMatchObject({ accessToken: 'token-1', tokenType });
  });

  it.each([undefined, null, '', 42, {}, ['token'], 'a\nb', 'a\u0000', 'to ken', 'tökén', '\u007f'])(
    'has no access_token in %j',
    async (access_token) => {
      expect((await failure(tokens({ access_token }))).message).toContain('`access_token`');
    },
  );

  it.each(['scope', 'refresh_token', 'id_token'])('has no %s that is no string', async (name) => {
    expect((await failure(tokens({ [name]: ['a'] }))).message).toContain(`\`${name}\``);
  });

  it('is not told by prototypes', async () => {
    const text = '{"__proto__":{"access_token":"evil","token_type":"Bearer"},"constructor":{"access_token":"evil"}}';
    await failure({ text });
    Object.defineProperty(Object.prototype, 'access_token', { value: 'evil', configurable: true });
    try {
      await failure({ json: { token_type: 'Bearer' } });
      await failure({ json: { token_type: 'Bearer', data: {} } }, { tokenResponse: { accessToken: 'data.access_token' } });
    } finally {
      delete (Object.prototype as { access_token?: string })['access_token'];
    }
  });

  it.each([
    ['HTML', { text: '<html>canary</html>', headers: { 'Content-Type': 'text/html' } }],
    ['broken JSON', { text: '{"access_token":"canary' }],
    ['nothing', {}],
    ['204', { status: 204 }],
    ['null', { text: 'null' }],
    ['a list', { json: [tokens().json] }],
    ['a string', { json: 'canary' }],
    ['a number', { json: 42 }],
    ['HTML with 502', { status: 502, text: '<html>canary</html>' }],
  ])('is not %s', async (_, answer) => {
    const error = await failure(answer);
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain('canary');
    expect(error.cause).toBeUndefined();
  });

  it('is read up to 1 MiB', async () => {
    const padding = 'x'.repeat(1_048_576);
    await using server = await tokenServer(tokens({ padding: padding.slice(200) }));
    await grant(server);
    expect((await failure(tokens({ padding }))).message).toMatch(/^(?!.*redirects).*1 MiB/);
    expect(await failure({ status: 503, text: padding })).toMatchObject({ status: 503 });
    const bomb = gzipSync(JSON.stringify({ ...tokens().json, padding: 'x'.repeat(50_000_000) }));
    expect((await failure({ text: bomb, headers: { 'Content-Encoding': 'gzip' } })).message).toContain('1 MiB');
  });
});

describe('the granted scope', () => {
  it.each([
    ['a missing one is the requested one', undefined, 'b a', []],
    ['order is no difference', 'a b', 'a b', []],
    ['a narrower one is reported', 'a', 'a', ['a']],
    ['a wider one is reported', 'a b c', 'a b c', ['a b c']],
  ])('%s', async (_, scope, expected, granted) => {
    await using server = await tokenServer(tokens({ scope }));
    const events: AuthEvent[] = [];
    const set = await grant(server, {}, { scope: 'b a', emit: (event) => events.push(event) });
    expect(set.scope).toBe(expected);
    expect(events).toEqual(granted.map((text) => ({ type: 'scope-changed', strategy: 'partner', requested: 'b a', granted: text })));
  });

  it('is shown whole, up to 2,000 characters', async () => {
    const scope = Array.from({ length: 300 }, (_, index) => `scope:${index}`).join(' ');
    await using server = await tokenServer(tokens({ scope }));
    const events: AuthEvent[] = [];
    await grant(server, {}, { scope: 'b', emit: (event) => events.push(event) });
    expect(events).toMatchObject([{ granted: scope.slice(0, 2_000) }]);
  });

  it('is no news where none was requested, and needs no listener', async () => {
    await using server = await tokenServer(tokens({ scope: 'a' }));
    expect((await grant(server, {}, { emit: () => expect.fail() })).scope).toBe('a');
    expect((await grant(server, {}, { scope: 'b' })).scope).toBe('a');
  });

  it('shows no secret in the event', async () => {
    await using server = await tokenServer(tokens({ scope: `a ${SECRET}` }));
    const events: AuthEvent[] = [];
    await grant(server, {}, { scope: 'b', emit: (event) => events.push(event) });
    expect(JSON.stringify(events)).not.toContain('canary');
  });
});
