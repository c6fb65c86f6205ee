import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((name) => join('test', name))
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith(join('test', 'e2e')));
/** Those that replace a module need it not to have been loaded: each has a process of its own. The others share two, which halves the time. */
const replacing = files.filter((file) => readFileSync(file, 'utf8').includes('vi.mock('));

/** What takes longest, whatever its size, which is what files are sorted by at first: begun last, one of them would keep one core waiting. */
const LONG =
  /test\/(coordinator\/(workers|queuePool)|queue\/\w+|docs\/launch|cli\/process\/\w+|engine\/(threads|families\/(families|oracleReference|randomMetrics))|worker\/process)\.test\.ts$/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG.test(moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

const common = { testTimeout: 60_000, pool: 'forks' } as const;

export default defineConfig({
  test: {
    // A numeric engine uses both cores by itself; forks keep onnxruntime one to a process.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: { ...common, name: 'shared', include: files.filter((file) => !replacing.includes(file)), isolate: false },
      },
      { test: { ...common, name: 'alone', include: replacing } },
    ],
  },
});
