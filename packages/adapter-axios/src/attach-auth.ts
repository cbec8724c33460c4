import { type AuthStrategy, ConfigurationError, type WithAuthOptions } from '@authseam/core';
import { absoluteUrl, createSendLoop, hidesRedirects, type SendLoop } from '@authseam/core/adapter';
import { type Axios, type AxiosAdapter, type AxiosResponse, getAdapter, type InternalAxiosRequestConfig } from 'axios';
import { AxiosCall } from './axios-call.ts';
import { delivered, withoutCredentials } from './axios-outcome.ts';

declare module 'axios' {
  // As axios declares it: all declarations of an interface name the same parameters, and older ones have one only.
  // biome-ignore lint/suspicious/noExplicitAny: axios's own default
  interface AxiosRequestConfig<D = any, P = any> {
    /** Sends this request with another strategy, or with `false` without any. Not for instance defaults. */
    authStrategy?: AuthStrategy | false | undefined;
  }
}

/** Key under which an instance keeps what is attached to it. */
const attached: unique symbol = Symbol.for('authseam.axios.attached') as never;
/** Key under which an authorizing adapter keeps the one that it wraps. */
const wrapped: unique symbol = Symbol.for('authseam.axios.wrapped') as never;

/** As much of an instance as is used: TypeScript has other types for axios in CommonJS files. */
export type AxiosLike = Pick<Axios, 'defaults' | 'interceptors'>;

type Attachable = AxiosLike & { [attached]?: Slot };
type Wrapper = AxiosAdapter & { [wrapped]?: Adapters };
type Adapters = NonNullable<InternalAxiosRequestConfig['adapter']>;

/** What axios uses where nothing is said. */
const anyAdapter: Adapters = ['xhr', 'http', 'fetch'];

/**
 * Authorizes every request of `instance`. No call changes: interceptors, transforms, retries, `params`, timeouts and cancellation work as before, and
 * errors stay axios's own. Per request, `authStrategy: false` sends without credentials, another strategy sends with that one.
 *
 * One synchronous request interceptor wraps the adapter of each request, whichever that is, and all else happens in there, where URL and body are
 * final. A rejected request (401, or what the strategy says) is recovered from once and sent once more; a second rejection is axios's to judge, by
 * `validateStatus`. Credentials stay with the origin of the instance's `baseURL`, or with `origins`. Redirects are followed hop by hop, as far as
 * `maxRedirects` goes, and authorized anew. Instances that `instance.create()` makes start without a strategy.
 *
 * @param instance An axios instance, or axios itself. It is plugged into; nothing but an interceptor is added to it.
 * @param options See `WithAuthOptions`. The request's own `timeout` covers waits for credentials as well.
 * @returns Detaches: afterwards the instance is what it was before. Attaching again replaces what was attached.
 * @throws {ConfigurationError} at once for bad arguments. Requests reject with an `AuthError` when no credential can be had, otherwise as axios does.
 * @example
 * ```ts
 * import { attachAuth } from '@authseam/adapter-axios';
 * import { apiKey } from '@authseam/auth-api-key';
 * import axios from 'axios';
 *
 * const api = axios.create({ baseURL: 'https://api.example.com' });
 * attachAuth(api, apiKey({ key: 'example' }));
 * const { data } = await api.get('/items');
 * ```
 */
export function attachAuth(instance: AxiosLike, strategy: AuthStrategy, options: WithAuthOptions = {}): () => void {
  if (typeof instance?.interceptors?.request?.use !== 'function') {
    const message =
      '`instance` must be an axios instance: attachAuth(axios, strategy). For fetch and ky see @authseam/adapter-fetch and -ky.';
    throw new ConfigurationError(message, { option: 'instance' });
  }
  const { defaults, interceptors } = instance;
  const attachment: Attachment = { defaults, strategy, options, send: createSendLoop(strategy, options), hidden: hidesRedirects() };
  checkDefaults(attachment);
  const known = (instance as Attachable)[attached];
  const slot = known?.isThere() ? known : occupy(instance as Attachable, interceptors.request);
  slot.attachment = attachment;
  return () => {
    if (slot.attachment !== attachment) return;
    slot.attachment = undefined;
    slot.vacate();
  };
}

/** The place of what is attached to one instance: attaching again changes nothing about the order of its interceptors. */
interface Slot {
  attachment: Attachment | undefined;
  /** Whether the interceptor still is: `clear()` takes out all. */
  isThere(): boolean;
  vacate(): void;
}

function occupy(instance: Attachable, interceptors: AxiosLike['interceptors']['request']): Slot {
  const attach = (config: InternalAxiosRequestConfig): InternalAxiosRequestConfig => withWrapper(slot, config);
  const id = interceptors.use(attach, null, { synchronous: true });
  const slot: Slot = {
    attachment: undefined,
    isThere() {
      const { handlers } = interceptors as unknown as { handlers?: readonly ({ readonly fulfilled: unknown } | null)[] };
      return handlers?.some((handler) => handler?.fulfilled === attach) ?? true;
    },
    vacate() {
      // Where it was taken out, axios of old has given its id to somebody else.
      if (slot.isThere()) interceptors.eject(id);
      delete instance[attached];
    },
  };
  Object.defineProperty(instance, attached, { value: slot, configurable: true });
  return slot;
}

/** What is attached to one instance. */
interface Attachment {
  readonly defaults: AxiosLike['defaults'];
  readonly strategy: AuthStrategy;
  readonly options: WithAuthOptions;
  readonly send: SendLoop;
  readonly hidden: boolean;
  /** The `baseURL` that was seen last, and its origin. */
  baseUrl?: string;
  home?: string | undefined;
}

/** Replaces the adapter of a request, and nothing else: what is to be sent is final in there. */
function withWrapper(slot: Slot, config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const given: Adapters = config.adapter ?? slot.attachment?.defaults.adapter ?? anyAdapter;
  const original = (given as Wrapper)[wrapped] ?? given;
  const wrapper: Wrapper = (final) => {
    final.adapter = original;
    const { attachment } = slot;
    try {
      const adapter = getAdapter(original, final);
      return attachment ? authorized(attachment, final, adapter) : adapter(final);
    } catch (error) {
      return Promise.reject(error);
    }
  };
  wrapper[wrapped] = original;
  config.adapter = wrapper;
  return config;
}

function authorized(attachment: Attachment, config: InternalAxiosRequestConfig, adapter: AxiosAdapter): Promise<AxiosResponse> {
  checkDefaults(attachment);
  const { options, hidden } = attachment;
  const { authStrategy: strategy = attachment.strategy } = config;
  if (strategy === false) return adapter(config);
  const send = strategy === attachment.strategy ? attachment.send : createSendLoop(strategy, options);
  const { signal, release } = cancellationOf(config);
  return send(new AxiosCall({ config, adapter, strategy, options, hidden, home: homeOf(attachment), signal }, config)).then(
    (outcome) => {
      release?.();
      return delivered(outcome, config);
    },
    (error) => {
      release?.();
      throw withoutCredentials(error, config);
    },
  );
}

/** Origin of the instance's own `baseURL`, which may change at any time. */
function homeOf(attachment: Attachment): string | undefined {
  const { baseURL } = attachment.defaults;
  if (!baseURL) return undefined;
  if (baseURL !== attachment.baseUrl) {
    const url = absoluteUrl(baseURL);
    attachment.home = URL.canParse(url) ? new URL(url).origin : undefined;
    attachment.baseUrl = baseURL;
  }
  return attachment.home;
}

/** What stands in the defaults is merged with a request's own into a chimera of both. */
function checkDefaults({ defaults }: Attachment): void {
  if (defaults.authStrategy === undefined) return;
  const message = '`authStrategy` is for single requests; attachAuth(instance, strategy) is for all requests of an instance.';
  throw new ConfigurationError(message, { option: 'authStrategy' });
}

/** What cancels a request: its signal, its old-style token, or either. */
function cancellationOf({ signal, cancelToken }: InternalAxiosRequestConfig): { signal: AbortSignal | undefined; release?: () => void } {
  const given = signal as AbortSignal | undefined;
  if (!cancelToken) return { signal: given };
  const token = (cancelToken as unknown as { toAbortSignal(): AbortSignal & { unsubscribe(): void } }).toAbortSignal();
  return { signal: given ? AbortSignal.any([given, token]) : token, release: () => token.unsubscribe() };
}
