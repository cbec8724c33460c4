import type { AuthResponse } from '@authseam/core';
import { DRAIN_TIMEOUT_MS, discardBody, parseJson, READ_LIMIT, READ_TIMEOUT_MS, readText } from '@authseam/core/adapter';
import type { AxiosResponse } from 'axios';
import { headerOf } from './axios-headers.ts';

/** A stream of Node, as far as it is needed. */
interface NodeStream extends AsyncIterable<Uint8Array> {
  destroy(): void;
  once(event: 'close', listener: () => void): void;
}

/** What makes a stream there; only Node has such streams. */
interface NodeGlobals {
  readonly process: {
    getBuiltinModule(name: 'node:stream'): { readonly Readable: { from(chunks: AsyncIterable<Uint8Array>, options: object): NodeStream } };
  };
}

/** An axios response, before `transformResponse`, as a strategy sees it. */
export class AxiosAuthResponse implements AuthResponse {
  readonly #response: AxiosResponse;
  readonly #call: { readonly finalUrl: string };

  constructor(response: AxiosResponse, call: { readonly finalUrl: string }) {
    this.#response = response;
    this.#call = call;
  }

  get status(): number {
    return this.#response.status;
  }

  get url(): string {
    return this.#call.finalUrl;
  }

  get headers(): { get(name: string): string | null } {
    return { get: (name) => responseHeader(this.#response, name) };
  }

  async text(): Promise<string> {
    const { data } = this.#response;
    if (typeof data === 'string') return data.slice(0, READ_LIMIT);
    if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return new TextDecoder().decode(data).slice(0, READ_LIMIT);
    if (data instanceof Blob) return await data.slice(0, READ_LIMIT).text();
    if (isWebStream(data)) {
      const [copy, kept] = data.tee();
      this.#response.data = kept;
      return readText(copy);
    }
    if (isNodeStream(data)) return await this.#peek(data);
    return data && typeof data === 'object' ? JSON.stringify(data) : '';
  }

  async json(): Promise<unknown> {
    return parseJson(await this.text());
  }

  /** Reads the beginning, and puts a stream in place that gives it again and then the rest. */
  async #peek(stream: NodeStream): Promise<string> {
    const { Readable } = (globalThis as unknown as NodeGlobals).process.getBuiltinModule('node:stream');
    const source = stream[Symbol.asyncIterator]();
    const late = new Promise<undefined>((resolve) =>
      AbortSignal.timeout(READ_TIMEOUT_MS).addEventListener('abort', () => resolve(undefined)),
    );
    const read: Uint8Array[] = [];
    let size = 0;
    let coming = source.next();
    while (size < READ_LIMIT) {
      const step = await Promise.race([coming, late]);
      if (!step || step.done) break;
      read.push(step.value);
      size += step.value.length;
      coming = source.next();
    }
    const again = async function* () {
      yield* read;
      for (let step = await coming; !step.done; step = await source.next()) yield step.value;
    };
    coming.catch(() => {}); // whoever reads on is told; nobody may
    const kept = Readable.from(again(), { objectMode: false });
    kept.once('close', () => stream.destroy());
    this.#response.data = kept;
    const decoder = new TextDecoder();
    const text = read.map((chunk) => decoder.decode(chunk, { stream: true })).join('');
    return text.slice(0, READ_LIMIT);
  }
}

/** A header of `response`, which an adapter of the caller's own may keep in a plain object. */
export function responseHeader({ headers }: AxiosResponse, name: string): string | null {
  if (typeof headers?.['get'] === 'function') return headerOf(headers as { get(name: string): unknown }, name);
  const key = Object.keys(headers ?? {}).find((other) => other.toLowerCase() === name.toLowerCase());
  return key === undefined ? null : headerOf({ get: () => (headers as Record<string, unknown>)[key] }, name);
}

/** Frees the connection of a response that nobody gets: streams are what holds one. */
export function discardResponse(data: unknown): void {
  if (isWebStream(data)) discardBody(data);
  else if (isNodeStream(data)) void drain(data);
}

async function drain(stream: NodeStream): Promise<void> {
  const timer = setTimeout(() => stream.destroy(), DRAIN_TIMEOUT_MS);
  let left = READ_LIMIT;
  try {
    for await (const chunk of stream) {
      left -= chunk.length;
      if (left < 0) break; // which destroys the stream
    }
  } catch {
    // It is gone either way.
  }
  clearTimeout(timer);
}

function isWebStream(data: unknown): data is ReadableStream<Uint8Array> {
  return typeof data === 'object' && data !== null && 'getReader' in data;
}

function isNodeStream(data: unknown): data is NodeStream {
  return typeof data === 'object' && data !== null && 'destroy' in data && Symbol.asyncIterator in data;
}
