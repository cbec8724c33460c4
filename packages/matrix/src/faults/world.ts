import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuthorizationCode, type AuthorizationCodeOptions, authorizationCode } from '@authseam/auth-authcode';
import { type ClientCredentialsOptions, clientCredentials } from '@authseam/auth-client-credentials';
import type { AuthError, AuthEvent, AuthStrategy, TokenSet, TokenSource, WithAuthOptions } from '@authseam/core';
import {
  type HostileServer,
  type HostileServerOptions,
  hostileAuthorizationServer,
  type LoopbackServer,
  plantSecret,
  signIn,
  type VirtualClock,
  virtualClock,
} from '@authseam/testing';
import type { ClientFunction } from '@authseam/testing/conformance';
import { adapters, type MatrixAdapter } from '../adapters.ts';
import { type Exhibit, leaksIn, openFilesBelow, type SecretPlace, secretsOnTheWire } from './canary.ts';
import { capturedOutput } from './captured-output.ts';
import { type FaultServer, type FaultServerOptions, faultServer } from './fault-server.ts';
import { watched } from './watched.ts';

/** What one row runs in: all that it starts is ended, and all that it makes visible is searched for the secrets in play. */
export interface World {
  /** The clock of every strategy and server of this world: it stands still until a row moves it. */
  readonly clock: VirtualClock;
  /** What strategies and adapters have reported. */
  readonly events: readonly AuthEvent[];
  /** A new secret, and where on a request to an API it may stand. Default: it is for a token endpoint only. */
  secret(label: string, place?: SecretPlace): string;
  /** A secret that something else has made. */
  keep(secret: string, place?: SecretPlace): void;
  /** A server whose log is searched. */
  open<Server extends LoopbackServer>(starting: Promise<Server>): Promise<Server>;
  /** A token endpoint for client credentials, and an API. */
  server(options?: FaultServerOptions): Promise<FaultServer>;
  /** An authorization server with rotation, and an API. */
  hostile(options?: HostileServerOptions): Promise<HostileServer>;
  clientCredentials(server: FaultServer, options?: Partial<ClientCredentialsOptions>): AuthStrategy<TokenSet> & Required<TokenSource>;
  authorizationCode(server: HostileServer, options?: Partial<AuthorizationCodeOptions>): AuthorizationCode;
  /** Has a person sign in. */
  signIn(auth: AuthorizationCode, user?: string, subject?: string): Promise<TokenSet>;
  /** A client with `strategy` plugged in. Default: fetch. */
  attach(strategy: AuthStrategy, adapter?: MatrixAdapter, options?: WithAuthOptions): ClientFunction;
  /** Any other object whose methods show errors and tokens. */
  watch<Subject extends object>(subject: Subject): Subject;
  /** The error in which `work` ends. @throws {Error} when it does not. */
  failureOf(work: (() => unknown) | PromiseLike<unknown>): Promise<AuthError>;
  /** Has something searched that the world does not see by itself. */
  show(what: string, value: unknown): void;
  /** A folder for a file store; what the store puts there is for nobody else to read. */
  directory(): string;
}

/** Runs `work` in a new world. @returns What should not be there when it is over: secrets where somebody could read them, faults that did not happen. */
export async function problemsIn(work: (world: World) => Promise<void>): Promise<readonly string[]> {
  const exhibits: Exhibit[] = [];
  const events: AuthEvent[] = [];
  const secrets = new Map<string, SecretPlace>();
  const servers: LoopbackServer[] = [];
  const folders: string[] = [];
  const keep = (secret: string | undefined, place: SecretPlace = 'token endpoint'): void => void (secret && secrets.set(secret, place));
  const keepTokens = ({ accessToken, refreshToken, idToken }: TokenSet): void => {
    keep(accessToken, 'authorization');
    keep(refreshToken);
    keep(idToken);
  };
  const show = (what: string, value: unknown): void => void exhibits.push({ what, value });
  const watch = <Subject extends object>(subject: Subject): Subject =>
    watched(subject, { onEvent: (event) => events.push(event), onError: (error) => show('an error', error), onTokens: keepTokens });
  const clock = virtualClock();

  async function open<Server extends LoopbackServer>(starting: Promise<Server>): Promise<Server> {
    const server = await starting;
    const { elsewhere } = server as { readonly elsewhere?: LoopbackServer };
    servers.push(server, ...(elsewhere && elsewhere.requests !== server.requests ? [elsewhere] : []));
    return server;
  }

  const world: World = {
    clock,
    events,
    secret(label, place) {
      const secret = plantSecret(label);
      keep(secret, place);
      return secret;
    },
    keep,
    open,
    server: (options) => open(faultServer({ now: clock.now, ...options })),
    hostile: (options) => open(hostileAuthorizationServer({ clientSecret: world.secret('client secret'), now: clock.now, ...options })),
    clientCredentials: ({ tokenEndpoint }, options) =>
      watch(
        clientCredentials({
          tokenEndpoint,
          clientId: 'matrix',
          clientSecret: world.secret('client secret'),
          now: clock.now,
          random: () => 0, // no pause between attempts
          ...options,
        } as ClientCredentialsOptions),
      ),
    authorizationCode: ({ issuer, clientId, clientSecret }, options) =>
      watch(
        authorizationCode({
          issuer,
          clientId,
          clientSecret,
          redirectUri: 'https://app.example/callback',
          now: clock.now,
          random: () => 0,
          ...options,
        } as AuthorizationCodeOptions),
      ),
    async signIn(auth, user = 'alice', subject) {
      const { url, transaction } = await auth.createAuthorizationUrl();
      keep(transaction.codeVerifier);
      const { callbackUrl } = await signIn(url, { user });
      return auth.handleCallback(callbackUrl, transaction, subject === undefined ? {} : { subject });
    },
    attach(strategy, adapter = adapters[0] as MatrixAdapter, options = {}) {
      const call = adapter.attach(strategy, { onEvent: (event) => events.push(event), ...options });
      return async (url, request) => {
        try {
          const answer = await call(url, request);
          if (answer.error !== undefined) show('a client’s error', answer.error);
          return answer;
        } catch (error) {
          show('an error', error);
          throw error;
        }
      };
    },
    watch,
    async failureOf(work) {
      try {
        await (typeof work === 'function' ? work() : work);
      } catch (error) {
        show('an error', error);
        return error as AuthError;
      }
      throw new Error('It should have failed.');
    },
    show,
    directory() {
      const folder = mkdtempSync(join(tmpdir(), 'authseam-faults-'));
      folders.push(folder);
      return join(folder, 'tokens');
    },
  };

  const problems: string[] = [];
  const output = capturedOutput();
  try {
    await work(world);
  } finally {
    output[Symbol.dispose]();
    for (const server of servers) await server.close();
    problems.push(...folders.flatMap((folder) => openFilesBelow(join(folder, 'tokens'))));
    for (const folder of folders) rmSync(folder, { recursive: true });
  }
  const requests = [...new Set(servers.flatMap((server) => server.requests))];
  for (const [secret, place] of secretsOnTheWire(requests)) if (!secrets.has(secret)) secrets.set(secret, place);
  for (const token of servers.flatMap(tokensOf))
    if (!secrets.has(token)) secrets.set(token, token.startsWith('rt_') ? 'token endpoint' : 'authorization');
  for (const value of events) show('an event', value);
  for (const value of output.texts) show('output', value);
  for (const { failures, pendingFaults } of servers) {
    problems.push(...failures.map((failure) => `a server failed: ${failure}`));
    if (pendingFaults > 0) problems.push(`${pendingFaults} faults did not happen`);
  }
  return [...problems, ...leaksIn(exhibits, requests, secrets)];
}

/** What a server has issued, told to its client or not. */
function tokensOf(server: LoopbackServer): readonly string[] {
  const { tokens, issued } = server as Partial<Pick<HostileServer, 'tokens'> & Pick<FaultServer, 'issued'>>;
  return tokens ?? (Array.isArray(issued) ? issued : []);
}
