// What the architecture asks of every package: who imports whom, what each one ships, and which headings its README has.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const names = readdirSync(join(root, 'packages'));
const published = names.filter((name) => !manifest(name).private);

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly type?: string;
  readonly sideEffects?: boolean;
  readonly engines?: Record<string, string>;
  readonly exports?: Record<string, Record<string, string>>;
  readonly scripts?: Record<string, string>;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

function manifest(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
}

/** Every TypeScript file below `folder`, as path and text. */
function sources(folder: string): { readonly path: string; readonly text: string }[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .map((path) => ({ path: join(folder, path), text: readFileSync(join(folder, path), 'utf8') }));
}

/** What a package's sources import, tests left out: package names and Node built-ins. */
function importsOf(name: string, but = /^$/): string[] {
  const files = sources(join(root, 'packages', name, 'src')).filter(
    ({ path }) => !but.test(path) && !/\.test(?:-d)?\.ts$|fixtures/.test(path),
  );
  // Examples in doc comments import as well; they are no imports of the package.
  const code = files.map(({ text }) => text.replace(/\/\*\*.*?\*\//gs, ''));
  const specifiers = code.flatMap((text) =>
    [...text.matchAll(/(?:^import |^\} from |\bfrom |\bimport\()'([^'.\s][^'\s]*)'/gm)].map((match) => match[1] ?? ''),
  );
  return [
    ...new Set(
      specifiers.map((specifier) =>
        specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/'),
      ),
    ),
  ];
}

/** Which packages of ours a package may import. */
function allowedImports(name: string): readonly string[] {
  if (name === 'core' || name === 'testing') return [];
  return name.startsWith('auth-') ? ['@authseam/core', '@authseam/oauth2'] : ['@authseam/core'];
}

describe.each(published)('packages/%s', (name) => {
  const { dependencies = {}, peerDependencies = {}, ...rest } = manifest(name);

  it('imports what its layer may import, and declares what it imports', () => {
    const imports = importsOf(name);
    const ours = imports.filter((specifier) => specifier.startsWith('@authseam/'));
    expect(allowedImports(name)).toEqual(expect.arrayContaining(ours));
    const foreign = imports.filter((specifier) => !specifier.startsWith('node:'));
    expect(Object.keys({ ...dependencies, ...peerDependencies })).toEqual(expect.arrayContaining(foreign));
    // Portable but for what is for Node by its name.
    if (name !== 'testing' && !name.startsWith('store-')) {
      expect(
        importsOf(name, /\/src\/(?:loopback|diagnostics-channel)(?:\.ts$|\/)/).filter((specifier) => specifier.startsWith('node:')),
      ).toEqual([]);
    }
  });

  it('is ESM under the MIT licence, for Node 22.18 and newer, without side effects or install scripts', () => {
    expect(rest).toMatchObject({
      name: `@authseam/${name}`,
      license: 'MIT',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=22.18' },
    });
    expect(Object.keys(rest.scripts ?? {}).filter((script) => /^(?:pre|post)?install$|^prepare$/.test(script))).toEqual([]);
    expect(statSync(join(root, 'packages', name, 'LICENSE')).isFile()).toBe(true);
  });

  it('offers its sources first in every entry', () => {
    for (const entry of Object.values(rest.exports ?? {})) {
      expect(Object.keys(entry)).toEqual(['@authseam/source', 'types', 'default']);
      expect(statSync(join(root, 'packages', name, entry['@authseam/source'] ?? '')).isFile()).toBe(true);
    }
  });

  it('has a README with the headings of all', () => {
    const readme = readFileSync(join(root, 'packages', name, 'README.md'), 'utf8');
    const headings = [...readme.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
    expect(headings).toEqual(['Install', 'Quick start', 'Options', 'Errors', 'Limits', 'Specifications']);
    const quickStart = /## Quick start\s+```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
    expect(quickStart.trim().split('\n').length).toBeLessThanOrEqual(10);
  });

  it('names its files after what they hold, none over 300 lines, and re-exports by name', () => {
    for (const { path, text } of sources(join(root, 'packages', name, 'src'))) {
      expect(path).not.toMatch(/\/(?:utils?|helpers?|common|misc|types)\.ts$/);
      expect(text).not.toMatch(/^export \* /m);
      if (!/\.test(?:-d)?\.ts$|fixtures/.test(path)) expect(`${path}: ${text.split('\n').length <= 300}`).toBe(`${path}: true`);
    }
  });
});

it('core depends on nothing', () => {
  const { dependencies, peerDependencies } = manifest('core');
  expect({ ...dependencies, ...peerDependencies }).toEqual({});
});

it('nobody depends on the matrix', () => {
  for (const name of names) expect(Object.keys(manifest(name).dependencies ?? {})).not.toContain('@authseam/matrix');
});

it('packages depend on each other by range, so that a patch of core is no release of everything', () => {
  for (const name of names) {
    const { dependencies = {}, devDependencies = {} } = manifest(name);
    for (const [dependency, range] of Object.entries({ ...dependencies, ...devDependencies })) {
      if (dependency.startsWith('@authseam/')) expect(`${name}: ${range}`).toBe(`${name}: workspace:^`);
    }
  }
});
