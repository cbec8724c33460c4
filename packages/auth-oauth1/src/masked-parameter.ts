import type { Credentials } from './credentials.ts';
import type { EncodedParameter } from './request-parameters.ts';

/**
 * `parameter` fit to be shown. Of keys and tokens the first and last two characters are left; of what holds one of the credentials, or is called like
 * a secret, nothing is. `…` stands for what is left out: no encoded text holds it.
 *
 * @param source Protocol parameters are shown only where they are known to be no secret.
 */
export function maskedParameter([name, value]: EncodedParameter, source: string, credentials: Credentials): EncodedParameter {
  const shown = holdsSecret(name, credentials) ? '…' : name;
  if (source === 'oauth') {
    const isOpen = OPEN.test(name) && !holdsSecret(value, credentials);
    return [shown, isOpen ? value : value === '' ? '' : value.replace(LONG, '$1…$2').replace(WITHOUT_MARK, '…')];
  }
  return [shown, value !== '' && (isSecretName(name) || holdsSecret(value, credentials)) ? '…' : value];
}

/** A base string URI fit to be shown: some APIs have tokens in their paths. */
export function maskedUri(uri: string, credentials: Credentials): string {
  return holdsSecret(uri, credentials) ? `${new URL(uri).origin}/…` : uri;
}

/** Any other text fit to be shown. */
export function maskedText(text: string, credentials: Credentials): string {
  return holdsSecret(text, credentials) ? '…' : text;
}

/** Short words count as whole ones only: `pin` and `user[pin]`, not `shipping`. */
function isSecretName(name: string): boolean {
  const words = name.replace(/%[\dA-F]{2}/g, '_').replace(/([a-z\d])([A-Z])/g, '$1_$2');
  return SECRET_NAME.test(name) || SECRET_WORD.test(words);
}

/**
 * Whether any spelling of a secret stands in `text`. Redaction answers with 200 characters at most, so that a long text is looked at piece by piece:
 * what begins in a piece is seen there, wherever it ends.
 */
function holdsSecret(text: string, { redact }: Credentials): boolean {
  for (let at = 0; at < text.length; at += PIECE) {
    if (redact(text.slice(at, at + READ)) !== text.slice(at, at + PIECE)) return true;
  }
  return false;
}

const PIECE = 200;
const READ = 2_000;
const OPEN = /^oauth_(?:nonce|signature_method|timestamp|version|body_hash|callback)$/;
const SECRET_NAME =
  /passw|passphrase|secret|token|api[-_]?key|credential|verifier|pwd|passcode|authcode|authoriz|signature|jwt|session|sessid|assertion/i;
const SECRET_WORD = /(?:^|[^a-z])(?:pass|auth|sig|code|pin)(?![a-z])/i;
/** Two characters at each end of ten or more, encoded or not. */
const LONG = /^((?:%..|[^%]){2})(?:%..|[^%]){6,}((?:%..|[^%]){2})$/;
const WITHOUT_MARK = /^[^…]*$/;
