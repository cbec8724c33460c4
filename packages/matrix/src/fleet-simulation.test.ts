// Three processes, a store that fails and a server that takes each refresh token once, on a clock of their own: hundreds of stories, and a seed for each.
// One of them alone: `SEED=17 npx vitest run --project matrix fleet-simulation -t 'reads that fail'`.
import { describe, expect, it } from 'vitest';
import { faultPlans } from './simulation/fault-plan.ts';
import { simulateFleet } from './simulation/simulate-fleet.ts';

const SEEDS = 100;
const only = process.env['SEED'];
const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, at) => at + 1) : [Number(only)];

describe('a fleet keeps its promises over', { timeout: 60_000 }, () => {
  it.each(Object.entries(faultPlans))('%s', async (_, faults) => {
    for (const seed of seeds) {
      const story = await simulateFleet(seed, faults);
      if (story.problems.length > 0) expect.fail(`seed ${seed}: ${story.problems.join('; ')}\n${story}`);
    }
  });
});

it('a lock that is none does not go unnoticed', async () => {
  const problems: string[] = [];
  for (let seed = 1; seed <= 20; seed += 1)
    problems.push(...(await simulateFleet(seed, { longestOperationMs: 300, isLockShared: true })).problems);
  expect(problems.join()).toMatch(/sent s\d+\/r\d+, which \w+ had sent/);
});

it('one seed tells one story', async () => {
  const plan = faultPlans['all of it']!;
  const stories = [await simulateFleet(1, plan), await simulateFleet(1, plan), await simulateFleet(2, plan)].map(String);
  expect(stories[1]).toBe(stories[0]);
  expect(stories[2]).not.toBe(stories[0]);
});
