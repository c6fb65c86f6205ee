import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runSearchOf } from '../../src/coordinator/coordinator.ts';
import { forkWorker } from '../../src/protocol/workerProcess.ts';
import { createRun, findRun, openRun } from '../../src/runs/runFolder.ts';
import type { SearchPlan } from '../../src/search/kinds.ts';

// A process that drives one run, for the kill test: `driveRun.mjs WORKER --cache FOLDER --workers N (--plan FILE | --resume ID)`. It says what
// happens as `espalier evolve --json` does, and takes the key of a language model from the same variable as the command line.

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cache: { type: 'string' },
    workers: { type: 'string', default: '1' },
    plan: { type: 'string' },
    resume: { type: 'string' },
  },
});
const root = process.cwd();
const key = process.env['ESPALIER_LLM_KEY'] ?? '';
const run =
  values.resume === undefined
    ? await createRun(JSON.parse(readFileSync(values.plan!, 'utf8')) as SearchPlan, {
        root,
        createdAt: new Date(),
        versions: {},
      })
    : await openRun(await findRun(root, values.resume));
const print = (object: object): void => {
  process.stdout.write(`${JSON.stringify(object)}\n`);
};
print({ kind: 'run', run: run.record.id });
await runSearchOf(run, {
  signal: new AbortController().signal,
  workers: Number(values.workers),
  languageModel: { grant: { endpoint: 'llm' in run.record.plan ? run.record.plan.llm.endpoint : '', key } },
  spawn: () => forkWorker({ file: positionals[0]!, cacheFolder: values.cache, log: () => undefined }),
  onEvent: ({ seq, at, event }) => {
    print({ seq, at, ...event });
  },
});
