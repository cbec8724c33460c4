// RFC 5849 §3.6, and the decoding of HTML 4.01 §17.13.4. Both work on octets, so that what is no UTF-8 survives.

/** What octets stand for when `%XX` is decoded. A `%` without two hex digits stands for itself. */
export function percentDecoded(octets: Buffer): Buffer {
  const decoded: number[] = [];
  for (let at = 0; at < octets.length; at++) {
    const digits = octets[at] === PERCENT ? octets.toString('latin1', at + 1, at + 3) : '';
    const isTriplet = /^[0-9A-Fa-f]{2}$/.test(digits);
    decoded.push(isTriplet ? Number.parseInt(digits, 16) : (octets[at] ?? 0));
    if (isTriplet) at += 2;
  }
  return Buffer.from(decoded);
}

/** The same for a query or a form, where `+` is a space. */
export function formDecoded(octets: Buffer): Buffer {
  return percentDecoded(octets.map((octet) => (octet === PLUS ? SPACE : octet)) as Buffer);
}

/** Every octet that is not unreserved as `%XX`, in upper case. */
export function percentEncoded(octets: Uint8Array): string {
  return Array.from(octets, (octet) => ENCODED[octet]).join('');
}

/** {@link percentEncoded} of a text's UTF-8. */
export function percentEncodedText(text: string): string {
  return percentEncoded(Buffer.from(text));
}

const [PERCENT, PLUS, SPACE] = [0x25, 0x2b, 0x20];

const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  return /[A-Za-z0-9._~-]/.test(character) ? character : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`;
});
