export { absoluteUrl } from './absolute-url.ts';
export { appendCookies, appendForm, appendQuery, checkPatch, percentEncode } from './apply-patch.ts';
export { hiddenRedirect, hidesRedirects, isStrippedByPlatform, noCookiesHere } from './hidden-redirects.ts';
export { createOriginPolicy, type OriginPolicy } from './origin-policy.ts';
export { headersBoundToOrigin, headersOfBody, isRedirectStatus, type Redirection, redirection } from './redirect.ts';
export { type Body, bodyGone, heldBody, isForm, isOneShot, type ReadBody, readBody, unreadableBody, withFields } from './request-body.ts';
export { DRAIN_TIMEOUT_MS, discardBody, parseJson, READ_LIMIT, READ_TIMEOUT_MS, readText } from './response-body.ts';
export { type ClientCall, type ClientLimit, createSendLoop, type NextHop, type SendLoop } from './send-loop.ts';
