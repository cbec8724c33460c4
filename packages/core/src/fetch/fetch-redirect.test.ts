import { describe, expect, it } from 'vitest';
import type { AuthStrategy } from '../auth-strategy.ts';
import { authorizedFetch } from './authorized-fetch.ts';

const url = 'https://api.example.com/items';

/** A server that redirects with 307, first to its own origin and then to another, and the requests as they would go out. */
function redirecting() {
  const sent: { body: unknown; contentType: string | null }[] = [];
  const targets = [url, 'https://other.example.com/items'];
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { headers } = new Request(input instanceof Request ? input.clone() : input, init);
    sent.push({ body: init?.body, contentType: headers.get('content-type') });
    const location = targets[sent.length - 1];
    return location ? new Response(null, { status: 307, headers: { location } }) : new Response('done');
  };
  return { sent, fetch };
}

function strategy(readsBody: 'none' | 'form' | 'bytes'): AuthStrategy {
  return { name: 'test', specVersion: 1, readsBody, authorize: () => ({ headers: { 'X-Test': '1' } }) };
}

describe('a body on a redirect that asks for it again', () => {
  const form = new FormData();
  form.set('field', 'value');
  const bodies: Record<string, () => NonNullable<RequestInit['body']>> = {
    string: () => 'text',
    URLSearchParams: () => new URLSearchParams('a=1'),
    bytes: () => new Uint8Array([1, 2]),
    Blob: () => new Blob(['blob'], { type: 'text/x-test' }),
    FormData: () => form,
  };
  const cases = Object.keys(bodies).flatMap((kind) => (['none', 'form', 'bytes'] as const).map((reads) => [kind, reads] as const));

  it.each(cases)('keeps its media type: %s with readsBody %s', async (kind, reads) => {
    const { sent, fetch } = redirecting();
    const body = bodies[kind]!();
    await authorizedFetch(fetch, strategy(reads))(url, { method: 'POST', body });
    const types = sent.map(({ contentType }) => contentType?.replace(/boundary=.*/, ''));
    expect(types).toEqual([types[0], types[0], types[0]]);
    expect(types[0] === undefined).toBe(kind === 'bytes');
  });

  it.each(cases)('of a Request is never bytes where fetch itself may have to repeat it: %s with readsBody %s', async (kind, reads) => {
    const { sent, fetch } = redirecting();
    await authorizedFetch(fetch, strategy(reads))(new Request(url, { method: 'POST', body: bodies[kind]!() }));
    expect(sent).toHaveLength(3);
    expect(ArrayBuffer.isView(sent[2]?.body)).toBe(false);
  });
});
