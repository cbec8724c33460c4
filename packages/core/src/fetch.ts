export { type AuthorizedRequestInit, authorizedFetch } from './fetch/authorized-fetch.ts';
export { bareFetch, type FetchLike } from './fetch/fetch-like.ts';
