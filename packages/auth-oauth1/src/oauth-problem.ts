// OAuth Problem Reporting (extension to OAuth Core 1.0, draft of 2008).
import { type AuthResponse, parseChallenges } from '@authseam/core';

/** Why a server says that it refused a request. Its own words: untrusted text. */
export interface OAuthProblem {
  /** `signature_invalid`, `timestamp_refused`, … */
  readonly problem: string;
  /** `oauth_problem_advice`, or what else it says about the problem: absent parameters, acceptable timestamps. */
  readonly advice: string | undefined;
}

/**
 * The `oauth_problem` of a response: from a `WWW-Authenticate: OAuth` challenge, else from a body that is a form, or JSON with the problem as a member
 * or as form text within a string (Magento). `undefined` where none is named.
 */
export async function oauthProblem(response: AuthResponse): Promise<OAuthProblem | undefined> {
  const challenges = parseChallenges(response.headers.get('www-authenticate'));
  for (const { scheme, parameters } of challenges) {
    const found = /^oauth$/i.test(scheme) && problemIn((name) => formDecoded(parameters[name]));
    if (found) return found;
  }
  try {
    return problemInText(await response.text());
  } catch {
    return undefined; // a body that breaks off names no problem; the rejection is the caller's then
  }
}

function problemInText(text: string): OAuthProblem | undefined {
  const form = (fields: string): OAuthProblem | undefined => {
    const parameters = new URLSearchParams(fields.trim());
    return problemIn((name) => parameters.get(name));
  };
  if (!/^\s*[[{"]/.test(text)) return form(text);
  let found: OAuthProblem | undefined;
  JSON.parse(text, function (this: Record<string, unknown>, name, value: unknown) {
    if (name === 'oauth_problem') found ??= problemIn((member) => this[member]);
    else if (typeof value === 'string' && value.startsWith('oauth_problem=')) found ??= form(value);
    return value;
  });
  return found;
}

function problemIn(fieldOf: (name: string) => unknown): OAuthProblem | undefined {
  const problem = fieldOf('oauth_problem');
  if (typeof problem !== 'string' || !/^\w{1,64}$/.test(problem)) return undefined;
  const advice = ADVICE.map((name) => fieldOf(`oauth_${name}`)).find((value) => typeof value === 'string' && value !== '');
  return { problem, advice: advice as string | undefined };
}

/** Parameters of the challenge are percent-encoded within their quotes. */
function formDecoded(value: string | undefined): string | undefined {
  return value === undefined ? undefined : (new URLSearchParams(`v=${value.replace(/[&+]/g, encodeURIComponent)}`).get('v') ?? undefined);
}

const ADVICE: readonly string[] = [
  'problem_advice',
  'parameters_absent',
  'parameters_rejected',
  'acceptable_timestamps',
  'acceptable_versions',
];
