import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((name) => join('test', name))
  .filter((name) => name.endsWith('.test.ts') && !name.startsWith(join('test', 'e2e')));
/** Those that replace a module need it not to have been loaded: each has a process of its own. The others share two, which halves the time. */
const replacing = files.filter((file) => readFileSync(file, 'utf8').includes('vi.mock('));

const common = { testTimeout: 60_000, pool: 'forks' } as const;

export default defineConfig({
  test: {
    // A numeric engine uses both cores by itself; forks keep onnxruntime one to a process.
    maxWorkers: 2,
    projects: [
      {
        test: { ...common, name: 'shared', include: files.filter((file) => !replacing.includes(file)), isolate: false },
      },
      { test: { ...common, name: 'alone', include: replacing } },
    ],
  },
});
