import { afterEach, expect, it, vi } from 'vitest';
import type { AuthStrategy } from '../auth-strategy.ts';
import { authorizedFetch } from './authorized-fetch.ts';

const streamed = new WeakSet<Request>();
const used = new WeakSet<Request>();

/** A Request as in Bun: made of another one it takes the body whatever the `mode`, locked or not; only a locked stream of the user is refused. */
class BunRequest extends Request {
  constructor(input: string | URL | Request, init: RequestInit = {}) {
    const { mode: _, ...rest } = init;
    if (input instanceof Request) {
      if (streamed.has(input)) throw new TypeError('ReadableStream is locked');
      used.add(input);
    }
    super(input instanceof Request ? input.url : input, rest);
    if (rest.body instanceof ReadableStream) streamed.add(this);
  }
}

afterEach(() => {
  vi.unstubAllGlobals();
});

it('a Request is left whole where the runtime does not say what its body is made of, and counts as a stream', async () => {
  vi.stubGlobal('Request', BunRequest);
  const statuses = [401, 200];
  const fetch = async () => new Response(null, { status: statuses.shift() ?? 200 });
  const strategy: AuthStrategy = {
    name: 'test',
    specVersion: 1,
    authorize: () => ({ headers: { 'X-Test': '1' } }),
    recover: () => true,
  };
  const request = new Request('https://api.example.com/items', { method: 'POST', body: 'text' });
  const onEvent = vi.fn();
  expect((await authorizedFetch(fetch, strategy, { onEvent })(request)).status).toBe(401);
  expect(used.has(request)).toBe(false);
  expect(onEvent).toHaveBeenCalledWith({ type: 'replay-skipped', strategy: 'test', reason: 'body-not-replayable' });
});
