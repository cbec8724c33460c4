import type { SignatureExplanation } from './signature-explanation.ts';

/** An explanation as text, for a person. */
export function signatureReport(explanation: Omit<SignatureExplanation, 'text' | 'toString'>): string {
  const { method, baseStringUri, parameters, signatureMethod, placement, causes, timestampSeconds, clockOffsetSeconds } = explanation;
  const time = new Date(timestampSeconds * 1000);
  const iso = Number.isNaN(time.getTime()) ? 'no date' : time.toISOString();
  const offset = clockOffsetSeconds === 0 ? '' : `, an offset of ${clockOffsetSeconds} s included`;
  const width = Math.min(Math.max(...parameters.map(({ name, value }) => name.length + value.length + 1)), 60);
  const isPlaintext = signatureMethod === 'PLAINTEXT';
  return [
    `OAuth 1 signature of ${method} ${baseStringUri}`,
    '',
    'Parameters, encoded, in the order in which they are signed:',
    ...parameters.map(({ name, value, source }) => `  ${`${name}=${value}`.padEnd(width)}  ${source}`),
    '',
    `Base string${isPlaintext ? ' (PLAINTEXT does not sign it)' : ''}:`,
    `  ${explanation.baseString}`,
    '',
    `Signature method:  ${signatureMethod}`,
    `Signing key:       ${explanation.signingKey}`,
    `Signature:         ${explanation.signature}`,
    `Timestamp:         ${timestampSeconds} (${iso}${offset})`,
    `Added to ${`${placement}:`.padEnd(10)}${placement === 'header' ? 'Authorization: ' : ''}${explanation.credentials}`,
    '',
    causes.length === 0 ? 'Nothing in this request stands out.' : 'What in this request often makes a signature fail, likeliest first:',
    ...causes.map(({ message }, index) => `  ${index + 1}. ${message}`),
    '',
    ...NEXT,
  ].join('\n');
}

const NEXT: readonly string[] = [
  'If the server still says that the signature does not match:',
  '  - Compare lengths and ends of keys and secrets with what it issued: consumer pair and token pair must be from the same place.',
  '  - Compare the base string with the one that the server logs or shows. The first difference is the cause.',
  '  - Look for what changes the request after it is signed: an interceptor that adds parameters, a proxy that rewrites the URL.',
];
