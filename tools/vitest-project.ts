import { fileURLToPath } from 'node:url';
import { defineProject, type UserWorkspaceConfig } from 'vitest/config';

/** The vitest settings that every package and example shares: sources instead of builds, and no way off this machine. */
export function authseamProject(name: string): UserWorkspaceConfig {
  return defineProject({
    ssr: { resolve: { conditions: ['@authseam/source', 'module', 'node', 'development|production'] } },
    test: {
      name,
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      // What hangs fails. What is slow, on a busy machine, does not: no test is about how long it takes unless it measures that itself.
      testTimeout: 30_000,
      hookTimeout: 60_000,
      expect: { poll: { timeout: 10_000 } },
      setupFiles: [fileURLToPath(new URL('./loopback-only.ts', import.meta.url))],
    },
  });
}
