import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { isAuthError } from '@authseam/core';
import { findSecret, type ReceivedRequest } from '@authseam/testing';

/**
 * Where on a request to an API a secret may stand: nowhere (`'token endpoint'`: it is for that one only), in a header, by its name, in the query, in the
 * body, or in any of these (`'*'`).
 */
export type SecretPlace = 'token endpoint' | 'query' | 'body' | '*' | (string & {});

/** Every secret that is in play, and where it may stand. */
export type Secrets = ReadonlyMap<string, SecretPlace>;

/** Something that a row made visible. */
export interface Exhibit {
  /** What it is, for whoever reads of a leak. */
  readonly what: string;
  readonly value: unknown;
}

/** What of the secrets can be read where it must not be, in words. Empty: nothing. */
export function leaksIn(exhibits: readonly Exhibit[], requests: readonly ReceivedRequest[], secrets: Secrets): readonly string[] {
  const all = [...secrets.keys()];
  return [
    ...grouped(exhibits).flatMap(({ what, value }) => sightings(what, value, all)),
    ...placesOf(requests).flatMap(({ place, what, text }) =>
      sightings(
        what,
        text,
        all.filter((secret) => place === undefined || ![place, '*'].includes(secrets.get(secret) ?? '')),
      ),
    ),
  ];
}

/** What was shown often is searched once. */
function grouped(exhibits: readonly Exhibit[]): readonly Exhibit[] {
  const groups = new Map<string, Map<unknown, unknown>>();
  for (const { what, value } of exhibits) {
    const group = groups.get(what) ?? new Map();
    group.set(value instanceof Error ? value : inspect(value, { depth: Infinity, showHidden: true, maxStringLength: Infinity }), value);
    groups.set(what, group);
  }
  return [...groups].map(([what, group]) => ({ what, value: [...group.values()].map(visible) }));
}

function sightings(what: string, value: unknown, secrets: readonly string[]): readonly string[] {
  return findSecret(value, secrets).map(({ secret, form, where }) => `${what}: ${secret.slice(0, 20)}… ${form} at ${where}`);
}

/**
 * What of a value is searched. Errors of Authseam, and plain ones: every corner. Clients keep the request in a hidden corner of their errors, which carries
 * the credential by its nature: of those it is what anybody prints.
 */
function visible(value: unknown): unknown {
  if (!(value instanceof Error) || isAuthError(value) || PLAIN.includes(value.constructor.name)) return value;
  const { name, message, stack, cause } = value;
  return [name, message, stack, String(value), attempt(() => JSON.stringify(value)), inspect(value, { depth: Infinity }), visible(cause)];
}

const PLAIN: readonly string[] = ['Error', 'TypeError', 'AggregateError', 'DOMException'];

function attempt(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error;
  }
}

/** Texts of requests, and which secrets may stand in them. Token and revocation requests carry secrets in their body and their Authorization. */
function placesOf(
  requests: readonly ReceivedRequest[],
): readonly { readonly place: string | undefined; readonly what: string; readonly text: string }[] {
  const texts = new Map<string, { place: string | undefined; what: string; text: string }>();
  const add = (route: string, place: string, text: string): void => {
    const isForSecrets = route === 'token' || route === 'revocation';
    if (isForSecrets && (place === 'authorization' || place === 'body')) return;
    const what = `request to ${route}, ${place}`;
    const known = texts.get(what) ?? { place: route === 'api' ? place : undefined, what, text: '' };
    texts.set(what, { ...known, text: `${known.text}${text}\n` });
  };
  for (const { route, url, headers, body } of requests) {
    add(route, 'query', url);
    add(route, 'body', `${body.toString('utf8')}\n${body.toString('latin1')}`);
    for (const [name, value] of Object.entries(headers)) add(route, name, `${name}: ${value}`);
  }
  return [...texts.values()];
}

/** Secrets that show on the wire only: tokens that a server has issued, codes, verifiers. */
export function secretsOnTheWire(requests: readonly ReceivedRequest[]): Secrets {
  const found = new Map<string, SecretPlace>();
  for (const { route, headers, text } of requests) {
    const [, token] = /^(?:bearer|token) +(.{8,})$/i.exec(headers['authorization'] ?? '') ?? [];
    // What was meant for a token endpoint stays that, wherever else it has been.
    if (route === 'api' && token !== undefined && !found.has(token)) found.set(token, 'authorization');
    if (route !== 'token' && route !== 'revocation') continue;
    const form = new URLSearchParams(text);
    for (const name of ['refresh_token', 'code', 'code_verifier', 'client_secret', 'client_assertion']) {
      const value = form.get(name);
      if (value && value.length >= 8) found.set(value, 'token endpoint');
    }
  }
  return found;
}

/** What below `directory` others than its owner may read. */
export function openFilesBelow(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return ['.', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })]
    .map((path) => ({ path, mode: statSync(join(directory, path)).mode & 0o777 }))
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ path, mode }) => `${path} has mode ${mode.toString(8)}`);
}
