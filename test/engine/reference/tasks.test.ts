import { afterAll, beforeAll, describe, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { whyNoPeer } from '../../support/peer.ts';
import { expectOraclesLikelihoods } from '../../support/taskLikelihoods.ts';
import { hasTasksReference } from '../../support/tasksReference.ts';

// A few documents of every kind of task; all of them are in tasks.slow.ts.

const missing = whyNoPeer() ?? (hasTasksReference ? undefined : 'no documents of tasks');
const title = 'log-likelihoods of tasks are those of the PyTorch oracle';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, () => {
  let engine: Engine;
  beforeAll(() => {
    engine = createEngine({ startFresh: () => createEngine() });
  });
  afterAll(() => engine.dispose());

  test.each([
    { tasks: ['winogrande', 'hellaswag', 'boolq', 'mmlu'], shots: 0, limit: 4, harness: '0.4', pruned: false },
    { tasks: ['piqa'], shots: 2, limit: 3, harness: '0.4', pruned: true },
  ] as const)('$tasks, $shots shots, pruned $pruned', (asked) => expectOraclesLikelihoods(engine, asked), 240_000);
});
