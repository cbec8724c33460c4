/** Auth0's paths. */
export const AUTH0_ROUTES = {
  token: '/oauth/token',
  authorization: '/authorize',
  jwks: '/.well-known/jwks.json',
  userinfo: '/userinfo',
} as const;
