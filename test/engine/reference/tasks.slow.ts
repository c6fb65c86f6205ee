import { afterAll, beforeAll, describe, test } from 'vitest';
import { createEngine, type Engine } from '../../../src/engine/engine.ts';
import { whyNoPeer } from '../../support/peer.ts';
import { expectOraclesLikelihoods } from '../../support/taskLikelihoods.ts';
import { hasTasksReference } from '../../support/tasksReference.ts';

// Every task by either harness, with and without examples, dense and pruned: each two of these together once.

const TASKS = [
  ...(['winogrande', 'hellaswag', 'boolq', 'arc_easy', 'arc_challenge'] as const),
  ...(['openbookqa', 'piqa', 'rte', 'mmlu'] as const),
];
/** Of each task: all of them take an hour. */
const DOCUMENTS = 12;
const missing = whyNoPeer() ?? (hasTasksReference ? undefined : 'no documents of tasks');
const title = 'log-likelihoods of all tasks are those of the PyTorch oracle';

describe.skipIf(missing !== undefined)(missing === undefined ? title : `${title} (skipped: ${missing})`, () => {
  let engine: Engine;
  beforeAll(() => {
    engine = createEngine({ startFresh: () => createEngine() });
  });
  afterAll(() => engine.dispose());

  test.each([
    { shots: 0, harness: '0.4', pruned: false },
    { shots: 2, harness: '0.4', pruned: true },
    { shots: 2, harness: '0.3', pruned: false },
    { shots: 0, harness: '0.3', pruned: true },
  ] as const)(
    '$shots shots, harness $harness, pruned $pruned',
    (asked) => expectOraclesLikelihoods(engine, { ...asked, tasks: TASKS, limit: DOCUMENTS }),
    900_000,
  );
});
