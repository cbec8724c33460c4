import type {
  AuthContext,
  AuthPatch,
  AuthRequest,
  AuthResponse,
  AuthStrategy,
  Awaitable,
  GetTokenOptions,
  SensitiveNames,
  SentAttempt,
  TokenManager,
  TokenSet,
  TokenSource,
} from '@authseam/core';
import { stepUpError, stepUpOf } from './step-up.ts';

/** A subject that is being served. */
export interface Active {
  readonly manager: TokenManager;
  readonly strategy: AuthStrategy<TokenSet>;
  /** Calls that wait for it. */
  waiting: number;
  /** Since it was last looked at by who lets go of the idle. */
  wasUsed: boolean;
}

/** What a session asks of those who keep it ready. */
export interface SessionKeeper {
  readonly name: string;
  readonly isRejected?: AuthStrategy<TokenSet>['isRejected'] | undefined;
  /** Keeps a subject active while somebody waits for it. */
  using<T>(subject: string | undefined, work: (session: Active) => Awaitable<T>): Awaitable<T>;
  /** Only if it is active already. */
  peek(subject: string | undefined): Active | undefined;
}

/** The strategy and token source of one subject. A class, because there are as many as there are users, and ten closures for each weigh ten times more. */
export class Session implements AuthStrategy<TokenSet>, Required<TokenSource> {
  readonly specVersion = 1;
  readonly #subject: string | undefined;
  readonly #keeper: SessionKeeper;

  constructor(subject: string | undefined, keeper: SessionKeeper) {
    this.#subject = subject;
    this.#keeper = keeper;
    Object.freeze(this);
  }

  get name(): string {
    return this.#keeper.name;
  }

  get sensitive(): SensitiveNames {
    return SENSITIVE;
  }

  authorize(request: AuthRequest, context: AuthContext): Awaitable<AuthPatch<TokenSet>> {
    return this.#keeper.using(this.#subject, ({ strategy }) => strategy.authorize(request, context));
  }

  isRejected(response: AuthResponse, sent: SentAttempt<TokenSet>): Awaitable<boolean> {
    return stepUpOf(response) !== undefined || (this.#keeper.isRejected?.(response, sent) ?? false);
  }

  recover(response: AuthResponse, sent: SentAttempt<TokenSet>, context: AuthContext): Awaitable<boolean> {
    const stepUp = stepUpOf(response);
    if (stepUp) throw stepUpError(stepUp, this.#subject, this.name);
    return this.#usingAgain(context, ({ strategy }) => strategy.recover?.(response, sent, context) ?? false);
  }

  observe(response: AuthResponse, sent: SentAttempt<TokenSet>): void {
    this.#keeper.peek(this.#subject)?.strategy.observe?.(response, sent);
  }

  getToken(options?: GetTokenOptions): Awaitable<TokenSet> {
    return this.#keeper.using(this.#subject, ({ manager }) => manager.getToken(options));
  }

  rejected(receipt: unknown, context?: GetTokenOptions): Awaitable<boolean> {
    return this.#usingAgain(context, ({ manager }) => manager.rejected(receipt, context));
  }

  accepted(receipt: unknown): void {
    this.#keeper.peek(this.#subject)?.manager.accepted(receipt);
  }

  async invalidate(): Promise<void> {
    await this.#keeper.using(this.#subject, ({ manager }) => manager.invalidate());
  }

  /** Who was let go of since the token was sent does not know it any more: what the store holds is looked at first. */
  #usingAgain<T>(context: GetTokenOptions | undefined, work: (session: Active) => Awaitable<T>): Awaitable<T> {
    return this.#keeper.using(this.#subject, (session) => {
      if (session.manager.peek()) return work(session);
      return Promise.resolve(session.manager.getToken(context)).then(() => work(session));
    });
  }
}

const SENSITIVE: SensitiveNames = Object.freeze({ headers: Object.freeze(['authorization']) });
