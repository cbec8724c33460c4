/** The API answered, and it is no success. The same on every HTTP client. */
export class ExampleApiError extends Error {
  override readonly name: string = 'ExampleApiError';
  readonly status: number;
  /** What the API calls it: `'invalid_api_key'`. Not every answer has one. */
  readonly code: string | undefined;

  constructor(message: string, options: { readonly status: number; readonly code?: string | undefined }) {
    super(message);
    this.status = options.status;
    this.code = options.code;
  }
}

/** No whole answer came: no connection, one that broke off, or a timeout of the HTTP client's. `cause` is the client's own error. */
export class ExampleConnectionError extends Error {
  override readonly name: string = 'ExampleConnectionError';
}
