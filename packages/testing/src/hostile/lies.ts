/** What a {@link hostileAuthorizationServer} lies about. An empty object is the truth. */
export interface Lies {
  /**
   * Members of the metadata; `undefined` takes one out: `{ issuer: 'https://other.example' }`,
   * `{ code_challenge_methods_supported: ['plain'] }`, `{ authorization_endpoint: 'javascript:alert(1)' }`.
   */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Parameters of the callback, with a code or with an error. */
  readonly callback?: { readonly code?: ParameterLie; readonly state?: ParameterLie; readonly iss?: ParameterLie };
  /** An error in the callback instead of a code, whatever the person said. */
  readonly callbackError?: ErrorLie;
  /** `'missing'`: there is none although `openid` was granted. */
  readonly idToken?: IdTokenLie | 'missing';
  /** An error of the token endpoint, before it does anything. */
  readonly tokenError?: ErrorLie & { readonly status?: number };
  /** Every refresh is answered as if its refresh token had been used before, and ends the family: the answer before was lost, say. */
  readonly reportsReuse?: boolean;
  /** Endpoints that answer 307 to {@link HostileServer.elsewhere}, the request with all that it carries. */
  readonly redirects?: readonly ('discovery' | 'token' | 'revocation')[];
  /** The revocation endpoint answers 503, or never. */
  readonly revocation?: 'down' | 'stalls';
}

/** How a parameter of the callback is wrong. `'repeated'`: the right value twice. `'conflicting'`: the right one, then a wrong one. */
export type ParameterLie = 'missing' | 'empty' | 'wrong' | 'repeated' | 'conflicting';

/**
 * An error answer. In every text `{refresh_token}`, `{code}`, `{client_secret}` and so on stand for what the request carried under that
 * name, and `{access_token}` for the one that was issued last: servers do echo secrets.
 */
export interface ErrorLie {
  readonly error: string;
  readonly error_description?: string;
  readonly error_uri?: string;
}

/** How an ID token is wrong. */
export interface IdTokenLie {
  /** Claims replaced; `undefined` takes one out: `{ sub: 'mallory' }`, `{ nonce: 'another' }`, `{ aud: 'other' }`, `{ exp: 1 }`. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** `'none'`: unsigned. */
  readonly alg?: 'none';
  /** `'foreign'`: signed by a key that is not published, under the published key's name. */
  readonly key?: 'foreign';
}

/** The parameters of a callback, lied about. */
export function callbackLies(
  truth: Readonly<Record<string, string>>,
  { callback = {} }: Lies,
  wrong: (name: string) => string,
): readonly (readonly [string, string])[] {
  return Object.entries(truth).flatMap(([name, value]) => {
    const lie = callback[name as keyof typeof callback];
    return valuesOf(lie, value, wrong(name)).map((stated) => [name, stated] as const);
  });
}

function valuesOf(lie: ParameterLie | undefined, right: string, wrong: string): readonly string[] {
  switch (lie) {
    case undefined:
      return [right];
    case 'missing':
      return [];
    case 'empty':
      return [''];
    case 'wrong':
      return [wrong];
    case 'repeated':
      return [right, right];
    case 'conflicting':
      return [right, wrong];
  }
}

/** An error with its placeholders filled in. */
export function filledError(lie: ErrorLie, carried: Readonly<Record<string, string>>): Record<string, string> {
  const filled = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => carried[name] ?? whole);
  const { error, error_description, error_uri } = lie;
  const stated = Object.entries({ error, error_description, error_uri }).filter(([, text]) => text !== undefined);
  return Object.fromEntries(stated.map(([name, text = '']) => [name, filled(text)]));
}
