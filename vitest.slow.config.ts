import { defineConfig } from 'vitest/config';

/** `npm run test:slow`: what takes minutes or gigabytes (test/**\/*.slow.ts), one file at a time; and all cases of tables that `npm test` takes a part of. */
export default defineConfig({
  test: {
    include: [
      'test/**/*.slow.ts',
      'test/runs/hostileRuns.test.ts',
      'test/engine/corpus/hostileData.test.ts',
      'test/engine/webgpu.test.ts',
    ],
    env: { ESPALIER_SLOW: '1' },
    testTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 1,
  },
});
