import { defineConfig } from 'vitest/config';

/** `npm run test:slow`: what takes minutes or gigabytes (test/**\/*.slow.ts), one file at a time. */
export default defineConfig({
  test: {
    include: ['test/**/*.slow.ts'],
    testTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
