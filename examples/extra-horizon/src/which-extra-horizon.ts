import { readFile } from 'node:fs/promises';
import { ConfigurationError, fromEnv, type Secret } from '@authseam/core';
import { extraHorizonServer } from '@authseam/testing';

/** An Extra Horizon, and the application that calls it. */
export interface Application {
  readonly url: string;
  readonly consumerKey: Secret;
  readonly consumerSecret: Secret;
}

/** What a user has given the application. */
export interface TokenPair {
  readonly token: Secret;
  readonly tokenSecret: Secret;
}

/** What a user without a token signs in with. */
export interface Login {
  readonly email: string;
  readonly password: string;
}

type ExtraHorizon = Application & (TokenPair | Login) & { close(): Promise<void> };

/**
 * The Extra Horizon that a downloaded file of `KEY=VALUE` lines describes, if one is named; else the one of the environment variables, if any of them
 * is set; else an embedded server.
 *
 * @param credentialsFile Path of the file, `'credentials.txt'` say. No file is looked for by itself.
 * @throws {ConfigurationError} that names the setting which is missing or empty.
 */
export async function whichExtraHorizon(credentialsFile?: string): Promise<ExtraHorizon> {
  if (credentialsFile !== undefined) return described(await fileSettings(credentialsFile));
  const isAnySet = [...NAMES, ...Object.values(OLDER_NAMES)].some((name) => process.env[name] !== undefined);
  return isAnySet ? described(ENVIRONMENT) : extraHorizonServer();
}

const NAMES = [
  ...['API_HOST', 'API_OAUTH_CONSUMER_KEY', 'API_OAUTH_CONSUMER_SECRET', 'API_OAUTH_TOKEN', 'API_OAUTH_TOKEN_SECRET'],
  ...['API_EMAIL', 'API_PASSWORD'],
];

/** As older documentation of Extra Horizon has them. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  API_OAUTH_CONSUMER_KEY: 'CONSUMER_KEY',
  API_OAUTH_CONSUMER_SECRET: 'CONSUMER_SECRET',
  API_OAUTH_TOKEN: 'ACCESS_TOKEN',
  API_OAUTH_TOKEN_SECRET: 'TOKEN_SECRET',
};

/** Where settings come from. `get` throws for what is missing or empty. */
interface Settings {
  has(name: string): boolean;
  get(name: string): string;
}

const ENVIRONMENT: Settings = { has: (name) => process.env[name] !== undefined, get: (name) => fromEnv(name)() };

async function fileSettings(path: string): Promise<Settings> {
  const lines = (await readFile(path, 'utf8')).split(/\r?\n/);
  const pairs = lines.flatMap((line) => {
    const [, name, value] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value ?? ''] as const];
  });
  const values = new Map(pairs);
  return {
    has: (name) => values.has(name),
    get(name) {
      const value = values.get(name);
      if (value) return value;
      throw new ConfigurationError(`${name} is ${value === '' ? 'empty' : 'missing'} in ${path}.`, { option: name });
    },
  };
}

function described({ has, get }: Settings): ExtraHorizon {
  const read = (name: string) => {
    const older = OLDER_NAMES[name];
    return get(!has(name) && older !== undefined && has(older) ? older : name);
  };
  const host = read('API_HOST');
  const application = {
    url: host.includes('://') ? host : `https://${host}`,
    consumerKey: read('API_OAUTH_CONSUMER_KEY'),
    consumerSecret: read('API_OAUTH_CONSUMER_SECRET'),
    close: async () => {},
  };
  const isLogin = (has('API_EMAIL') || has('API_PASSWORD')) && !has('API_OAUTH_TOKEN') && !has('ACCESS_TOKEN');
  if (isLogin) return { ...application, email: read('API_EMAIL'), password: read('API_PASSWORD') };
  return { ...application, token: read('API_OAUTH_TOKEN'), tokenSecret: read('API_OAUTH_TOKEN_SECRET') };
}
