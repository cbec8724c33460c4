// Everything that the documentation shows is true: code blocks compile and run, what they say they print is what they print, links lead somewhere,
// and every export has a doc comment.
//
// Conventions for a ```ts block in the root README, a package README or docs/*.md:
// - It is a module of its own. ```ts no-run is compiled only. ```ts as a-name.ts can be imported by other blocks, as './a-name.ts'.
// - `fetch` reaches no network. https://login.example.com (any host that begins with "login.") is an authorization server, other hosts below
//   example.com and .example echo the request as JSON, loopback is real: a block that needs a server takes one from @authseam/testing. axios
//   sends through `fetch`.
// - Variables named in fromEnv('…') are set, but for those whose names end in NOT_SET.
// - `console.log(…); // → text` must print that text.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { isLoopback } from '@authseam/core';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** Every tool leaves `dist` alone. It lies below this package, so that imports resolve as this package's do. */
const folder = join(root, 'packages/matrix/dist/snippets');

/** One code block. */
interface Snippet {
  /** Where it begins: `docs/security.md:12`. */
  readonly name: string;
  readonly code: string;
  readonly isRun: boolean;
  /** The module that it was written to. */
  readonly file: string;
}

const packages = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`);
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'examples/README.md',
  ...packages.map((path) => `${path}/README.md`).filter((path) => existsSync(join(root, path))),
  ...filesBelow('docs', '.md'),
];
const sources = packages
  .flatMap((path) => filesBelow(`${path}/src`, '.ts'))
  .filter((path) => !/\.test(?:-d)?\.ts$|\/fixtures\//.test(path));
const snippets = documents.flatMap((path) => snippetsOf(path, read(path)));
const examples = sources.flatMap((path) => examplesOf(path, read(path)));

const platformFetch = globalThis.fetch;
const { adapter } = axios.defaults;

beforeAll(() => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const { file, code } of [...snippets, ...examples]) writeFileSync(file, code);
  const compilerOptions = { moduleDetection: 'force', rootDir: '../../../..' };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../../../tsconfig.test.base.json', compilerOptions, include: ['*.ts'] }),
  );
  globalThis.fetch = exampleFetch;
  axios.defaults.adapter = 'fetch';
});
afterAll(() => {
  globalThis.fetch = platformFetch;
  axios.defaults.adapter = adapter as NonNullable<typeof adapter>;
});

it('no two snippets are written to one file', () => {
  const files = [...snippets, ...examples].map(({ file }) => file);
  expect(files.filter((file, index) => files.indexOf(file) !== index)).toEqual([]);
});

it('every snippet and every @example compiles', { timeout: 120_000 }, () => {
  expect(snippets.length).toBeGreaterThan(0);
  expect(examples.length).toBeGreaterThan(0);
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder, '--pretty', 'false'], { cwd: folder, encoding: 'utf8' });
  // What is wrong with the sources themselves is for `typecheck` to say.
  expect(`${stdout}${stderr}`.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('../'))).toEqual([]);
});

describe('runs', () => {
  it.each([...snippets, ...examples].filter(({ isRun }) => isRun))('$name', async ({ file, code }) => {
    for (const [, name = ''] of code.matchAll(/fromEnv\('(\w+)'\)/g)) if (!name.endsWith('NOT_SET')) vi.stubEnv(name, 'example-value');
    const printed: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...values) => void printed.push(format(...values)));
    try {
      await import(file);
    } finally {
      log.mockRestore();
      vi.unstubAllEnvs();
    }
    const expected = [...code.matchAll(/^.*console\.log\(.*\/\/ → (.*)$/gm)].map(([, text]) => text);
    expect(printed).toEqual(expect.arrayContaining(expected));
  });
});

it('the root README and every quick start keep to ten lines, and so does every @example', () => {
  const quickStarts = packages.filter(isPublished).map((name) => ({ name, code: quickStartOf(`${name}/README.md`) }));
  expect(quickStarts.filter(({ code }) => code === '')).toEqual([]);
  const blocks = [...quickStarts, ...snippets.filter(({ name }) => name.startsWith('README.md:')), ...examples];
  expect(blocks.filter(({ code }) => code.trim().split('\n').length > 10).map(({ name }) => name)).toEqual([]);
});

it('every link to a file, or to a heading, leads to one, here or in the repository', () => {
  const targets = documents.flatMap((path) => linksOf(path).map((target) => ({ path, target })));
  expect(targets.length).toBeGreaterThan(0);
  const isThere = (path: string, target: string): boolean => {
    const [name = '', anchor] = target.replace(REPOSITORY, '').split('#');
    const file = REPOSITORY.test(target) ? name : name === '' ? path : join(dirname(path), name);
    return existsSync(join(root, file)) && (anchor === undefined || anchorsOf(file).includes(anchor));
  };
  expect(targets.filter(({ path, target }) => !isThere(path, target))).toEqual([]);
});

it('no README of a package that is published leads out of it by a path: at the registry that leads nowhere', () => {
  const readmes = packages.filter(isPublished).map((path) => `${path}/README.md`);
  expect(readmes.length).toBeGreaterThan(0);
  expect(readmes.flatMap(linksOf).filter((target) => target.startsWith('..'))).toEqual([]);
});

it('every export of every package has a doc comment', () => {
  const exported = packages.flatMap((path) => entriesOf(path).flatMap(exportsOf));
  expect(exported.length).toBeGreaterThan(0);
  expect(exported.filter(({ path, name }) => !hasDocComment(read(path), name)).map(({ path, name }) => `${name} (${path})`)).toEqual([]);
});

/** Where the sources are on the web, as `homepage` of every package has it. */
const REPOSITORY = /^https:\/\/github\.com\/authseam\/authseam\/(?:tree|blob)\/main\//;

/** The files that a document links to, and the headings in them. */
function linksOf(path: string): string[] {
  const links = [...read(path).matchAll(/\]\(([^)\s]*)\)/g)].map(([, target = '']) => target);
  return links.filter((target) => REPOSITORY.test(target) || !/^https?:/.test(target));
}

/** The anchors of a document's headings, as GitHub makes them; of a folder's README. */
function anchorsOf(path: string): string[] {
  const text = read(path.endsWith('.md') ? path : `${path}/README.md`);
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading.toLowerCase());
  return headings.map((heading) => heading.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-'));
}

/** `fetch` as the snippets see it: an authorization server, an echo, and this machine. */
async function exampleFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { method } = request;
  const url = new URL(request.url);
  if (isLoopback(url)) return platformFetch(input, init);
  if (url.protocol !== 'https:' || !/\.example(?:\.com)?$/.test(url.hostname)) throw new Error(`A snippet tried to reach ${url.origin}`);
  if (url.pathname.startsWith('/.well-known/')) return Response.json({ issuer: url.origin, token_endpoint: `${url.origin}/token` });
  if (url.hostname.startsWith('login.')) return Response.json({ access_token: 'example-token', token_type: 'Bearer', expires_in: 3600 });
  return Response.json({ method, url: url.href, headers: Object.fromEntries(request.headers), body: await request.text() });
}

function snippetsOf(path: string, text: string): Snippet[] {
  return [...text.matchAll(/^```ts( no-run)?(?: as ([\w.-]+\.ts))?\n(.*?)^```$/gms)].map(({ 1: noRun, 2: file, 3: code = '', index }) =>
    snippet(`${path}:${lineOf(text, index)}`, code, noRun === undefined, file),
  );
}

/** The examples of doc comments. Those of the test servers start servers that nobody stops: they are compiled only. */
function examplesOf(path: string, text: string): Snippet[] {
  return [...text.matchAll(/^[ \t]*\* ```ts\n(.*?)^[ \t]*\* ```$/gms)].map(({ 1: lines = '', index }) =>
    snippet(`${path}:${lineOf(text, index)}`, lines.replace(/^[ \t]*\* ?/gm, ''), !path.startsWith('packages/testing/')),
  );
}

function snippet(name: string, code: string, isRun: boolean, file = `${name.replace(/[/:]/g, '_')}.ts`): Snippet {
  return { name, code, isRun, file: join(folder, file) };
}

/** The block right below the heading; empty where none stands there, or where there is no README. */
function quickStartOf(path: string): string {
  return documents.includes(path) ? (/^## Quick start\n\n```ts\n(.*?)^```$/ms.exec(read(path))?.[1] ?? '') : '';
}

function isPublished(path: string): boolean {
  return !JSON.parse(read(`${path}/package.json`)).private;
}

/** The entry points of a package, as files. */
function entriesOf(path: string): string[] {
  const { exports = {} } = JSON.parse(read(`${path}/package.json`)) as { exports?: Record<string, Record<string, string>> };
  return Object.values(exports).map((entry) => join(path, entry['@authseam/source'] ?? ''));
}

/** The names that an entry point re-exports, each with the file that declares it. */
function exportsOf(entry: string): { readonly path: string; readonly name: string }[] {
  const text = read(entry);
  const reexport = /^export (?:type )?\{([^}]*)\} from '(\.[^']*)';$/gm;
  expect(text.replace(reexport, '')).not.toContain('export ');
  return [...text.matchAll(reexport)].flatMap(([, names = '', from = '']) =>
    names
      .split(',')
      .map(
        (name) =>
          name
            .trim()
            .replace(/^type /, '')
            .split(' as ')[0] ?? '',
      )
      .filter(Boolean)
      .map((name) => ({ path: join(dirname(entry), from), name })),
  );
}

function hasDocComment(text: string, name: string): boolean {
  const declaration = new RegExp(
    `\\*/\\s*(?://[^\\n]*\\n)*export (?:declare |abstract |async )*(?:function\\*?|const|class|interface|type) ${name}\\b`,
  );
  return declaration.test(text);
}

function filesBelow(path: string, extension: string): string[] {
  if (!existsSync(join(root, path))) return [];
  const names = readdirSync(join(root, path), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(extension)).map((name) => relative(root, join(root, path, name)));
}

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
