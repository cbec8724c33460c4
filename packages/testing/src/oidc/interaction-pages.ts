// OpenID Connect Core 1.0 §3.1.2.3 and §3.1.2.4: authentication and consent.
import { text } from 'node:stream/consumers';
import type { Interaction, InteractionResults, Provider } from 'oidc-provider';
import { type Approval, approvalOf, approvalPage } from './approval-page.ts';

/** Where a browser is sent to sign in and to consent. */
export const INTERACTION_PATH = '/interaction';

/** Who can sign in, and how well the server can know them. */
export interface InteractionOptions {
  readonly users: readonly string[];
  /** Authentication context classes, the one of an ordinary sign-in first. */
  readonly acrValues: readonly string[];
}

/** Koa middleware with the login and consent pages, which {@link signIn} fills in. */
export function interactionPages(provider: Provider, options: InteractionOptions): Parameters<Provider['use']>[0] {
  return async (context, next) => {
    if (context.path !== INTERACTION_PATH) return next();
    const interaction = await provider.interactionDetails(context.req, context.res);
    const approval = context.method === 'POST' ? approvalOf(new URLSearchParams(await text(context.req))) : undefined;
    if (approval === undefined || isUnknownUser(interaction, approval, options)) {
      context.type = 'html';
      context.status = approval === undefined ? 200 : 400;
      context.body = pageOf(interaction, options, approval?.user);
    } else {
      const result = await resultOf(provider, interaction, approval, options);
      context.redirect(await provider.interactionResult(context.req, context.res, result));
      context.status = 303;
    }
  };
}

function isUnknownUser({ prompt }: Interaction, { isAllowed, user }: Approval, { users }: InteractionOptions): boolean {
  return prompt.name === 'login' && isAllowed && !users.includes(user);
}

function pageOf(interaction: Interaction, { users }: InteractionOptions, unknownUser: string | undefined): string {
  if (interaction.prompt.name !== 'login') return approvalPage({ title: 'Consent', scope: optionalScope(interaction) });
  const hint = interaction.params['login_hint'];
  const suggested = typeof hint === 'string' && users.includes(hint) ? [hint] : users;
  const problem = unknownUser === undefined ? {} : { problem: `There is no user ${unknownUser}.` };
  return approvalPage({ title: 'Sign in', users: suggested, ...problem });
}

function resultOf(
  provider: Provider,
  interaction: Interaction,
  approval: Approval,
  options: InteractionOptions,
): Promise<InteractionResults> | InteractionResults {
  if (!approval.isAllowed) return { error: 'access_denied', error_description: 'the user said no' };
  return interaction.prompt.name === 'login' ? loginResult(interaction, approval, options) : consentResult(provider, interaction, approval);
}

function loginResult({ params }: Interaction, { user }: Approval, { acrValues }: InteractionOptions): InteractionResults {
  const wanted = String(params['acr_values'] ?? '').split(' ');
  const acr = wanted.find((value) => acrValues.includes(value)) ?? acrValues[0];
  return { login: { accountId: user, amr: ['pwd'], ...(acr === undefined ? {} : { acr }) } };
}

/** What a consent prompt is about. */
interface Missing {
  readonly missingOIDCScope?: readonly string[];
  readonly missingOIDCClaims?: string[];
  readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>;
}

/** All but `openid`: without it there would be no sign-in to speak of. */
function optionalScope({ prompt }: Interaction): readonly string[] {
  const { missingOIDCScope = [], missingResourceScopes = {} } = prompt.details as Missing;
  return [...new Set([...missingOIDCScope, ...Object.values(missingResourceScopes).flat()])].filter((scope) => scope !== 'openid');
}

async function consentResult(provider: Provider, interaction: Interaction, { scope }: Approval): Promise<InteractionResults> {
  const { missingOIDCScope = [], missingOIDCClaims = [], missingResourceScopes = {} } = interaction.prompt.details as Missing;
  const known = interaction.grantId === undefined ? undefined : await provider.Grant.find(interaction.grantId);
  const accountId = interaction.session?.accountId ?? '';
  const grant = known ?? new provider.Grant({ accountId, clientId: String(interaction.params['client_id']) });
  const isAgreed = (word: string) => word === 'openid' || scope.includes(word);
  const isRefused = (word: string) => !isAgreed(word);
  grant.addOIDCScope(missingOIDCScope.filter(isAgreed).join(' '));
  grant.rejectOIDCScope(missingOIDCScope.filter(isRefused).join(' '));
  grant.addOIDCClaims(missingOIDCClaims);
  for (const [resource, words] of Object.entries(missingResourceScopes)) {
    grant.addResourceScope(resource, words.filter(isAgreed).join(' '));
    grant.rejectResourceScope(resource, words.filter(isRefused).join(' '));
  }
  return { consent: { grantId: await grant.save() } };
}
