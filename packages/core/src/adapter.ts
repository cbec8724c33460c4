export { appendCookies, appendForm, appendQuery, checkPatch, percentEncode } from './apply-patch.ts';
export { createOriginPolicy, type OriginPolicy } from './origin-policy.ts';
export { headersBoundToOrigin, headersOfBody, type Redirection, redirection } from './redirect.ts';
export { type ClientCall, createSendLoop, type NextHop, type SendLoop } from './send-loop.ts';
