// RFC 5849 §3.3: nonce and timestamp.

/** Letters and digits only, and 26 of them: 130 random bits, and within the 20 to 30 that servers built on oauthlib accept by default. */
const LENGTH = 26;
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
/** How many nonces one call of the random generator serves. */
const SUPPLY = 128;

/**
 * Yields nonces that no one can guess and that never repeat, from the platform's cryptographic random generator.
 *
 * @see RFC 5849 §3.3
 */
export function createNonces(): () => string {
  const supply = new Uint8Array(LENGTH * SUPPLY);
  let used = supply.length;
  return () => {
    if (used === supply.length) {
      crypto.getRandomValues(supply);
      used = 0;
    }
    const end = used + LENGTH;
    let nonce = '';
    for (; used < end; used += 1) nonce += ALPHABET.charAt((supply[used] as number) & 31);
    return nonce;
  };
}
