// What we publish compiles where the types of the DOM are not: in a Node project with `lib: ["es2023"]`, declarations of libraries checked.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const packages = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(packages, '../node_modules/typescript/bin/tsc');
/** Every tool leaves `dist` alone. */
const project = join(packages, 'matrix/dist/types-without-dom');
/** Declarations are written here, as if they were installed. */
const installed = join(project, 'node_modules/@authseam');

interface Manifest {
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, { readonly '@authseam/source': string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const manifests = new Map(
  readdirSync(packages)
    .filter((name) => existsSync(join(packages, name, 'package.json')))
    .map((name): [string, Manifest] => [name, JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'))])
    .filter(([, manifest]) => !manifest.private),
);

/** How a project like that uses them, and what nobody may do, DOM or not. */
const USE = `
import { clientCredentials } from '@authseam/auth-client-credentials';
import { withAuth } from '@authseam/adapter-fetch';

const client = { tokenEndpoint: 'https://login.example.com/token', clientId: 'reports' } as const;
const jwk = { kty: 'EC', crv: 'P-256', d: 'd', x: 'x', y: 'y', kid: 'k' };
const key = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
if ('privateKey' in key) clientCredentials({ ...client, privateKey: key.privateKey });
clientCredentials({ ...client, privateKey: { key: jwk, algorithm: 'ES256' } });
clientCredentials({ ...client, privateKey: jwk, fetch });
export const { status }: Response = await withAuth(fetch, clientCredentials({ ...client, privateKey: async () => 'pem' }))('https://api.example.com/');
// @ts-expect-error a number
clientCredentials({ ...client, privateKey: 42 });
// @ts-expect-error a date
clientCredentials({ ...client, privateKey: new Date() });
// @ts-expect-error perhaps nothing
clientCredentials({ ...client, clientSecret: process.env['SECRET'] });
`;

beforeAll(() => {
  rmSync(project, { recursive: true, force: true });
  const imports: string[] = [];
  for (const [name, { exports, dependencies = {} }] of manifests) {
    const entries = Object.entries(exports).map(([path, entry]) => [path, entry['@authseam/source']] as const);
    imports.push(...entries.map(([path]) => `@authseam/${name}${path.slice(1)}`));
    const types = Object.fromEntries(entries.map(([path, source]) => [path, { types: source.replace(/\.ts$/, '.d.ts') }]));
    mkdirSync(join(installed, name), { recursive: true });
    writeFileSync(join(installed, name, 'package.json'), JSON.stringify({ name: `@authseam/${name}`, type: 'module', exports: types }));
    for (const dependency of Object.keys(dependencies).filter((other) => !other.startsWith('@authseam/'))) {
      const link = join(installed, name, 'node_modules', dependency);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(packages, name, 'node_modules', dependency), link, 'junction');
    }
  }
  const consumer = imports.map((specifier, index) => `export * as entry${index} from '${specifier}';\n`).join('') + USE;
  writeFileSync(join(project, 'consumer.ts'), consumer);
  const emit = { composite: false, emitDeclarationOnly: true, declarationMap: false, sourceMap: false, tsBuildInfoFile: null };
  const compilerOptions = { ...emit, customConditions: ['@authseam/source'], types: ['node'], rootDir: packages, outDir: installed };
  const include = [...manifests.keys()].map((name) => join(packages, name, 'src'));
  const exclude = ['*.test.ts', '*.test-d.ts', 'fixtures/**'].map((pattern) => join(packages, '*/src/**', pattern));
  // What is wrong with the sources themselves is for `typecheck` to say.
  compile('emit', { extends: join(packages, '../tsconfig.base.json'), compilerOptions, include, exclude });
}, 120_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

it.each([
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
])(
  'with moduleResolution %s',
  (moduleResolution, module) => {
    const lib = { target: 'es2023', lib: ['es2023'], types: ['node'], skipLibCheck: false };
    const compilerOptions = { ...lib, module, moduleResolution, strict: true, noEmit: true };
    expect(compile(moduleResolution, { compilerOptions, files: ['consumer.ts'] })).toBe('');
  },
  120_000,
);

/** Runs the compiler with these settings, and returns its complaints. */
function compile(name: string, settings: object): string {
  const file = join(project, `tsconfig.${name}.json`);
  writeFileSync(file, JSON.stringify(settings));
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', file, '--pretty', 'false'], { cwd: project, encoding: 'utf8' });
  return stdout + stderr;
}
