import { createPublicKey, randomBytes } from 'node:crypto';
import type { Answer } from '../answer.ts';
import type { RouteHandler } from '../loopback-server.ts';
import { type OAuth1Refusal, refusal } from '../oauth1/oauth1-refusal.ts';
import { type OAuth1Verdict, oauth1Verifier, type TokenLookup } from '../oauth1/oauth1-verifier.ts';
import { OAUTH1_SIGNATURE_METHODS, type OAuth1SignatureMethod } from '../oauth1/signature-check.ts';
import type { ReceivedRequest } from '../received-request.ts';
import { type TokenStanding, tokenLedger } from '../token-ledger.ts';
import { type RefusalStyle, refusalAnswer } from './refusal-answer.ts';

/** A token and its secret. */
export interface OAuth1TokenPair {
  readonly token: string;
  readonly tokenSecret: string;
}

/** What is taken for a signature, by whose clock, and how refusals are answered. */
export interface SignatureOptions extends RefusalStyle {
  /** Default `'extra-horizon-app'`. */
  readonly consumerKey?: string;
  /** Default: a random one. `''` is legal. */
  readonly consumerSecret?: string;
  /** The RSA key registered for the consumer, PEM (SPKI or PKCS#1). Default: none, and every RSA signature is wrong. */
  readonly publicKey?: string;
  /** The signature methods that are taken. Default: all seven; PLAINTEXT over http too, which RFC 5849 §3.4.4 forbids off this machine. */
  readonly signatureMethods?: readonly OAuth1SignatureMethod[];
  /** How long a token is valid, in seconds. Default: for ever, as at Extra Horizon. */
  readonly lifetimeSeconds?: number;
  /** How far a timestamp may be from the server's clock, in seconds. Default 300. */
  readonly timestampWindowSeconds?: number;
  /** How far the server's clock, and with it the `Date` of its answers, is ahead of `now`, in seconds. Default 0. */
  readonly clockSkewSeconds?: number;
}

/** Where tokens are issued, and signatures made with them are judged. */
export interface SignatureDesk {
  readonly consumerKey: string;
  readonly consumerSecret: string;
  /** The server's clock, skew included. */
  readonly now: () => number;
  readonly verdicts: readonly OAuth1Verdict[];
  verify(request: ReceivedRequest, tokens: TokenLookup): OAuth1Verdict;
  refuse(reason: OAuth1Refusal): Answer;
  /** A handler that is reached by signed requests only. */
  guarded(tokens: TokenLookup, handle: RouteHandler): RouteHandler;
  /** What the token of a request to a protected resource is worth. */
  readonly userToken: TokenLookup;
  issueToken(): OAuth1TokenPair;
  issued(): number;
  expireTokens(): void;
  revokeTokens(): void;
}

/** A {@link SignatureDesk} that has seen nothing yet. */
export function signatureDesk(options: SignatureOptions & { readonly now?: () => number }): SignatureDesk {
  const { consumerKey = 'extra-horizon-app', consumerSecret = randomBytes(24).toString('base64url'), publicKey } = options;
  const { signatureMethods = OAUTH1_SIGNATURE_METHODS, timestampWindowSeconds = 300, clockSkewSeconds = 0 } = options;
  const now = () => (options.now ?? Date.now)() + clockSkewSeconds * 1000;
  const ledger = tokenLedger({ now, lifetimeSeconds: options.lifetimeSeconds ?? Number.POSITIVE_INFINITY });
  const secrets = new Map<string, string>();
  const verifier = oauth1Verifier({
    consumerKey,
    consumerSecret,
    publicKey: publicKey === undefined ? undefined : createPublicKey(publicKey),
    signatureMethods,
    timestampWindowSeconds,
    now,
  });
  const verdicts: OAuth1Verdict[] = [];

  const verify = (request: ReceivedRequest, tokens: TokenLookup): OAuth1Verdict => {
    const verdict = verifier.verify(request, tokens);
    verdicts.push(verdict);
    return verdict;
  };
  const refuse = (reason: OAuth1Refusal): Answer => refusalAnswer(reason, options);

  return Object.freeze({
    ...{ consumerKey, consumerSecret, now, verdicts, verify, refuse },
    guarded: (tokens: TokenLookup, handle: RouteHandler) => (request: ReceivedRequest) => {
      const { refusal: refused } = verify(request, tokens);
      return refused === undefined ? handle(request) : refuse(refused);
    },
    userToken: (token: string) => {
      if (token === '') return refusal('parameter_absent', 'Missing: oauth_token.', { oauth_parameters_absent: 'oauth_token' });
      const standing = ledger.standing(token);
      return standing === 'valid' ? { tokenSecret: secrets.get(token) ?? '' } : TOKEN_REFUSALS[standing];
    },
    issueToken: () => {
      const pair = { token: randomBytes(20).toString('hex'), tokenSecret: randomBytes(20).toString('base64url') };
      ledger.record(pair.token);
      secrets.set(pair.token, pair.tokenSecret);
      return pair;
    },
    issued: () => ledger.issued,
    expireTokens: ledger.expireTokens,
    revokeTokens: ledger.revokeTokens,
  });
}

const TOKEN_REFUSALS: Readonly<Record<Exclude<TokenStanding, 'valid'>, OAuth1Refusal>> = {
  expired: refusal('token_expired', 'The token has expired.'),
  revoked: refusal('token_revoked', 'The token is unknown.'),
  superseded: refusal('token_revoked', 'The token is unknown.'),
  unknown: refusal('token_rejected', 'The token is unknown.'),
};
