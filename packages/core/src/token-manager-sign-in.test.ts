// What a token manager does when a person signs in, again or elsewhere, while a refresh is under way.
import { expect, it } from 'vitest';
import { InteractionRequiredError, TokenEndpointError } from './auth-error.ts';
import { memoryStore } from './memory-store.ts';
import { createTokenManager } from './token-manager.ts';
import type { FetchTokenRequest, TokenManagerOptions } from './token-manager-options.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';

const set = (name: string, more: Partial<TokenSet> = {}): TokenSet => ({
  accessToken: `at-${name}`,
  refreshToken: `rt-${name}`,
  tokenType: 'Bearer',
  expiresAtMs: Date.now() + 3_600_000,
  ...more,
});

const refusal = () => new InteractionRequiredError('sign in', { error: 'invalid_grant' });

/** A token endpoint whose answer a test gives when it likes. */
function heldEndpoint() {
  const asked: (string | undefined)[] = [];
  const answers: PromiseWithResolvers<TokenSet>[] = [];
  const fetchToken = ({ current }: FetchTokenRequest) => {
    asked.push(current?.refreshToken);
    const answer = Promise.withResolvers<TokenSet>();
    answers.push(answer);
    return answer.promise;
  };
  return { asked, answers, fetchToken };
}

/** The entry of a store that answers at once. */
const entryOf = (store: ReturnType<typeof memoryStore>) => (store.get('key') as { entry: TokenSet } | undefined)?.entry;

function manager(fetchToken: TokenManagerOptions['fetchToken'], store: TokenStore | undefined) {
  return createTokenManager({ key: 'key', fetchToken, store, random: () => 0.5 });
}

/** Lets everything happen that waits for nothing but its turn. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

it.each([true, false])('adopts a token set, stores it before it answers, and serves it at once (with a store: %s)', async (isStored) => {
  const store = isStored ? memoryStore() : undefined;
  const { asked, fetchToken } = heldEndpoint();
  const tokens = manager(fetchToken, store);
  const adopted = await tokens.adopt(set('new'));
  expect(adopted).toMatchObject({ ...set('new', { expiresAtMs: expect.any(Number) }), receivedAtMs: expect.any(Number) });
  expect([tokens.getToken(), tokens.peek()]).toEqual([adopted, adopted]);
  if (store) expect(entryOf(store)).toEqual(adopted);
  expect(asked).toEqual([]);
});

it('adopts nothing that is no token set, and nothing that the store refuses', async () => {
  const store = memoryStore();
  let isDown = false;
  const tokens = manager(heldEndpoint().fetchToken, {
    ...store,
    set(...rest) {
      if (isDown) throw new Error('down');
      return store.set(...rest);
    },
  });
  const before = await tokens.adopt(set('before'));
  await expect(tokens.adopt({ accessToken: '' } as TokenSet)).rejects.toMatchObject({ code: 'CONFIGURATION_ERROR' });
  isDown = true;
  await expect(tokens.adopt(set('new'))).rejects.toMatchObject({ code: 'TOKEN_STORE_ERROR', operation: 'set' });
  expect([tokens.getToken(), entryOf(store)]).toEqual([before, before]);
});

it.each(['success', 'failure'] as const)(
  'a refresh that was under way at an adoption changes nothing (%s), and its callers get the adopted token',
  async (end) => {
    const store = memoryStore();
    const { asked, answers, fetchToken } = heldEndpoint();
    const tokens = manager(fetchToken, store);
    await tokens.adopt(set('old'));
    const waiting = tokens.getToken({ forceRefresh: true });
    await settle();
    expect([asked, tokens.isSettled()]).toEqual([['rt-old'], false]);
    const adopted = await tokens.adopt(set('new'));
    if (end === 'success') answers[0]?.resolve(set('late'));
    else answers[0]?.reject(refusal());
    expect(await waiting).toEqual(adopted);
    await settle();
    expect([tokens.getToken(), entryOf(store)]).toEqual([adopted, adopted]);
    expect([asked, tokens.isSettled()]).toEqual([['rt-old'], true]);
  },
);

it('an invalidation during an adoption wins', async () => {
  const store = memoryStore();
  const gate = Promise.withResolvers<void>();
  const slow: TokenStore = {
    ...store,
    async set(...rest) {
      const version = store.set(...rest);
      await gate.promise;
      return version;
    },
  };
  const discarded: TokenSet[] = [];
  const fetchToken = () => Promise.reject(refusal());
  const tokens = createTokenManager({ key: 'key', fetchToken, store: slow, onDiscarded: (tokenSet) => discarded.push(tokenSet) });
  const adopting = tokens.adopt(set('new'));
  await settle();
  await tokens.invalidate();
  store.set('key', set('new')); // a write that was under way arrives late
  gate.resolve();
  const adopted = await adopting;
  expect(adopted).toMatchObject({ accessToken: 'at-new' });
  expect([tokens.peek(), discarded]).toEqual([undefined, [adopted]]);
});

it('a late write of an adoption that was invalidated is taken out again', async () => {
  const store = memoryStore();
  const gate = Promise.withResolvers<void>();
  const slow: TokenStore = {
    ...store,
    async set(...rest) {
      await gate.promise;
      return store.set(...rest);
    },
  };
  const tokens = manager(heldEndpoint().fetchToken, slow);
  const adopting = tokens.adopt(set('new'));
  await settle();
  await tokens.invalidate();
  gate.resolve();
  await adopting;
  expect([store.get('key'), tokens.peek()]).toEqual([undefined, undefined]);
});

it.each([
  ['InteractionRequiredError', refusal],
  ['invalid_grant', () => new TokenEndpointError('refused', { status: 400, error: 'invalid_grant' })],
])('after %s the store is read again: a newer token is adopted', async (_, failure) => {
  const store = memoryStore();
  const { asked, answers, fetchToken } = heldEndpoint();
  const tokens = manager(fetchToken, store);
  await tokens.adopt(set('old'));
  const waiting = tokens.getToken({ forceRefresh: true });
  await settle();
  store.set('key', set('new')); // by a process that does not lock
  answers[0]?.reject(failure());
  expect(await waiting).toMatchObject({ accessToken: 'at-new' });
  expect([asked, entryOf(store)?.accessToken]).toEqual([['rt-old'], 'at-new']);
});

it('after a refusal a newer refresh token is used, where its access token ran out', async () => {
  const store = memoryStore();
  const { asked, answers, fetchToken } = heldEndpoint();
  const tokens = manager(fetchToken, store);
  await tokens.adopt(set('old'));
  const waiting = tokens.getToken({ forceRefresh: true });
  await settle();
  store.set('key', set('new', { expiresAtMs: 1 }));
  answers[0]?.reject(refusal());
  await settle();
  answers[1]?.resolve(set('newer'));
  expect(await waiting).toMatchObject({ accessToken: 'at-newer' });
  expect([asked, entryOf(store)?.refreshToken]).toEqual([['rt-old', 'rt-new'], 'rt-newer']);
});

it('after a refusal a token that nobody replaced goes; other errors leave it', async () => {
  const store = memoryStore();
  const { asked, answers, fetchToken } = heldEndpoint();
  const tokens = manager(fetchToken, store);
  await tokens.adopt(set('old', { expiresAtMs: Date.now() }));
  for (const failure of [new TokenEndpointError('bad', { status: 400, error: 'invalid_scope' }), refusal()]) {
    expect(store.get('key')).toBeDefined();
    const waiting = Promise.allSettled([tokens.getToken()]);
    await settle();
    answers.at(-1)?.reject(failure);
    expect(await waiting).toEqual([{ status: 'rejected', reason: failure }]);
  }
  expect(store.get('key')).toBeUndefined();
  // What was cleared does not come back from memory.
  const again = Promise.allSettled([tokens.getToken()]);
  await settle();
  answers.at(-1)?.reject(refusal());
  await again;
  expect(asked).toEqual(['rt-old', 'rt-old', undefined]);
});

it('a refusal does not hide for 30 s what another process has put into the store since', async () => {
  const store = memoryStore();
  const { answers, fetchToken } = heldEndpoint();
  const tokens = manager(fetchToken, store);
  const waiting = Promise.allSettled([tokens.getToken()]);
  await settle();
  answers[0]?.reject(refusal());
  await waiting;
  store.set('key', set('elsewhere'));
  expect(await tokens.getToken()).toMatchObject({ accessToken: 'at-elsewhere' });
});

it('what another process signed out is not refreshed from memory, and not written by a refresh under way', async () => {
  const store = memoryStore();
  const { asked, answers, fetchToken } = heldEndpoint();
  const tokens = manager(fetchToken, store);
  await tokens.adopt(set('old'));
  const waiting = Promise.allSettled([tokens.getToken({ forceRefresh: true })]);
  await settle();
  store.delete('key');
  answers[0]?.resolve(set('late'));
  await settle();
  answers[1]?.reject(refusal());
  expect(await waiting).toMatchObject([{ status: 'rejected', reason: { code: 'INTERACTION_REQUIRED' } }]);
  expect([asked, store.get('key')]).toEqual([['rt-old', undefined], undefined]);
});

it('begins with an initial token once, and never again after anything else was known', async () => {
  const initial = set('initial');
  for (const end of ['invalidated', 'adopted and invalidated', 'gone from the store', 'refused']) {
    const store = memoryStore();
    const { asked, answers, fetchToken } = heldEndpoint();
    const tokens = createTokenManager({ key: 'key', fetchToken, store, initial, needsRefreshToken: true });
    const types: string[] = [];
    if (end === 'adopted and invalidated') await tokens.adopt(set('other'));
    else expect(await tokens.getToken({ emit: ({ type }) => types.push(type) })).toMatchObject(initial);
    if (end !== 'adopted and invalidated') expect(types).toEqual(['token-locked', 'token-adopted', 'token-awaited']);
    expect([asked, entryOf(store)]).toEqual([[], tokens.peek()]);
    const waiting = end === 'refused' ? tokens.rejected(tokens.peek()) : undefined;
    if (end === 'gone from the store') store.delete('key');
    else if (end !== 'refused') await tokens.invalidate();
    await settle();
    answers[0]?.reject(refusal());
    await expect(waiting ?? Promise.reject(refusal())).rejects.toMatchObject({ error: 'invalid_grant' });
    const next = tokens.getToken({ forceRefresh: true });
    await settle();
    answers.at(-1)?.reject(refusal());
    await expect(next).rejects.toMatchObject({ code: 'INTERACTION_REQUIRED' });
    expect(asked.at(-1)).toBeUndefined();
  }
});

it('an initial token that has run out is refreshed, and kept while the server has trouble', async () => {
  const initial = set('initial', { expiresAtMs: Date.now() - 1 });
  for (const store of [memoryStore(), undefined]) {
    const { asked, answers, fetchToken } = heldEndpoint();
    const tokens = createTokenManager({ key: 'key', fetchToken, store, initial, maxAttempts: 1 });
    const first = tokens.getToken();
    await settle();
    answers[0]?.reject(new TokenEndpointError('500', { status: 400, error: 'server_error' }));
    await expect(first).rejects.toMatchObject({ status: 400 });
    const second = tokens.getToken();
    await settle();
    answers[1]?.resolve(set('fresh'));
    expect((await second).accessToken).toBe('at-fresh');
    expect(asked).toEqual(['rt-initial', 'rt-initial']);
  }
});

it('an initial token that was refused is not sent again, and one is not used where the store holds something else', async () => {
  const initial = set('initial', { expiresAtMs: Date.now() - 1 });
  for (const isDamaged of [false, true]) {
    const { asked, answers, fetchToken } = heldEndpoint();
    const store = memoryStore();
    if (isDamaged) store.set('key', { accessToken: '', tokenType: 'Bearer' });
    const tokens = createTokenManager({ key: 'key', fetchToken, store, initial });
    for (const at of [0, 1]) {
      const waiting = tokens.getToken();
      await settle();
      answers[at]?.reject(refusal());
      await expect(waiting).rejects.toMatchObject({ error: 'invalid_grant' });
    }
    expect(asked).toEqual([isDamaged ? undefined : 'rt-initial', undefined]);
  }
});
