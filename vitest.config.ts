import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/closing-line.ts'],
    // For 2 cores: most of the work is done by the processes under test, which wait for Slack and for each other.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // A rejected promise nobody waits for is a bug of ours, not noise.
    dangerouslyIgnoreUnhandledErrors: false,
  },
});
