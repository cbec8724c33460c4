import { randomBytes } from 'node:crypto';

/**
 * A random secret of 40 characters and more that occurs nowhere else, for a test that looks for leaks with {@link findSecret}.
 * It is legal as a bearer token (RFC 6750 §2.1), in a header and in a cookie, and has `+` and `/`, which every encoding changes.
 *
 * @param label What it stands for, such as `'client secret'`; letters and digits of it are kept, so that a leak tells its own name.
 */
export function plantSecret(label: string): string {
  return `${label.replace(/[^A-Za-z0-9]+/g, '-')}+canary/${randomBytes(16).toString('hex')}~`;
}
