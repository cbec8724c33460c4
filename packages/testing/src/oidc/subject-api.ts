// RFC 6750 §3 (challenges), RFC 9470 §3 (step-up). Tokens are looked up where they were issued, opaque ones and JWTs alike.
import type { Answer } from '../answer.ts';
import type { Route, Routes } from '../loopback-server.ts';
import type { ReceivedRequest } from '../received-request.ts';
import type { TokenLedger } from '../token-ledger.ts';
import { bearerChallenge, bearerTokenOf, insufficientScope, invalidToken, STANDINGS } from './bearer-challenge.ts';
import type { IssuedToken } from './code-provider.ts';

/** What `/api/transfer` wants of a sign-in. */
export interface StepUp {
  /** The authentication context class that the token must come from. */
  readonly acr: string;
  /** How long ago the person may have signed in, in seconds. */
  readonly maxAgeSeconds: number;
}

/** What the API checks tokens against. */
export interface SubjectApiOptions {
  readonly tokens: ReadonlyMap<string, IssuedToken>;
  readonly ledger: TokenLedger;
  readonly stepUp: StepUp;
  /** Web origins whose pages may call it. */
  readonly origins: ReadonlySet<string>;
}

/** `/api/me`, `/api/admin` and `/api/transfer`, each with GET and POST. */
export function subjectApi(options: SubjectApiOptions): Routes {
  const paths: Readonly<Record<string, (token: IssuedToken) => Answer>> = {
    '/api/me': who,
    '/api/admin': (token) => (token.scope.includes('admin') ? who(token) : insufficientScope('admin')),
    '/api/transfer': (token) => stepUpChallenge(token, options) ?? who(token),
  };
  const routes = Object.entries(paths).flatMap(([path, answer]): readonly (readonly [string, Route])[] => {
    const handle = (request: ReceivedRequest) => withCors(request, guarded(request, options, answer), options);
    const preflight = (request: ReceivedRequest) => withCors(request, { status: 204, headers: PREFLIGHT }, options);
    return [
      [`GET ${path}`, handle],
      [`POST ${path}`, handle],
      [`OPTIONS ${path}`, { purpose: 'preflight', handle: preflight }],
    ];
  });
  return Object.fromEntries(routes);
}

function who({ subject, clientId, scope, acr }: IssuedToken): Answer {
  return { body: { sub: subject, client_id: clientId, scope: scope.join(' '), acr } };
}

function guarded(request: ReceivedRequest, { ledger, tokens }: SubjectApiOptions, answer: (token: IssuedToken) => Answer): Answer {
  const bearer = bearerTokenOf(request);
  if ('refusal' in bearer) return bearer.refusal;
  const standing = ledger.standing(bearer.token);
  const token = tokens.get(bearer.token);
  if (standing !== 'valid' || token === undefined) return invalidToken(STANDINGS[standing === 'valid' ? 'unknown' : standing]);
  return answer(token);
}

function stepUpChallenge(token: IssuedToken, { stepUp }: SubjectApiOptions): Answer | undefined {
  const isFresh = Date.now() / 1000 - token.authTimeSeconds <= stepUp.maxAgeSeconds;
  if (token.acr === stepUp.acr && isFresh) return undefined;
  return bearerChallenge(401, {
    error: 'insufficient_user_authentication',
    error_description: 'a stronger or more recent sign-in is needed',
    acr_values: stepUp.acr,
    max_age: String(stepUp.maxAgeSeconds),
  });
}

const PREFLIGHT: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Methods': 'GET, POST',
  'Access-Control-Allow-Headers': 'Authorization, Content-Type',
  'Access-Control-Max-Age': '3600',
};

/** To a page of another origin the answer is the same, but its browser keeps it from the page. */
function withCors({ headers }: ReceivedRequest, answer: Answer, { origins }: SubjectApiOptions): Answer {
  const origin = headers['origin'];
  if (origin === undefined || !origins.has(origin)) return answer;
  const exposed = { 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': 'WWW-Authenticate', Vary: 'Origin' };
  return { ...answer, headers: { ...exposed, ...answer.headers } };
}
