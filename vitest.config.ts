import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**'],
    testTimeout: 60_000,
    // A numeric engine uses both cores by itself; forks keep onnxruntime one to a process.
    pool: 'forks',
    maxWorkers: 2,
  },
});
