import type { AnswerFault } from '@authseam/testing';

/** A token answer with other fields than a good one. */
export function tokenAnswer(fields: Readonly<Record<string, unknown>>, status = 200): AnswerFault {
  return { at: 'token', status, body: { token_type: 'Bearer', expires_in: 3600, ...fields } };
}

/** An HTML page in place of a token answer. */
export function page(status: number, text: string): AnswerFault {
  return { at: 'token', status, headers: { 'Content-Type': 'text/html' }, body: `<p>${text}</p>` };
}
