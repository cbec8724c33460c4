// RFC 6749 §5.2: error answers.
import { AuthError, isAuthError, redact, redactedCause, TokenEndpointError } from '@authseam/core';
import type { EdgeFetchOptions } from './edge-fetch.ts';
import { retryAfterMs } from './retry-after.ts';
import type { TokenFields } from './token-response.ts';

/** What an answer is judged with. */
export interface RefusalContext {
  readonly strategy: string;
  /** As messages name it: `'token endpoint'`. */
  readonly what: string;
  readonly endpoint: string;
  readonly secrets: Iterable<string>;
  readonly nowMs: number;
  /** Whether the request named a client of the caller's own. */
  readonly hasUserAgent: boolean;
}

/** What became of a request whose answer nobody needs to look at. */
export interface EdgeOutcome {
  /** What `fetch` or the body threw. */
  readonly failure: unknown;
  readonly status: number | undefined;
  readonly isTooLong: boolean;
  readonly url: string;
}

/** Why a request came to nothing before its answer was looked at: the connection, a redirect, or too long an answer. */
export function edgeFailure({ failure, status, isTooLong, url }: EdgeOutcome, { strategy, what, secrets }: EdgeFetchOptions): Error {
  if (isAuthError(failure)) return failure;
  const at = `${strategy}: the ${what} at ${withoutQuery(url)}`;
  if (failure !== undefined || status === undefined) {
    const cause = redactedCause(failure, secrets);
    const code = systemCode(cause);
    return new AuthError(`${at} could not be reached, or broke off${code && ` (${code})`}. Check the URL and the network.`, {
      code: 'TOKEN_REQUEST_FAILED',
      strategy,
      cause,
    });
  }
  const problem = isTooLong
    ? `answers with more than 1 MiB (status ${status}), which nobody reads. Check the URL.`
    : `redirects (status ${status}), and nothing was sent on. Give the URL that it leads to, if you trust that.`;
  return new TokenEndpointError(`${at} ${problem}`, { status, strategy });
}

/**
 * The error in an answer, or what keeps it from being a token response. Of the body nothing shows but `error` and `error_description`, redacted, and
 * of the former only what is an error code.
 *
 * @param misfit The member that does not fit; `undefined`: the status says it all.
 */
export function refusal(
  { ok, status, headers }: Response,
  fields: TokenFields,
  misfit: string | undefined,
  context: RefusalContext,
): TokenEndpointError {
  const { strategy, what, endpoint, nowMs } = context;
  const issued = ['access_token', 'refresh_token', 'id_token'].map((name) => fields[name]).filter((token) => typeof token === 'string');
  const secrets = [...context.secrets, ...issued];
  const at = `${strategy}: the ${what} at ${withoutQuery(endpoint)}`;
  if (ok && misfit && misfit !== 'error') {
    const hint = 'If that is how this server answers, describe it with `tokenResponse` or `scheme`.';
    return new TokenEndpointError(`${at} answered ${status} without a usable \`${misfit}\`. ${hint}`, { status, strategy });
  }
  const { error: code, error_description: description } = fields;
  const error = typeof code === 'string' && ERROR_CODE.test(code) && redact(code, secrets) === code ? code : undefined;
  const errorDescription = typeof description === 'string' && description ? redact(description, secrets) : undefined;
  const said = [error, errorDescription].filter(Boolean).join(': ');
  const hint = hintFor(error) ?? (status === 403 && !context.hasUserAgent ? USER_AGENT_HINT : hintFor(`${status}`));
  return new TokenEndpointError(
    `${at} refused with status ${status}${said && ` (${said})`}. ${hint?.replace('{option}', optionFor(what)) ?? 'Its documentation may say why.'}`,
    {
      status,
      error,
      errorDescription,
      strategy,
      retryAfterMs: retryAfterMs(headers.get('retry-after'), nowMs),
    },
  );
}

const ERROR_CODE = /^[\x20-\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** What to try next, by error code, else by status. `{option}` stands for the one that sets the endpoint. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^(?:invalid_client|401)$/, 'Check `clientId`, the secret or key, and which `clientAuthentication` the server wants.'],
  [/^unauthorized_client$/, 'Allow this client the grant at the authorization server.'],
  [/^invalid_(?:scope|target)$/, 'Check `scope`, `audience` and `resource`.'],
  [/^(?:404|405)$/, 'Check `{option}`.'],
  [/^(?:429|5\d\d)$/, 'Try again later.'],
  [
    /^(?:invalid_request|unsupported_grant_type|4\d\d)$/,
    'If the server wants other fields, headers or JSON, describe them with `tokenRequest`.',
  ],
];

/** HUVR for one, and many firewalls. */
const USER_AGENT_HINT = "Some servers want to know the client: set `tokenRequest.headers['User-Agent']`.";

function hintFor(reason = ''): string | undefined {
  return HINTS.find(([pattern]) => pattern.test(reason))?.[1];
}

/** The option that sets an endpoint: `'tokenEndpoint'`. */
function optionFor(what: string): string {
  return what.replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The code of the system, `ECONNREFUSED` say, which `fetch` hides among the causes of its error; empty where there is none. The deepest one says most. */
function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { code } = error as { code?: unknown };
  return systemCode(error.cause) || (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) ? code : '');
}

/** As endpoints stand in messages: a query may hold what should not show. */
export function withoutQuery(url: string): string {
  return url.replace(/\?.*/s, '');
}
