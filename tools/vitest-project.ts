import { fileURLToPath } from 'node:url';
import { defineProject, type UserWorkspaceConfig } from 'vitest/config';

/** The vitest settings that every package and example shares: sources instead of builds, and no way off this machine. */
export function authseamProject(name: string): UserWorkspaceConfig {
  return defineProject({
    ssr: { resolve: { conditions: ['@authseam/source', 'module', 'node', 'development|production'] } },
    test: {
      name,
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      setupFiles: [fileURLToPath(new URL('./loopback-only.ts', import.meta.url))],
    },
  });
}
