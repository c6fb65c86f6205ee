import { EspalierError } from '../../base/errors.ts';
import { MissingInput } from '../../language/plan/planErrors.ts';
import { usageError } from '../commands/commandContext.ts';

const FLAGS = {
  model: ['--model', 'a checkpoint folder'],
  evaluate: ['--text', 'the text that the perplexity is taken on, or --tasks'],
  calibrate: ['--calibration', 'a text to calibrate on'],
  train: ['--train', 'a text to train on'],
  tasks: ['--tasks', 'the tasks that candidates are chosen by (--objective tasks)'],
  at: ['--sparsity', 'a share of the weights'],
} as const satisfies Record<MissingInput['property'], readonly [flag: string, what: string]>;

/** What a plan lacks, by the flag that says it; with a file beside what the file can say. Other errors stay as they are. */
export function missingFlags(thrown: unknown, command: string, hasFile: boolean): unknown {
  if (!(thrown instanceof MissingInput)) return thrown;
  const [flag, what] = FLAGS[thrown.property];
  if (hasFile) return new EspalierError({ ...thrown.data, remedy: `${thrown.data.remedy} Or say it here: ${flag}.` });
  const file = command === 'evaluate' ? 'that says it' : 'with a search';
  const remedy = `Add it, or name a .prune file ${file}; \`espalier ${command} --help\` shows both.`;
  return usageError(`${flag} with ${what}`, `no ${flag}`, remedy);
}
