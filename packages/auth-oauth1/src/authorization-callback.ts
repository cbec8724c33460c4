// RFC 5849 §2.2: resource owner authorization.
import type { OAuth1Transaction } from './oauth1-flow.ts';
import { endpointName, OAuth1FlowError, type OAuth1FlowErrorCode } from './oauth1-flow-error.ts';
import type { CheckedFlowOptions } from './oauth1-flow-options.ts';
import { encodedParameters, queryOf } from './request-parameters.ts';

/**
 * The `oauth_verifier` that the user came back with.
 *
 * @throws {OAuth1FlowError} when the callback is not of this transaction, or without consent.
 */
export function verifierOf(callback: string | URL, transaction: OAuth1Transaction, options: CheckedFlowOptions): string {
  const { callbackUrl, accessTokenEndpoint, authorizationEndpoint } = options;
  const endpoint = endpointName(authorizationEndpoint);
  const fail = (code: OAuth1FlowErrorCode, problem: string, oauthProblem?: string): OAuth1FlowError =>
    new OAuth1FlowError(`oauth1Flow: after authorization at ${endpoint} ${problem}`, {
      code,
      step: 'authorization',
      endpoint,
      oauthProblem,
    });
  const mismatch = (problem: string): OAuth1FlowError => fail('OAUTH1_FLOW_MISMATCH', `${problem} Nothing was sent.`);

  if (transaction.accessTokenEndpoint !== accessTokenEndpoint) throw mismatch('the transaction is one of another server.');
  if (callbackUrl === 'oob') {
    const code = typeof callback === 'string' ? callback.trim() : '';
    if (!VERIFIER.test(code))
      throw mismatch("the code is empty, or none. With `callbackUrl: 'oob'` finish() takes the code that the user typed in.");
    return code;
  }
  const parameters = callbackParameters(callback, callbackUrl);
  if (!parameters) throw mismatch('the callback is no URL. finish() takes the whole URL that the user came back to.');
  const only = (name: string): string | undefined => {
    const values = parameters.filter(([own]) => own === name);
    if (values.length > 1) throw mismatch(`the callback holds \`${name}\` more than once.`);
    return values[0]?.[1];
  };
  const token = only('oauth_token');
  const verifier = only('oauth_verifier');
  const problem = only('oauth_problem');
  if (token !== undefined && token !== transaction.token) {
    throw mismatch(
      'the callback holds the `oauth_token` of another flow: somebody else began it, or an older attempt of this user. Start again.',
    );
  }
  // `denied` is what Twitter and X send in place of a token and a verifier; beside those it is a parameter of the application itself.
  if (problem !== undefined || (verifier === undefined && only('denied') !== undefined)) {
    const named = problem !== undefined && /^\w{1,64}$/.test(problem) ? problem : undefined;
    throw fail('OAUTH1_FLOW_DENIED', `the user came back without consent${named ? ` (${named})` : ''}. Ask, and start again.`, named);
  }
  if (!token) throw mismatch('the callback has no `oauth_token`. finish() takes the whole URL that the user came back to.');
  if (!verifier) throw mismatch('the callback has no `oauth_verifier`: an old link, or a server of OAuth 1.0 before revision A.');
  if (!VERIFIER.test(verifier)) throw mismatch('the callback holds blanks or control characters in its `oauth_verifier`.');
  return verifier;
}

/** Those that are looked at, decoded; `undefined` where one of them cannot be. What else the callback holds may be in any encoding. */
function callbackParameters(callback: string | URL, callbackUrl: string): (readonly [string, string])[] | undefined {
  const text = String(callback);
  if (!URL.canParse(text, callbackUrl)) return undefined;
  try {
    return encodedParameters(queryOf(text)).flatMap(([name, value]) =>
      name === 'denied' ? [[name, '']] : READ.includes(name) ? [[name, decodeURIComponent(value)]] : [],
    );
  } catch {
    return undefined;
  }
}

const READ: readonly string[] = ['oauth_token', 'oauth_verifier', 'oauth_problem'];
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const VERIFIER = /^[^\s\u0000-\u001f\u007f]+$/;
