import { ConfigurationError, TokenStoreError } from './auth-error.ts';
import { redactedCause } from './redact.ts';
import { checkSecret, resolveSecret, type Secret } from './secret.ts';
import type { TokenSet } from './token-set.ts';
import type { TokenStore } from './token-store.ts';

/** An entry as the store gets it. Not to be taken for a token by who has no key: an empty access token is never sent. */
interface SealedEntry extends TokenSet {
  readonly accessToken: '';
  /** Nonce, ciphertext and tag, as base64url. */
  readonly sealed: string;
}

type Operation = 'get' | 'set';

/** What is encrypted is bound to its format and to the key of the store: an entry that is moved under another key does not decrypt. */
const FORMAT = 'authseam/aes-256-gcm/1';
const NONCE_BYTES = 12;
const USE = { option: 'encryptionKey', strategy: 'withEncryption' };

/**
 * Encrypts what a store keeps, any store: AES-256-GCM, with the key of each entry as associated data. Versions, locks and the keys of entries are the
 * store's, as they are. It needs WebCrypto and nothing of Node.
 *
 * An entry that does not decrypt makes `get` fail, and stays: a wrong key is no reason to lose tokens. So does one that was stored without encryption,
 * since anybody could have put it there. Signing in again writes over both. That an older entry of the same key was put back is not noticed.
 *
 * @param encryptionKey 32 random bytes, as base64, base64url or hex; no passphrase. Of several the first encrypts and all decrypt, which is how keys are
 * rotated. Functions are asked at each use.
 * @returns A frozen store, with `lock` where `store` has it. It rejects with `TokenStoreError` where an entry or a key is of no use.
 * @throws {ConfigurationError} for a key that is not 32 bytes long, as far as it is known at once.
 * @see NIST SP 800-38D
 * @example
 * ```ts
 * import { memoryStore, withEncryption } from '@authseam/core';
 *
 * const encryptionKey = btoa('an example, and 32 bytes long...'); // better fromEnv('TOKEN_KEY'), from `openssl rand -base64 32`
 * const store = withEncryption(memoryStore(), encryptionKey);
 * await store.set('key', { accessToken: 'example', tokenType: 'Bearer' });
 * ```
 */
export function withEncryption(store: Required<TokenStore>, encryptionKey: Secret | readonly Secret[]): Required<TokenStore>;
export function withEncryption(store: TokenStore, encryptionKey: Secret | readonly Secret[]): TokenStore;
export function withEncryption(store: TokenStore, encryptionKey: Secret | readonly Secret[]): TokenStore {
  const secrets: readonly Secret[] = Array.isArray(encryptionKey) ? [...encryptionKey] : [encryptionKey];
  if (secrets.length === 0) throw new ConfigurationError('withEncryption: at least one `encryptionKey` is needed.', USE);
  for (const secret of secrets) {
    checkSecret(secret, USE);
    if (typeof secret === 'string' && !keyBytes(secret))
      throw new ConfigurationError(`withEncryption: \`encryptionKey\` must be ${KEY_FORM}.`, USE);
  }

  return Object.freeze<TokenStore>({
    async get(key) {
      const found = await store.get(key);
      return found && { ...found, entry: await open(found.entry, key, secrets) };
    },
    async set(key, entry, options) {
      return store.set(key, await seal(entry, key, secrets), options);
    },
    delete: (key, options) => store.delete(key, options),
    ...(store.lock && { lock: store.lock.bind(store) }),
  });
}

async function seal(entry: TokenSet, key: string, [first]: readonly Secret[]): Promise<SealedEntry> {
  const cryptoKey = await importKey(first as Secret, 'set');
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const text = new TextEncoder().encode(jsonOf(entry));
  const sealed = await crypto.subtle.encrypt(algorithm(nonce, key), cryptoKey, text);
  return { accessToken: '', tokenType: 'encrypted', sealed: toBase64Url(new Uint8Array([...nonce, ...new Uint8Array(sealed)])) };
}

function jsonOf(entry: TokenSet): string {
  try {
    return JSON.stringify(entry);
  } catch (error) {
    throw failure('set', 'the entry holds what JSON cannot', error);
  }
}

async function open(entry: TokenSet, key: string, secrets: readonly Secret[]): Promise<TokenSet> {
  const { sealed } = entry as Partial<SealedEntry>;
  const bytes = typeof sealed === 'string' ? fromBase64(sealed) : undefined;
  if (!bytes) throw failure('get', 'the entry was stored without encryption, or by something else');
  for (const secret of secrets) {
    const cryptoKey = await importKey(secret, 'get');
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const text = await crypto.subtle.decrypt(algorithm(nonce, key), cryptoKey, bytes.subarray(NONCE_BYTES)).catch(() => undefined);
    if (text) return JSON.parse(new TextDecoder().decode(text)) as TokenSet;
  }
  throw failure('get', 'the entry does not decrypt: it was encrypted with another key, or altered');
}

/** As JSON, keys of the store cannot be mixed up with the format, nor with one another. */
function algorithm(iv: Uint8Array<ArrayBuffer>, key: string): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(JSON.stringify([FORMAT, key])) };
}

async function importKey(secret: Secret, operation: Operation): Promise<CryptoKey> {
  const text = await Promise.resolve()
    .then(() => resolveSecret(secret, USE))
    .catch((error) => {
      throw failure(operation, '`encryptionKey` could not be had', error);
    });
  const bytes = keyBytes(text);
  if (!bytes) throw failure(operation, `\`encryptionKey\` must be ${KEY_FORM}`);
  return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

const KEY_FORM = '32 bytes as base64 or hex (`openssl rand -base64 32`)';

/** 64 characters are hex: in base64 they would be 48 bytes. */
function keyBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.from(text.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const bytes = fromBase64(text);
  return bytes?.length === 32 ? bytes : undefined;
}

/** Bytes of base64 or base64url, with or without padding. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function toBase64Url(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function failure(operation: Operation, problem: string, error?: unknown): TokenStoreError {
  return new TokenStoreError(`withEncryption: ${operation} failed: ${problem}.`, { operation, cause: redactedCause(error) });
}
