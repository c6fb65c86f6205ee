import type { EvaluationResult } from '../../experiment/resultSchema.ts';

/** What of a result says where something lies, how long it took, with how many threads, or what was found on a disk. */
const INCIDENTAL = new Set(['seconds', 'gradients', 'hiddenStates', 'tasks', 'provenance']);
const INCIDENTAL_ORIGIN = new Set(['deviceName', 'model', 'text', 'calibration', 'gradients', 'train', 'validate']);
const INCIDENTAL_OF_TASK = new Set(['seconds', 'documentsFile']);

/** What of a result depends on nothing but what was asked, content of files, and what computes. */
export function essentialsOf(result: EvaluationResult): object {
  return {
    ...without(result, INCIDENTAL),
    provenance: without(result.provenance, INCIDENTAL_ORIGIN),
    ...(result.tasks && { tasks: result.tasks.map((task) => without(task, INCIDENTAL_OF_TASK)) }),
  };
}

function without(of: object, names: ReadonlySet<string>): object {
  return Object.fromEntries(Object.entries(of).filter(([name]) => !names.has(name)));
}
