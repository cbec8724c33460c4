import { gzipSync } from 'node:zlib';
import { build, type Metafile, type OutputFile } from 'esbuild';

/** What a user imports, and how much it may weigh. */
export interface SizeEntry {
  readonly name: string;
  /** The module that is bundled. */
  readonly source: string;
  /** Bytes, minified and gzipped, of everything that is loaded at start: what we aimed at (docs/adr/0004 says why it is missed). */
  readonly target: number;
  /** What it must not exceed: a little over what it is, so that it grows only on purpose. */
  readonly limit: number;
}

/** One bundle, weighed. Sizes are bytes. */
export interface SizeReport {
  readonly name: string;
  readonly target: number;
  readonly limit: number;
  /** Gzipped chunks that load at start: the entry and all that it imports statically. This is what `limit` limits. */
  readonly initial: number;
  /** Gzipped chunks that load when they are needed: what `import()` names. */
  readonly lazy: number;
  /** Gzipped single file that holds both; for information. */
  readonly single: number;
  /** Minified bytes that each module contributes to `initial`, heaviest first. */
  readonly modules: readonly { readonly path: string; readonly bytes: number }[];
}

export const sizeEntries: readonly SizeEntry[] = [
  {
    name: 'apiKey + adapter-fetch',
    source: "export { apiKey } from '@authseam/auth-api-key'; export { withAuth } from '@authseam/adapter-fetch';",
    target: 3_072,
    limit: 10_300,
  },
  {
    name: 'clientCredentials + adapter-fetch',
    source: "export { clientCredentials } from '@authseam/auth-client-credentials'; export { withAuth } from '@authseam/adapter-fetch';",
    target: 9_216,
    limit: 27_900,
  },
  {
    name: 'authorizationCode + adapter-fetch',
    source: "export { authorizationCode } from '@authseam/auth-authcode'; export { withAuth } from '@authseam/adapter-fetch';",
    target: 11_264,
    limit: 38_000,
  },
  {
    name: 'oauth1 + adapter-fetch',
    source: "export { oauth1 } from '@authseam/auth-oauth1'; export { withAuth } from '@authseam/adapter-fetch';",
    target: 5_120,
    limit: 18_500,
  },
];

/** An adapter, and how much it may add to an application that has core. */
export interface BeyondCoreEntry {
  readonly name: string;
  /** The module that is bundled. */
  readonly source: string;
  /** Bytes. */
  readonly target: number;
}

/** What an adapter adds. Bytes, minified and gzipped. */
export interface BeyondCore {
  readonly name: string;
  readonly target: number;
  /** The adapter with what it imports of core, less that without the adapter. */
  readonly bytes: number;
  readonly withCore: number;
  /** The adapter's own modules, compressed by themselves. */
  readonly alone: number;
}

export const beyondCoreEntries: readonly BeyondCoreEntry[] = ['fetch', 'axios', 'ky'].map((client) => ({
  name: `adapter-${client}`,
  source: `export * from '@authseam/adapter-${client}';`,
  target: 1_536,
}));

/** Weighs an adapter with and without itself: both bundles export what it imports of core, and neither holds the client. */
export async function measureBeyondCore({ name, source, target }: BeyondCoreEntry): Promise<BeyondCore> {
  const alone = await bundle({ source }, false, [...clients, '@authseam/core']);
  const exported = new Map<string, Set<string>>();
  for (const [, names = '', module = ''] of alone.outputFiles[0]!.text.matchAll(/import\{([^}]*)\}from"(@authseam\/core[^"]*)"/g)) {
    const known = exported.get(module) ?? new Set();
    exported.set(module, known);
    for (const name of names.split(',')) known.add(name.replace(/ as .*/, ''));
  }
  const core = [...exported].map(([module, names]) => `export { ${[...names]} } from '${module}';`).join('\n');
  const [withCore, coreOnly] = await Promise.all([
    bundle({ source: `${source}\n${core}` }, false, clients),
    bundle({ source: core }, false, clients),
  ]);
  return {
    name,
    target,
    bytes: weigh(withCore.outputFiles) - weigh(coreOnly.outputFiles),
    withCore: weigh(withCore.outputFiles),
    alone: weigh(alone.outputFiles),
  };
}

const clients = ['axios', 'ky'];

/** Bundles `entry` as an application would (tree-shaken, minified, code-split) and weighs it. Writes nothing to disk. */
export async function measureSize(entry: SizeEntry): Promise<SizeReport> {
  const [split, whole] = await Promise.all([bundle(entry, true), bundle(entry, false)]);
  const initial = initialChunks(split.metafile);
  const modules = new Map<string, number>();
  for (const chunk of initial) {
    for (const [path, { bytesInOutput }] of Object.entries(split.metafile.outputs[chunk]!.inputs)) {
      if (bytesInOutput > 0) modules.set(path, (modules.get(path) ?? 0) + bytesInOutput);
    }
  }
  const isInitial = ({ path }: OutputFile): boolean => [...initial].some((chunk) => path.endsWith(`/${chunk}`));
  return {
    name: entry.name,
    target: entry.target,
    limit: entry.limit,
    initial: weigh(split.outputFiles.filter(isInitial)),
    lazy: weigh(split.outputFiles.filter((file) => !isInitial(file))),
    single: weigh(whole.outputFiles),
    modules: [...modules].map(([path, bytes]) => ({ path: shorten(path), bytes })).sort((a, b) => b.bytes - a.bytes),
  };
}

/** Chunks are compressed one by one, as a server sends them. */
function weigh(files: readonly OutputFile[]): number {
  return files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).byteLength, 0);
}

function bundle({ source }: Pick<SizeEntry, 'source'>, splitting: boolean, external: string[] = []) {
  return build({
    stdin: { contents: source, resolveDir: import.meta.dirname, sourcefile: 'entry.js' },
    absWorkingDir: import.meta.dirname,
    outdir: 'out',
    bundle: true,
    external,
    splitting,
    minify: true,
    treeShaking: true,
    format: 'esm',
    target: 'es2023',
    platform: 'neutral',
    conditions: ['@authseam/source'],
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
}

/** The entry chunk and every chunk that it reaches without an `import()`. */
function initialChunks({ outputs }: Metafile): ReadonlySet<string> {
  const reached = new Set(Object.keys(outputs).filter((path) => outputs[path]!.entryPoint === 'entry.js'));
  // A set that grows while it is walked is walked to its new end.
  for (const path of reached) for (const { kind, path: next } of outputs[path]!.imports) if (kind === 'import-statement') reached.add(next);
  return reached;
}

/** `core/src/send-loop.ts`, `oauth4webapi/build/index.js`. */
function shorten(path: string): string {
  return path.replace(/^.*node_modules\//, '').replace(/^(?:\.\.\/)+/, '');
}
