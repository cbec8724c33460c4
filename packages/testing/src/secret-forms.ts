/** How a secret was written where it was found. */
export type SecretForm =
  | 'plain'
  | 'percent-encoded'
  | 'form-encoded'
  | 'double-encoded'
  | 'html-escaped'
  | 'json-escaped'
  | 'base64'
  | 'base64url'
  | 'hex';

/** One spelling of a secret to look for. */
export interface SecretSpelling {
  readonly form: SecretForm;
  readonly text: string;
}

/**
 * Every spelling under which a secret can stand in a text: as it is, percent-, form- and doubly encoded, each of these also in hex and, at
 * all three byte alignments, in base64 and base64url (Basic credentials are base64 of form-encoded parts, RFC 6749 §2.3.1); the bytes of
 * Latin-1 too; and escaped as the common writers of HTML and JSON do it.
 */
export function secretForms(secret: string): readonly SecretSpelling[] {
  const encoded = textForms(secret).flatMap(({ form, text }) => [{ form, text }, ...byteForms(Buffer.from(text))]);
  const spellings = [...encoded, ...latin1Forms(secret), ...htmlForms(secret), ...jsonForms(secret)];
  // Where two forms give one text, the first names it.
  return spellings.filter(({ text }, index) => spellings.findIndex((other) => other.text === text) === index);
}

function textForms(secret: string): readonly SecretSpelling[] {
  const component = encodeURIComponent(secret);
  // RFC 3986 leaves fewer characters unencoded than encodeURIComponent; OAuth 1 signs that spelling (RFC 5849 §3.6).
  const strict = component.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams([['', secret]]).toString().slice(1);
  const upperCase: readonly SecretSpelling[] = [
    { form: 'plain', text: secret },
    { form: 'percent-encoded', text: component },
    { form: 'percent-encoded', text: strict },
    { form: 'form-encoded', text: form },
    { form: 'double-encoded', text: encodeURIComponent(strict) },
    { form: 'double-encoded', text: encodeURIComponent(form) },
  ];
  const lowerCase = upperCase
    .slice(1)
    .map(({ form, text }) => ({ form, text: text.replace(/%[0-9A-F]{2}/g, (triplet) => triplet.toLowerCase()) }));
  return [...upperCase, ...lowerCase];
}

/** Encoders write a question mark for what Latin-1 does not have. */
function latin1Forms(secret: string): readonly SecretSpelling[] {
  const bytes = Buffer.from(secret.replace(/[^\0-\xff]/gu, '?'), 'latin1');
  const percent = bytes.toString('latin1').replace(/[^\w.~-]/g, (char) => `%${Buffer.from(char, 'latin1').toString('hex').toUpperCase()}`);
  return [
    ...byteForms(bytes),
    { form: 'percent-encoded', text: percent },
    { form: 'percent-encoded', text: percent.replace(/%../g, (triplet) => triplet.toLowerCase()) },
  ];
}

/** express, Django and React, PHP, Go, XML, and text between tags, by how they write a single and a double quote. */
function htmlForms(secret: string): readonly SecretSpelling[] {
  const quotes = ['&#39; &quot;', '&#x27; &quot;', '&#039; &quot;', '&#39; &#34;', '&apos; &quot;', "' &quot;", `' "`];
  return quotes.map((written) => {
    const [single = '', double = ''] = written.split(' ');
    const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': double, "'": single };
    return { form: 'html-escaped', text: secret.replace(/[&<>"']/g, (char) => entities[char] ?? char) };
  });
}

/** JavaScript, Go, Python, PHP and .NET. */
function jsonForms(secret: string): readonly SecretSpelling[] {
  const plain = JSON.stringify(secret).slice(1, -1);
  const ascii = unicodeEscaped(plain, /[^ -~]/g);
  const dotnet = unicodeEscaped(secret.replaceAll('\\', '\\\\'), /["&'+<>`]|[^ -~]/g);
  const texts = [plain, plain.replaceAll('/', '\\/'), unicodeEscaped(plain, /[&<>]/g), ascii, ascii.replaceAll('/', '\\/'), dotnet];
  const upperCase = texts.map((text) => text.replace(/\\u[\da-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`));
  return [...texts, ...upperCase].map((text) => ({ form: 'json-escaped', text }));
}

function unicodeEscaped(text: string, unfit: RegExp): string {
  return text.replace(unfit, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function byteForms(bytes: Buffer): readonly SecretSpelling[] {
  const hex = bytes.toString('hex');
  const aligned = [0, 1, 2].flatMap((offset) => {
    const text = base64At(bytes, offset);
    return [
      { form: 'base64', text },
      { form: 'base64url', text: text.replaceAll('+', '-').replaceAll('/', '_') },
    ] as const;
  });
  return [{ form: 'hex', text: hex }, { form: 'hex', text: hex.toUpperCase() }, ...aligned];
}

/** The characters of base64 that depend on these bytes alone when `offset` other bytes stand before them. */
function base64At(bytes: Buffer, offset: number): string {
  const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const start = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  return encoded.slice(start, end);
}
