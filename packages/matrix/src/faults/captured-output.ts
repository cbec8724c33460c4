import { inspect } from 'node:util';

/** What the process writes while it is captured. */
export interface CapturedOutput extends Disposable {
  readonly texts: readonly string[];
}

/** Takes everything that is written to standard output and error, to the console, and as a warning. Nothing of it gets out. */
export function capturedOutput(): CapturedOutput {
  const texts: string[] = [];
  const restore = [
    ...[process.stdout, process.stderr].map((stream) => replaced(stream, 'write', (chunk: unknown) => texts.push(textOf(chunk)) > 0)),
    // The test runner has put a console of its own in place of the one that writes to those streams.
    ...(['debug', 'error', 'info', 'log', 'trace', 'warn', 'dir'] as const).map((method) =>
      replaced(console, method, (...args: unknown[]) => void texts.push(...args.map(textOf))),
    ),
    replaced(process, 'emitWarning', (...args: unknown[]) => void texts.push(...args.map(textOf))),
  ];
  return {
    texts,
    [Symbol.dispose]() {
      for (const back of restore) back();
    },
  };
}

function replaced(target: object, name: string, instead: (...args: never[]) => unknown): () => void {
  const before: unknown = Reflect.get(target, name);
  Object.assign(target, { [name]: instead });
  return () => void Object.assign(target, { [name]: before });
}

function textOf(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return typeof value === 'string' ? value : inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity });
}
