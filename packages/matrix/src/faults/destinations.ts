// Where credentials go, and where they do not. What must not arrive anywhere is told by the search after each row, too.
import { withAuth } from '@authseam/adapter-fetch';
import type { WithAuthOptions } from '@authseam/core';
import { expect } from 'vitest';
import { adapters, type MatrixAdapter } from '../adapters.ts';
import { strategies } from '../strategies.ts';
import type { FaultRow } from './fault-row.ts';

const API = 'https://api.example.com';

/** fetch to hosts that no test reaches: what would have gone out, and with which credential. */
function recording(answerTo: (url: string) => Response = () => new Response('ok')): {
  adapter: MatrixAdapter;
  sent: [string, string | null][];
} {
  const sent: [string, string | null][] = [];
  const send = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    sent.push([String(input), new Headers(init?.headers).get('authorization')]);
    return answerTo(String(input));
  };
  const [first] = adapters;
  const attach: MatrixAdapter['attach'] = (strategy, options) => {
    const call = withAuth(send, strategy, options);
    return async (url) => {
      const { status, text } = await call(url).then(async (answer) => ({ status: answer.status, text: await answer.text() }));
      return { status, text };
    };
  };
  return { adapter: { ...(first as MatrixAdapter), attach }, sent };
}

/** Spellings of one origin; whoever compares text takes them for others. */
const same: Readonly<Record<string, readonly [origin: string, url: string]>> = {
  'letter case': [API, 'HTTPS://API.Example.COM/x'],
  'the default port': [API, 'https://api.example.com:443/x'],
  'an IDN': ['https://bücher.example', 'https://xn--bcher-kva.example/x'],
  'IPv6 in another spelling': ['https://[2001:db8::1]', 'https://[2001:DB8:0:0:0:0:0:1]:443/x'],
  'IPv4 in hex': ['https://127.0.0.1', 'https://0x7f.1/x'],
};

/** Spellings of another origin; whoever compares text takes them for the same. */
const other: Readonly<Record<string, string>> = {
  'a suffix': 'https://api.example.com.evil.test/x',
  'a prefix': 'https://xapi.example.com/x',
  'a subdomain': 'https://a.api.example.com/x',
  'a trailing dot': 'https://api.example.com./x',
  'another port': 'https://api.example.com:8443/x',
  http: 'http://api.example.com/x',
  'a backslash before the @': 'https://evil.test\\@api.example.com/x',
  'backslashes for slashes': 'https:\\\\evil.test\\x',
  'the origin in the path': 'https://evil.test/https://api.example.com/x',
  'a homograph': 'https://api.exаmple.com/x',
  'a relative URL with a host': '//evil.test/x',
};

const sentTo = (title: string, options: WithAuthOptions, url: string, expected: 'with the credential' | 'bare', fault = 24): FaultRow => ({
  fault,
  title: `${title}: ${expected}`,
  async run(world) {
    const strategy = world.clientCredentials(await world.server());
    const { adapter, sent } = recording();
    await world.attach(strategy, adapter, options)(url);
    const { accessToken } = await strategy.getToken();
    expect(sent).toEqual([[url, expected === 'bare' ? null : `Bearer ${accessToken}`]]);
    expect(world.events.filter(({ type }) => type === 'request-bare')).toHaveLength(expected === 'bare' ? 1 : 0);
  },
});

/** Every strategy in turn, and after each redirect nothing of it elsewhere. */
const redirected = (adapter: MatrixAdapter, status: number): FaultRow => ({
  fault: 26,
  title: `a ${status} to another origin takes no credential along, wherever it stood: ${adapter.name}`,
  async run(world) {
    const server = await world.server();
    for (const { create } of strategies) {
      const { strategy, secrets } = create();
      server.inject({
        at: 'api',
        transform: (_, { query }) => ({ status, headers: { Location: `${server.elsewhere.origin}/landed?x=1${query && `&${query}`}` } }),
      });
      const form = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'a=1' };
      expect(await world.attach(strategy, adapter)(server.api, form)).toMatchObject({ status: 200 });
      for (const secret of secrets) world.keep(secret, '*');
    }
    expect(server.elsewhere.requests.map(({ query }) => query)).toEqual(strategies.map(() => 'x=1'));
    expect(new Set(server.elsewhere.requests.map(({ text }) => text))).toEqual(new Set([status === 307 ? 'a=1' : '']));
  },
});

export const destinationRows: readonly FaultRow[] = [
  ...Object.entries(same).map(([title, [origin, url]]) =>
    sentTo(`the same origin: ${title}`, { origins: origin }, url, 'with the credential'),
  ),
  ...Object.entries(other).map(([title, url]) => sentTo(`another origin: ${title}`, { origins: API }, url, 'bare')),
  ...adapters.map(
    (adapter): FaultRow => ({
      fault: 24,
      title: `over sockets: another spelling of the address is the same origin, another name of the machine is not: ${adapter.name}`,
      async run(world) {
        const server = await world.server();
        const call = world.attach(world.clientCredentials(server), adapter, { origins: server.origin });
        const at = (host: string): string => server.api.replace('127.0.0.1', host);
        const statuses: number[] = [];
        for (const host of ['127.0.0.1', '0x7f.1', '2130706433', 'localhost']) statuses.push((await call(at(host))).status);
        expect(statuses).toEqual([200, 200, 200, 401]);
      },
    }),
  ),
  sentTo('http beyond this machine', {}, 'http://api.example.com/x', 'bare', 25),
  sentTo(
    'http beyond this machine, allowed by name',
    { origins: 'http://api.example.com', allowInsecureHttp: true },
    'http://api.example.com/x',
    'with the credential',
    25,
  ),
  sentTo(
    'http that was allowed for another name',
    { origins: ['http://api.example.com', API], allowInsecureHttp: true },
    'http://other.example.com/x',
    'bare',
    25,
  ),
  {
    fault: 25,
    title: 'http is not allowed at large, nor named without saying so',
    async run(world) {
      const strategy = world.clientCredentials(await world.server());
      const { adapter } = recording();
      for (const [options, option] of [
        [{ allowInsecureHttp: true }, 'allowInsecureHttp'],
        [{ origins: 'http://api.example.com' }, 'origins'],
      ] as const)
        expect(await world.failureOf(() => world.attach(strategy, adapter, options))).toMatchObject({
          code: 'CONFIGURATION_ERROR',
          option,
        });
    },
  },
  ...adapters.flatMap((adapter) => [302, 307].map((status) => redirected(adapter, status))),
  {
    fault: 26,
    title: 'a redirect from https to http stops',
    async run(world) {
      const location = { status: 302, headers: { Location: 'http://api.example.com/x' } };
      const { adapter, sent } = recording(() => new Response(null, location));
      const call = world.attach(world.clientCredentials(await world.server()), adapter);
      expect(await world.failureOf(call(`${API}/x`))).toMatchObject({ code: 'UNSAFE_DESTINATION', origin: 'http://api.example.com' });
      expect(sent.map(([url]) => url)).toEqual([`${API}/x`]);
    },
  },
];
