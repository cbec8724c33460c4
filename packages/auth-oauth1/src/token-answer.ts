// RFC 5849 §2.1, §2.3: the answers with temporary credentials and with token credentials.
import type { OAuth1TokenCredentials } from './oauth1-flow.ts';
import type { OAuth1FlowStep } from './oauth1-flow-error.ts';
import type { ReceivedAnswer } from './receive-answer.ts';
import { encodedParameters, formText } from './request-parameters.ts';

/** What an answer holds: credentials, what keeps it from holding them, or a refusal, with what must not show of it. */
export type ReadAnswer =
  | { readonly credentials: OAuth1TokenCredentials }
  | { readonly misfit: string }
  | { readonly refused: true; readonly secrets: readonly string[] };

/**
 * Reads form-encoded credentials. The media type is not asked for: servers that answer with a form have called it `text/html` (Twitter) and
 * `text/plain`.
 */
export function credentialsIn(answer: ReceivedAnswer, step: OAuth1FlowStep): ReadAnswer {
  const { status, isRedirect, isTooLong } = answer;
  if (isRedirect) return { misfit: `answered with a redirect (status ${status}), which is not followed. Check the URL.` };
  if (isTooLong) return { misfit: `answered ${status} with more than 64 KiB, which is no token. Check the URL.` };
  const isRefused = status < 200 || status > 299;
  const text = formText(answer.bytes).trim();
  const fields = fieldsOf(text);
  const of = (name: string): string[] => fields?.filter(([own]) => own === name).map(([, value]) => value) ?? [];
  if (isRefused || of('oauth_problem').length > 0) return { refused: true, secrets: [...of('oauth_token'), ...of('oauth_token_secret')] };
  if (!fields) return { misfit: `answered ${status} with ${kindOf(text)} where form-encoded credentials should be. Check the URL.` };

  for (const name of ['oauth_token', 'oauth_token_secret']) {
    const [value, ...others] = of(name);
    const isUnfit = value === undefined || (value === '' && name === 'oauth_token') || CONTROL_CHARACTER.test(value);
    if (isUnfit || others.length > 0) {
      const what = others.length > 0 ? `with \`${name}\` more than once` : `without a usable \`${name}\``;
      return { misfit: `answered ${status} ${what}: ${kindOf(text)}. Check the URL.` };
    }
  }
  if (step === 'temporary-credentials' && of('oauth_callback_confirmed').join() !== 'true') return { misfit: UNCONFIRMED };
  const [token = ''] = of('oauth_token');
  const [tokenSecret = ''] = of('oauth_token_secret');
  const parameters = Object.fromEntries(fields.filter(([name]) => name !== 'oauth_token' && name !== 'oauth_token_secret'));
  return { credentials: Object.freeze({ token, tokenSecret, parameters: Object.freeze(parameters) }) };
}

/** Decoded; `undefined` for what is no form, or names a credential that is no UTF-8. In what else there is, such bytes become U+FFFD. */
function fieldsOf(text: string): (readonly [string, string])[] | undefined {
  if (/^[<{["]/.test(text)) return undefined;
  try {
    return encodedParameters(text).map(([name, value]) =>
      READ.includes(name) ? [name, decodeURIComponent(value)] : [lenientlyDecoded(name), lenientlyDecoded(value)],
    );
  } catch {
    return undefined;
  }
}

function lenientlyDecoded(encoded: string): string {
  return new URLSearchParams(`v=${encoded}`).get('v') ?? '';
}

function kindOf(text: string): string {
  if (text === '') return 'an empty body';
  return text.startsWith('<') ? 'a page (HTML or XML)' : /^[{["]/.test(text) ? 'JSON' : 'another text';
}

const READ: readonly string[] = ['oauth_token', 'oauth_token_secret', 'oauth_callback_confirmed', 'oauth_problem'];
const UNCONFIRMED =
  'did not confirm the callback (`oauth_callback_confirmed=true`): it speaks OAuth 1.0 before revision A, which lets one user finish the flow of another. Ask its operator for 1.0a.';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f]/;
