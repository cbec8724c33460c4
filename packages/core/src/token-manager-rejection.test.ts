import { describe, expect, it, vi } from 'vitest';
import { manager, refusal, T0, tokenEndpoint, trouble, useFakeClock } from './fixtures/token-endpoint.ts';

useFakeClock();

describe('a rejected token', () => {
  it('is refreshed once for 200 rejections, simultaneous, staggered or late', async () => {
    const { fetchToken, requests } = tokenEndpoint(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { accessToken: `t${requests.length}`, tokenType: 'Bearer' };
    });
    const tokens = manager(fetchToken);
    const first = Promise.resolve(tokens.getToken());
    await vi.advanceTimersByTimeAsync(5);
    const receipt = await first;
    const all = Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        await new Promise((resolve) => setTimeout(resolve, index / 2));
        return tokens.rejected(receipt);
      }),
    );
    await vi.advanceTimersByTimeAsync(200);
    expect(await all).toEqual(Array(200).fill(true));
    expect(requests).toHaveLength(2);
  });

  it('is not handed out again while its replacement is on the way', async () => {
    const { fetchToken } = tokenEndpoint();
    const tokens = manager(fetchToken);
    const receipt = await tokens.getToken();
    const recovery = tokens.rejected(receipt);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-2' });
    expect(await recovery).toBe(true);
  });

  it('that replaced another, that nobody accepted and that is under 30 s old is not refreshed again', async () => {
    const { fetchToken, requests } = tokenEndpoint();
    const tokens = manager(fetchToken);
    await tokens.rejected(await tokens.getToken());
    const second = await tokens.getToken();
    vi.setSystemTime(T0 + 29_999);
    expect(await tokens.rejected(second)).toBe(false);
    expect(requests).toHaveLength(2);
    vi.setSystemTime(T0 + 30_000);
    expect(await tokens.rejected(second)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it('that replaced another and was accepted since is refreshed like any', async () => {
    const { fetchToken, requests } = tokenEndpoint();
    const tokens = manager(fetchToken);
    await tokens.rejected(await tokens.getToken());
    const second = await tokens.getToken();
    tokens.accepted(second);
    expect(await tokens.rejected(second)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it('whose refresh failed tells the whole wave, with one token request, and the next call asks again', async () => {
    const { fetchToken, requests } = tokenEndpoint({}, trouble(400), {});
    const tokens = manager(fetchToken);
    const receipt = await tokens.getToken();
    await expect(tokens.rejected(receipt)).rejects.toMatchObject({ status: 400 });
    await expect(tokens.rejected(receipt)).rejects.toMatchObject({ status: 400 });
    expect(requests).toHaveLength(2);
    expect(await tokens.getToken()).toMatchObject({ accessToken: 'token-3' });
    expect(await tokens.rejected(receipt)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it('of a refused client causes no second wave inside 30 s', async () => {
    const { fetchToken, requests } = tokenEndpoint({}, refusal('invalid_client', 401));
    const tokens = manager(fetchToken);
    const receipt = await tokens.getToken();
    const wave = () => Promise.allSettled(Array.from({ length: 50 }, async () => tokens.rejected(receipt)));
    expect((await wave()).every(({ status }) => status === 'rejected')).toBe(true);
    vi.setSystemTime(T0 + 20_000);
    await wave();
    await expect(tokens.getToken()).rejects.toMatchObject({ error: 'invalid_client' });
    expect(requests).toHaveLength(2);
  });
});
