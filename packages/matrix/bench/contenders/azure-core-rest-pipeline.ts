import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type HttpMethods,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { type Contender, credential } from '../contender.ts';
import { inspector } from '../null-transport.ts';

/** Has a transport and a request type of its own: the null `HttpClient` answers with one pre-made response, as the null fetch does. */
export const azureCoreRestPipeline: Contender = {
  name: '@azure/core-rest-pipeline',
  role: 'peer',
  async setup() {
    const answer = { status: 200, headers: createHttpHeaders() } as PipelineResponse;
    const client: HttpClient = {
      sendRequest(request) {
        inspector()?.({ url: request.url, authorization: request.headers.get('authorization') ?? null });
        return Promise.resolve(answer);
      },
    };
    const pipeline = createEmptyPipeline();
    const getToken = async () => ({ token: credential.accessToken, expiresOnTimestamp: Date.now() + credential.lifetimeMs });
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential: { getToken }, scopes: 'https://api.example.com/.default' }));
    return (url, { method, headers, body }) =>
      pipeline.sendRequest(
        client,
        createPipelineRequest({
          url,
          method: (method ?? 'GET') as HttpMethods,
          headers: createHttpHeaders(headers as Record<string, string>),
          ...(typeof body === 'string' && { body }),
        }),
      );
  },
};
