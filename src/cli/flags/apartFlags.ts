import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { isInRange, rangeText } from '../../experiment/settingRow.ts';
import type { QueueAddress } from '../../queue/queueAddress.ts';
import { WORKERS_SETTING } from '../../search/lifecycle/settings.ts';
import { usageError } from '../commands/commandContext.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { addQueueFlag, askedQueue } from './queueFlags.ts';
import type { QueueOptions } from './queueFlags.ts';
import { settingFlag } from './settingFlags.ts';

/** Flags that say who evaluates, as commander has parsed them. */
export interface ApartOptions extends QueueOptions {
  readonly workers?: number;
}

/** Who evaluates: this process all of a plan together, or several each evaluation by itself. */
export type Evaluators =
  | { readonly kind: 'here' }
  | { readonly kind: 'processes'; readonly workers: number }
  | { readonly kind: 'queue'; readonly address: QueueAddress };

export function addApartFlags(command: Command): Command {
  return addQueueFlag(
    command.addOption(settingFlag('workers', WORKERS_SETTING).argParser(parseWorkers)),
    'workers of a queue evaluate, each with threads of its own',
  );
}

/** @throws EspalierError `cli/usage`, and as {@link askedQueue} */
export function askedEvaluators(
  { workers, ...options }: ApartOptions,
  { variables = {} }: Pick<CommandContext, 'variables'>,
): Evaluators {
  const address = askedQueue(options, variables);
  if (address && workers !== undefined) {
    throw usageError('--queue or --workers', 'both', 'Leave --workers out: who works for a queue is started there.');
  }
  if (address) return { kind: 'queue', address };
  return workers !== undefined && workers > 1 ? { kind: 'processes', workers } : { kind: 'here' };
}

function parseWorkers(typed: string): number {
  const value = /^\d{1,16}$/.test(typed.trim()) ? Number(typed) : NaN;
  if (isInRange(WORKERS_SETTING, value)) return value;
  throw new InvalidArgumentError(`It takes ${rangeText(WORKERS_SETTING)}.`);
}
