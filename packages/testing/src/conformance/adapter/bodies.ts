import { pause } from '../expectation.ts';
import type { ClientBody, ClientRequest } from './adapter-subject.ts';

/** Every kind of body that can be sent twice, made anew for each call. */
export const REPLAYABLE_BODIES: Readonly<Record<string, () => Pick<ClientRequest, 'body' | 'json' | 'headers'>>> = {
  'a string': () => ({ body: 'text é' }),
  'an empty string': () => ({ body: '' }),
  'JSON of the client': () => ({ json: { a: [1, 'é'], 'b c': { d: null } } }),
  'JSON as text': () => ({ body: '{"a":[1,"é"]}', headers: { 'Content-Type': 'application/json' } }),
  'urlencoded text': () => ({ body: "a=1&b=it's+%C3%A9&c=[x|y]", headers: { 'Content-Type': 'application/x-www-form-urlencoded' } }),
  URLSearchParams: () => ({
    body: new URLSearchParams([
      ['a', '1 +'],
      ['b', 'é'],
      ['b', "it's"],
    ]),
  }),
  'empty URLSearchParams': () => ({ body: new URLSearchParams() }),
  bytes: () => ({ body: new Uint8Array([0, 1, 250, 251, 252, 13, 10]) }),
  'a view into a larger buffer': () => ({ body: new Uint8Array([0, 1, 2, 250, 251, 252]).subarray(2, 5) }),
  'an ArrayBuffer': () => ({ body: new Uint8Array([0, 1, 250]).buffer }),
  'a Blob': () => ({ body: new Blob(['blob é'], { type: 'text/x-test' }) }),
  'a Blob without a type': () => ({ body: new Blob([new Uint8Array([0, 250])]) }),
  FormData: () => ({ body: formData() }),
};

/** Bodies that are gone once they are sent. */
export const ONE_SHOT_BODIES: Readonly<Record<string, (text: string) => ClientBody>> = {
  'a stream': (text) => new Blob([text]).stream(),
  'an async iterable': (text) => iterable(text),
};

function formData(): FormData {
  const form = new FormData();
  form.set('field', "it's é");
  form.set('file', new Blob(['content'], { type: 'text/x-test' }), 'a.txt');
  return form;
}

async function* iterable(text: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  yield bytes.slice(0, 3);
  await pause(1);
  yield bytes.slice(3);
}

/** What a client or a test says of an error, to be compared: never its stack. */
export function kindOf(error: unknown): object {
  const { name, code, message } = (error ?? {}) as { name?: unknown; code?: unknown; message?: unknown };
  // Ports and durations differ from one call to the next.
  return { name, code, message: String(message).replace(/:\d{4,5}\b/g, ':PORT') };
}
