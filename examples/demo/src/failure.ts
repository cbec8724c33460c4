import { isAuthError, redact } from '@authseam/core';
import type { DemoServer } from './systems.ts';

/** Why something did not work, fit to be shown. */
export interface Failure {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
}

/** An error without anything secret in it. Authseam's own have none; other messages may quote what a server echoed. */
export function failureOf(error: unknown, server?: DemoServer): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: 'something that is no error was thrown' };
  const { name, cause, code = (cause as { code?: unknown } | undefined)?.code } = error as Error & { readonly code?: unknown };
  const message = isAuthError(error) ? error.message : redact(error.message, server === undefined ? [] : secretsOf(server));
  return { name, ...(typeof code === 'string' && { code }), message };
}

/** `TOKEN_ENDPOINT_ERROR: the token endpoint …` */
export function failureText({ name, code, message }: Failure): string {
  return code !== undefined && message.includes(code) ? message : `${code ?? name}: ${message}`;
}

/** What a server's clients keep secret: keys, secrets, every token that it was shown, and what tokens were asked for with. */
function secretsOf({ apiKey, clientSecret, requests }: DemoServer): string[] {
  const tokens = requests.map(({ headers }) => headers['authorization']?.split(' ')[1]);
  const forms = requests.filter(({ route }) => route === 'token').map(({ text }) => new URLSearchParams(text));
  const fields = forms.flatMap((form) => ['code', 'code_verifier', 'refresh_token'].map((name) => form.get(name) ?? undefined));
  return [...new Set([apiKey, clientSecret, ...tokens, ...fields])].filter((secret) => secret !== undefined);
}
