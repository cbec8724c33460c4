import { fromEnv, type Secret } from '@authseam/core';
import { huvrServer } from '@authseam/testing';

/** A HUVR, and the client that calls it. */
export interface Huvr {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: Secret;
}

/**
 * The real HUVR if any of the variables is set, else an embedded server.
 *
 * @throws {ConfigurationError} that names the variable which is unset or empty; for the secret, when it is used.
 */
export async function whichHuvr(): Promise<Huvr & { close(): Promise<void> }> {
  if (VARIABLES.every((name) => process.env[name] === undefined)) return huvrServer();
  return {
    url: fromEnv('HUVR_BASE_URL')(),
    clientId: fromEnv('HUVR_CLIENT_ID')(),
    clientSecret: fromEnv('HUVR_CLIENT_SECRET'),
    close: async () => {},
  };
}

const VARIABLES = ['HUVR_BASE_URL', 'HUVR_CLIENT_ID', 'HUVR_CLIENT_SECRET'];
