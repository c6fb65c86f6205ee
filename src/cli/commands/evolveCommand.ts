import { Command } from 'commander';
import { LLM_SETTINGS } from '../../search/llm/settings.ts';
import { METRIC_SEARCH_SETTINGS } from '../../search/metrics/settings.ts';
import { SETTINGS } from '../../experiment/settings.ts';
import { JSON_FLAG, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { runSearchCommand } from './searchCommand.ts';
import type { SearchCommandOptions } from './searchCommand.ts';
import { addQueueFlag } from '../flags/queueFlags.ts';
import { addSearchInputs } from '../flags/searchFlags.ts';
import { flagInSearch, kebabCase } from '../flags/flagNames.ts';
import { addFlags } from '../flags/settingFlags.ts';

/** `search --method pruner-zero` under its old name, with the flags that searches for metrics have. */
export function evolveCommand(context: CommandContext): Command {
  const command = new Command('evolve')
    .description(
      'search for metrics that prune a checkpoint well, by genetic programming; every step is kept and can be resumed',
    )
    .argument('[file]', '.prune file with a search; flags override what it says');
  const inputs = addFlags(addSearchInputs(command), METRIC_SEARCH_SETTINGS, String);
  addQueueFlag(addFlags(addFlags(inputs, LLM_SETTINGS, kebabCase), SETTINGS, flagInSearch))
    .option(...JSON_FLAG)
    .action((file: string | undefined, options: SearchCommandOptions) =>
      runSearchCommand('evolve', file, options, context, 'metrics'),
    );
  return withExamples(command, [
    ['the search of a file', 'espalier evolve metrics.prune'],
    [
      'without a file',
      'espalier evolve --model models/tiny --text train.txt --calibration calib.txt --test test.txt \\\n' +
        '    --sparsity 60% --population 30 --generations 10 --samples 16 --length 256 --blocks 32 --workers 2',
    ],
    ['go on with one that was interrupted', 'espalier evolve --resume 20261122-1015'],
    ['the best metric found', "espalier evolve metrics.prune --json | tail -n 1 | jq -r '.best[0].metric'"],
  ]);
}
