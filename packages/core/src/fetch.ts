export { type AuthorizedRequestInit, authorizedFetch } from './fetch/authorized-fetch.ts';
export type { FetchLike } from './fetch/fetch-call.ts';
