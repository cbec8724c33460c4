// RELIABILITY.md, faults 23 to 26; the host parser is that of the URL standard.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AuthStrategy, WithAuthOptions } from './auth-strategy.ts';
import { createOriginPolicy, isLoopback, type OriginPolicy, parseOrigin, strategyOrigins } from './origin-policy.ts';

const strategy: AuthStrategy = { name: 'test', specVersion: 1, authorize: () => ({}) };
const API = 'https://api.example.com';

function policy(options: WithAuthOptions = {}, origins?: readonly string[]): OriginPolicy {
  return createOriginPolicy(origins ? { ...strategy, [strategyOrigins]: origins } : strategy, options);
}

const sameOrigin: readonly (readonly [name: string, url: string])[] = [
  ['the origin itself', API],
  ['a path', `${API}/v1/users?q=1`],
  ['a scheme and host in upper case', 'HTTPS://API.EXAMPLE.COM/v1'],
  ['the default port', `${API}:443/v1`],
  ['tabs and newlines that the URL parser drops', 'https://api.exa\tmple.com/\n'],
  ['backslashes for slashes', 'https:\\\\api.example.com\\v1'],
  ['an @ in the path', `${API}/@evil.test/`],
  ['an @ after a backslash, which ends the host', `${API}\\@evil.test/`],
  ['another URL in the query', `${API}/?next=https://evil.test`],
];

const elsewhere: readonly (readonly [name: string, url: string])[] = [
  ['another host', 'https://evil.test/'],
  ['a subdomain', 'https://a.api.example.com/'],
  ['the parent domain', 'https://example.com/'],
  ['a suffix trick', 'https://api.example.com.evil.test/'],
  ['a prefix trick', 'https://xapi.example.com/'],
  ['the host without its dot', 'https://api-example.com/'],
  ['a trailing dot, which is another host', 'https://api.example.com./'],
  ['another port', `${API}:8443/`],
  ['a backslash before the @', 'https://evil.test\\@api.example.com/'],
  ['http', 'http://api.example.com/'],
  ['blob:, which shares the origin', `blob:${API}/9115d58c-bcda-ff47-86e5-083e9a215304`],
  ['another scheme', 'ftp://api.example.com/'],
  ['data:', `data:text/plain,${API}/`],
  ['a homograph', 'https://api.exаmple.com/'],
];

const relative = [
  '//api.example.com/',
  '/v1',
  'v1',
  '',
  'https://',
  'https://api.example.com:99999/',
  'https://exa mple.com/',
  '\\\\api.example.com/',
];

describe('with `origins`', () => {
  it.each(sameOrigin)('lets credentials go to %s', (_name, url) => {
    expect(policy({ origins: API }).refusal(url)).toBeUndefined();
  });

  it.each(elsewhere)('refuses %s', (_name, url) => {
    expect(policy({ origins: API }).refusal(url)).toBe('origin-not-allowed');
  });

  it.each(relative)('refuses %j, which is no absolute URL', (url) => {
    expect(policy({ origins: API }).refusal(url)).toBe('relative-url');
  });

  it.each([
    ['an IDN', 'https://bücher.example', 'https://xn--bcher-kva.example/x'],
    ['a full-width host', API, 'https://ａｐｉ.example.com/'],
    ['IPv6 in another spelling', 'https://[2001:db8::1]', 'https://[2001:DB8:0:0:0:0:0:1]:443/'],
    ['IPv4 in hex', 'https://127.0.0.1', 'https://0x7f.1/'],
    ['IPv4 as one number', 'https://127.0.0.1', 'https://2130706433/'],
  ])('compares %s parsed', (_name, origin, url) => {
    expect(policy({ origins: [origin] }).refusal(url)).toBeUndefined();
  });

  it.each(['https://*.example.com', 'https://*', 'https://api.%2A.example.com', 'http://*.localhost:3000', '*.example.com', '*'])(
    'refuses %s: wildcards would match nothing',
    (origins) => {
      const refused = expect.objectContaining({
        code: 'CONFIGURATION_ERROR',
        option: 'origins',
        message: expect.stringContaining('Wildcards are not supported: name each origin.'),
      });
      expect(() => policy({ origins })).toThrow(refused);
      expect(() => policy({ origins: [API, origins] })).toThrow(refused);
    },
  );

  it('refuses an empty list, with which everything would go out bare', () => {
    expect(() => policy({ origins: [] })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'origins', message: expect.stringContaining('is empty') }),
    );
  });

  it.each([null, 42, {}, new Set([API]), [null], [[API]]])('refuses %j, which is neither an origin nor a list of them', (origins) => {
    expect(() => policy({ origins: origins as never })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_ERROR', option: 'origins' }),
    );
  });

  it('ignores `home`', () => {
    const named = policy({ origins: API });
    expect(named.refusal('https://other.example/', 'https://other.example')).toBe('origin-not-allowed');
    expect(named.refusal(`${API}/`, 'https://other.example')).toBeUndefined();
  });

  it('names them, and no others, for redirects', () => {
    const named = policy({ origins: [API, 'https://b.example'] });
    expect(
      [`${API}/x`, 'https://b.example/', 'https://c.example/', 'http://api.example.com/'].map((url) => named.isNamed(new URL(url))),
    ).toEqual([true, true, false, false]);
  });
});

describe('without `origins`', () => {
  it('lets credentials go wherever the caller addressed the request, over https', () => {
    const open = policy();
    expect(open.refusal('https://a.example/')).toBeUndefined();
    expect(open.refusal('https://b.example/')).toBeUndefined();
    expect(open.refusal('http://a.example/')).toBe('insecure-http');
    expect(open.refusal('blob:https://a.example/1')).toBe('origin-not-allowed');
    expect(open.isNamed(new URL('https://a.example/'))).toBe(false);
  });

  it('keeps them at `home`, the baseURL of an axios instance', () => {
    const open = policy();
    for (const round of ['cold', 'warm']) {
      expect([round, open.refusal(`${API}/x`, API)]).toEqual([round, undefined]);
      expect([round, open.refusal('https://other.example/x', API)]).toEqual([round, 'origin-not-allowed']);
      expect([round, open.refusal(`${API}.evil.test/x`, API)]).toEqual([round, 'origin-not-allowed']);
    }
    expect(open.refusal('http://plain.example/', 'http://plain.example')).toBe('insecure-http');
  });

  it('does not take an approval that was given without `home` for one with it', () => {
    const open = policy();
    expect(open.refusal('https://other.example/x')).toBeUndefined();
    expect(open.refusal('https://other.example/x', API)).toBe('origin-not-allowed');
  });

  it.each([
    'http://localhost/',
    'http://LOCALHOST:8080/x',
    'http://api.localhost/',
    'http://127.0.0.1:3000/',
    'http://127.1.2.3/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://[::1]:3000/',
    'http://[0:0:0:0:0:0:0:1]/',
  ])('takes %s for this machine', (url) => {
    expect(isLoopback(new URL(url))).toBe(true);
    expect(policy().refusal(url)).toBeUndefined();
  });

  it.each([
    'http://localhost.evil.test/',
    'http://evil-localhost/',
    'http://127.0.0.1.evil.test/',
    'http://128.0.0.1/',
    'http://0.0.0.0/',
    'http://[::2]/',
    'http://[::1%25]x/',
    'http://10.0.0.1/',
  ])('does not take %s for this machine', (url) => {
    expect(policy().refusal(url)).toBe(URL.canParse(url) ? 'insecure-http' : 'relative-url');
  });
});

it.each(['https://api.example.com@evil.test/', 'https://api.example.com:443@evil.test/', 'https://user:hunter22@api.example.com/'])(
  'refuses the userinfo in %s, without showing a password',
  (url) => {
    for (const options of [{}, { origins: API }]) {
      expect(() => policy(options).refusal(url)).toThrow(
        expect.objectContaining({ option: 'url', message: expect.not.stringContaining('hunter22') }),
      );
    }
  },
);

describe('allowInsecureHttp', () => {
  it('widens to the origins it names, and only to them', () => {
    const wide = policy({ origins: ['http://plain.example', API], allowInsecureHttp: true });
    expect(wide.refusal('http://plain.example/x')).toBeUndefined();
    expect(wide.refusal('http://api.example.com/')).toBe('origin-not-allowed');
    expect(wide.refusal('http://plain.example:8080/')).toBe('origin-not-allowed');
  });

  it('needs origins', () => {
    expect(() => policy({ allowInsecureHttp: true })).toThrow(
      expect.objectContaining({ name: 'ConfigurationError', option: 'allowInsecureHttp' }),
    );
  });

  it('is needed for an http origin', () => {
    expect(() => policy({ origins: 'http://plain.example' })).toThrow(expect.objectContaining({ option: 'origins' }));
    expect(() => policy({}, ['http://plain.example'])).toThrow(expect.objectContaining({ option: 'byOrigin' }));
    expect(policy({ origins: 'http://localhost:3000' }).refusal('http://localhost:3000/')).toBeUndefined();
  });
});

describe('origins that a strategy brings', () => {
  it('act as `origins`', () => {
    const bound = policy({}, [API]);
    expect([bound.refusal(`${API}/`), bound.refusal('https://other.example/')]).toEqual([undefined, 'origin-not-allowed']);
    expect(bound.isNamed(new URL(API))).toBe(true);
  });

  it('are narrowed by the adapter’s `origins`, never widened', () => {
    const bound = policy({ origins: ['https://b.example', 'https://c.example'] }, [API, 'https://b.example']);
    expect([API, 'https://b.example', 'https://c.example'].map((origin) => bound.refusal(`${origin}/`))).toEqual([
      'origin-not-allowed',
      undefined,
      'origin-not-allowed',
    ]);
  });
});

describe('parseOrigin', () => {
  it.each([
    [API, API],
    [`${API}/`, API],
    ['HTTPS://API.example.com:443', API],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ])('writes %s as %s', (text, origin) => {
    expect(parseOrigin(text, 'origins', false)).toBe(origin);
  });

  it.each([
    '',
    'api.example.com',
    `${API}/v1`,
    `${API}?`,
    `${API}#`,
    'ftp://a.example',
    `blob:${API}/1`,
    'https://*.example.com/x',
    undefined as never,
  ])('refuses %j', (text) => {
    expect(() => parseOrigin(text, 'origins', true)).toThrow(expect.objectContaining({ name: 'ConfigurationError', option: 'origins' }));
  });

  it('refuses userinfo without showing it', () => {
    expect(() => parseOrigin('https://user:hunter22@api.example.com', 'origins', false)).toThrow(/^(?!.*hunter22)/);
  });
});

it('decides after any history as it decides at first, over adversarial URLs', () => {
  const host = fc.constantFrom(
    'api.example.com',
    'API.EXAMPLE.COM',
    'b.example',
    'evil.test',
    'localhost',
    '127.0.0.1',
    '0x7f.1',
    '[::1]',
    'api.example.com.',
    '',
  );
  const glue = fc.constantFrom(
    '',
    '/',
    '//',
    '\\',
    '@',
    ':',
    ':443',
    ':80',
    '.',
    '.evil.test',
    '/@',
    '\\@',
    '?',
    '#',
    '%2f',
    '\t',
    '\n',
    ' ',
    'x',
  );
  const scheme = fc.constantFrom(
    'https://',
    'http://',
    'HTTPS://',
    'https:',
    'https:\\\\',
    'blob:https://',
    'wss://',
    '//',
    '',
    ' https://',
  );
  const url = fc.oneof(
    fc.tuple(scheme, host, glue, host, glue).map((parts) => parts.join('')),
    fc.constantFrom(`${API}/1`, 'https://b.example/1', 'http://b.example/1', 'https://evil.test/1', 'http://localhost/1'),
  );
  const home = fc.constantFrom(undefined, undefined, API, 'https://b.example', 'http://localhost', 'http://b.example');
  const options = fc.constantFrom<WithAuthOptions>(
    {},
    { origins: API },
    { origins: [API, 'http://b.example'], allowInsecureHttp: true },
    { origins: 'https://evil.test' },
  );
  fc.assert(
    fc.property(options, fc.array(fc.tuple(url, home), { maxLength: 30 }), fc.tuple(url, home), (given, history, [last, lastHome]) => {
      const warm = policy(given);
      const decide = (one: OriginPolicy, at: string, from: string | undefined): unknown => {
        try {
          return one.refusal(at, from);
        } catch (error) {
          return String(error);
        }
      };
      for (const [before, itsHome] of history) decide(warm, before, itsHome);
      expect(decide(warm, last, lastHome)).toBe(decide(policy(given), last, lastHome));
    }),
    { numRuns: 5_000 },
  );
});

it('lets nothing but https, loopback and the named into the open', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), fc.boolean(), (url, insecure) => {
      const target = insecure ? url.replace(/^https:/, 'http:') : url.replace(/^http:/, 'https:');
      expect(policy().refusal(target)).toBe(insecure ? 'insecure-http' : undefined);
      expect(policy({ origins: API }).refusal(target)).toBe('origin-not-allowed');
    }),
  );
});

it('parses no URL that starts with an origin it has approved, also where `home` or `origins` decide', () => {
  const parse = URL.canParse;
  let parses = 0;
  URL.canParse = (...args) => {
    parses += 1;
    return parse(...args);
  };
  try {
    for (const [fresh, home] of [[policy()], [policy(), API], [policy({ origins: API })], [policy({ origins: API }), API]] as const) {
      fresh.refusal(`${API}/first`, home);
      parses = 0;
      expect(fresh.refusal(`${API}/second`, home)).toBeUndefined();
      expect(parses).toBe(0);
    }
  } finally {
    URL.canParse = parse;
  }
});
