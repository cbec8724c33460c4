import type { ConformanceCase } from '../conformance-case.ts';
import { expectThat } from '../expectation.ts';
import { expectNoSecret } from '../secret-sightings.ts';
import { contextOf, requestOf, responseOf } from './exchange.ts';
import type { StrategySubject } from './strategy-subject.ts';

/** Where no secret may show. */
export const secrecyCases: readonly ConformanceCase<StrategySubject>[] = [
  {
    name: 'shows no secret in its own properties, in JSON or in print',
    async run({ create }) {
      const { strategy, secrets } = create();
      expectNoSecret(strategy, secrets, 'the strategy');
      await strategy.authorize(requestOf(), contextOf());
      expectNoSecret(strategy, secrets, 'the strategy after its first request');
    },
  },
  {
    name: 'reports events without secrets, under its own name',
    async run({ create }) {
      const subject = create();
      const { strategy, secrets } = subject;
      const context = contextOf();
      const request = requestOf();
      const { receipt } = await strategy.authorize(request, context);
      subject.rotate?.();
      await strategy.recover?.(responseOf(401), { request, receipt }, context);
      for (const event of context.events) {
        expectNoSecret(event, secrets, `the event ${event.type}`);
        expectThat(typeof event.type === 'string' && typeof event.strategy === 'string', '`type` and `strategy` on each event');
      }
    },
  },
];
