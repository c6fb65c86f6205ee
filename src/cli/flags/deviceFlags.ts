import type { Command } from 'commander';
import { printDevice, readDevices } from '../../experiment/numberedDevice.ts';
import type { NumberedDevice } from '../../experiment/numberedDevice.ts';
import { usageError } from '../commands/commandContext.ts';

/** The flag of commands that spread one run over several GPUs of this machine, as commander has parsed it and what it stands for. */
export interface DeviceOptions {
  readonly devices?: string;
  readonly device?: string;
  readonly workers?: string;
}

export function addDevicesFlag(command: Command): Command {
  return command.option(
    '--devices <list>',
    'GPUs of this machine with a worker each, as cuda:0,cuda:1; in the place of --device and --workers',
  );
}

/**
 * The devices that share a run: of one kind, since digits of two kinds differ.
 *
 * @returns undefined where none are said
 * @throws EspalierError `settings/invalid` for what is no list of devices, `cli/usage` for kinds that differ, or other flags that say the same
 */
export function askedDevices({ devices: text, device, workers }: DeviceOptions): readonly NumberedDevice[] | undefined {
  if (text === undefined) return undefined;
  const devices = readDevices(text);
  const other = device !== undefined ? '--device' : workers !== undefined ? '--workers' : undefined;
  if (other !== undefined) {
    throw usageError('--devices alone', `--devices with ${other}`, `Leave ${other} out: each device has one worker.`);
  }
  const [first] = devices;
  const alien = devices.find((one) => one.device !== first!.device);
  if (alien) {
    const actual = `${printDevice(first!)} and ${printDevice(alien)}`;
    throw usageError('devices of one kind: others compute other digits', actual, 'Leave out those of one kind.');
  }
  return devices;
}
