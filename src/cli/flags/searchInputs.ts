import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { parseSparsity } from '../../experiment/sparsity.ts';
import type { Sparsity } from '../../experiment/sparsitySchema.ts';
import { nearestName } from '../../metric/nearest.ts';
import { OPERAND_NAMES } from '../../metric/operands.ts';
import type { OperandName } from '../../metric/operands.ts';
import { OPERATION_NAMES } from '../../metric/operations.ts';
import type { OperationName } from '../../metric/operations.ts';
import { collect } from '../commands/commandContext.ts';

/** The flags that say what a search works on, the same for `evolve` and `search`. */
export function addSearchInputs(command: Command): Command {
  return command
    .option('--search <name>', 'which search of the file')
    .option('--resume <run>', 'go on with a run: its id, or the beginning of it (`espalier runs` lists them)')
    .option(
      '--recover',
      'with --resume: go on from what stands before the damage of a journal; it is kept beside as it was',
    )
    .option('--model <folder>', 'checkpoint folder (config.json, tokenizer.json, *.safetensors)')
    .option('--text <file>', 'UTF-8 text whose perplexity is the fitness')
    .option('--calibration <file>', 'UTF-8 text that calibration samples are cut from')
    .option('--test <file>', 'UTF-8 text that the search never sees: what it found is evaluated there at the end')
    .option('--sparsity <share>', 'weights to remove: 50%, 2:4, 4:8 (default: 50%)', parseOneSparsity)
    .option('--operands <list>', 'leaves of the trees, as W,X (default: W,X,G)', parseNames(OPERAND_NAMES, 'operand'))
    .option(
      '--operations <list>',
      'nodes of the trees, as mul,sqrt,mms (default: Pruner-Zero’s)',
      parseNames(OPERATION_NAMES, 'operation'),
    )
    .option(
      '--from <metric>',
      'start from this metric, of the file or as an expression; may be repeated',
      collect(String),
    )
    .option('--baseline <what>', BASELINE_HELP, collect(String));
}

const BASELINE_HELP =
  'compare with this: a metric of the file, an expression, or one of magnitude, wanda, taylor, pruner-zero; of self-pruner rates (uniform, owl, 0.2,0.4); of policy-gradient a method, a metric, or structure(flap, global); may be repeated';

function parseOneSparsity(text: string): Sparsity {
  const sparsity = parseSparsity(text);
  if (sparsity !== undefined) return sparsity;
  throw new InvalidArgumentError(`${JSON.stringify(text)} is no sparsity: write 50%, 0.5, 2:4 or 4:8.`);
}

function parseNames<Name extends OperandName | OperationName>(known: readonly Name[], what: string) {
  return (text: string): readonly Name[] => {
    const names = text.split(',').map((part) => {
      const name = known.find((one) => one === part.trim());
      if (name !== undefined) return name;
      const near = nearestName(part.trim(), known);
      const hint = near === undefined ? `There are ${known.join(', ')}.` : `Did you mean ${near}?`;
      throw new InvalidArgumentError(`${JSON.stringify(part)} is no ${what}. ${hint}`);
    });
    return [...new Set(names)];
  };
}
