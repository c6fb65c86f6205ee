import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { isInRange, rangeText } from '../../experiment/settingRow.ts';
import type { NumberedDevice } from '../../experiment/numberedDevice.ts';
import type { QueueAddress } from '../../queue/queueAddress.ts';
import { WORKERS_SETTING } from '../../search/lifecycle/settings.ts';
import { usageError } from '../commands/commandContext.ts';
import type { CommandContext } from '../commands/commandContext.ts';
import { addDevicesFlag, askedDevices } from './deviceFlags.ts';
import type { DeviceOptions } from './deviceFlags.ts';
import { addQueueFlag, askedQueue } from './queueFlags.ts';
import type { QueueOptions } from './queueFlags.ts';
import { settingFlag } from './settingFlags.ts';

/** Flags that say who evaluates, as commander has parsed them. */
export interface ApartOptions extends QueueOptions, Omit<DeviceOptions, 'workers'> {
  readonly workers?: number;
}

/** Who evaluates: this process all of a plan together, or several each evaluation by itself. */
export type Evaluators =
  | { readonly kind: 'here' }
  | { readonly kind: 'processes'; readonly workers: number; readonly devices?: readonly NumberedDevice[] }
  | { readonly kind: 'queue'; readonly address: QueueAddress };

export function addApartFlags(command: Command): Command {
  return addQueueFlag(
    addDevicesFlag(command.addOption(settingFlag('workers', WORKERS_SETTING).argParser(parseWorkers))),
    'workers of a queue evaluate, each with threads of its own',
  );
}

/** @throws EspalierError `cli/usage`, and as {@link askedQueue} */
export function askedEvaluators(
  { workers, ...options }: ApartOptions,
  { variables = {} }: Pick<CommandContext, 'variables'>,
): Evaluators {
  const address = askedQueue(options, variables);
  const processes = workers === undefined ? {} : { workers: String(workers) };
  const devices = askedDevices({ ...options, ...processes });
  if (address) {
    const other = devices ? '--devices' : workers === undefined ? undefined : '--workers';
    if (other === undefined) return { kind: 'queue', address };
    throw usageError(
      `--queue or ${other}`,
      'both',
      `Leave ${other} out: who works for a queue says that where it is started.`,
    );
  }
  if (devices) return { kind: 'processes', workers: devices.length, devices };
  return workers !== undefined && workers > 1 ? { kind: 'processes', workers } : { kind: 'here' };
}

function parseWorkers(typed: string): number {
  const value = /^\d{1,16}$/.test(typed.trim()) ? Number(typed) : NaN;
  if (isInRange(WORKERS_SETTING, value)) return value;
  throw new InvalidArgumentError(`It takes ${rangeText(WORKERS_SETTING)}.`);
}
