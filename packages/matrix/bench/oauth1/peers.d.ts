// Two peers come without types. This is as much of them as we use.

declare module 'oauth' {
  type Parameters = readonly (readonly [name: string, value: string])[];

  /** The methods are those that its `get` and `post` call before they send. */
  export class OAuth {
    constructor(
      requestUrl: string,
      accessUrl: string,
      consumerKey: string,
      consumerSecret: string,
      version: string,
      callback: string | null,
      signatureMethod: string,
    );
    _prepareParameters(token: string, tokenSecret: string, method: string, url: string, fields?: object): Parameters;
    _buildAuthorizationHeaders(parameters: Parameters): string;
  }
}

declare module 'oauth-signature' {
  const signature: { generate(method: string, url: string, parameters: object, consumerSecret: string, tokenSecret: string): string };
  export = signature;
}
