import * as z from 'zod';
import { EspalierError } from '../base/errors.ts';
import type { Immutable } from '../base/immutable.ts';
import { printable } from '../base/printable.ts';
import { countSchema } from '../base/scalarSchemas.ts';
import { DEVICES } from './settings.ts';
import type { DeviceName } from './settings.ts';

/** Far beyond what one machine holds. */
export const MAX_DEVICES = 256;

/** One of several devices of a kind: the number counts those that a process of this machine is shown, from 0. It decides no result. */
export const numberedDeviceSchema = z.strictObject({
  device: z.enum(DEVICES),
  number: countSchema.max(MAX_DEVICES - 1),
});
export type NumberedDevice = Immutable<z.infer<typeof numberedDeviceSchema>>;

/**
 * Reads a list such as `cuda:0,cuda:1`; without a number it is the first.
 *
 * @throws EspalierError `settings/invalid` for what is no such list, and for a device that stands in it twice
 */
export function readDevices(text: string): readonly NumberedDevice[] {
  const devices = text.split(',').map(readDevice);
  const names = devices.map(printDevice);
  const twice = names.find((name, place) => names.indexOf(name) < place);
  if (twice !== undefined) throw listError(`${twice} twice`);
  if (devices.length > MAX_DEVICES) throw listError(`${devices.length} devices, more than ${MAX_DEVICES}`);
  return devices;
}

export function printDevice({ device, number }: NumberedDevice): string {
  return `${device}:${number}`;
}

function readDevice(text: string): NumberedDevice {
  const [, name, number = '0'] = /^([a-z]+)(?::(\d{1,4}))?$/.exec(text.trim()) ?? [];
  const device = DEVICES.find((known) => known === name);
  if (!device || Number(number) >= MAX_DEVICES) throw listError(`“${printable(text.trim()).slice(0, 60)}”`);
  return { device, number: Number(number) };
}

function listError(actual: string): EspalierError {
  const names: readonly DeviceName[] = DEVICES;
  return new EspalierError({
    code: 'settings/invalid',
    operation: 'reading a list of devices',
    expected: `devices with their numbers, each once, as cuda:0,cuda:1 (there are ${names.join(', ')})`,
    actual,
    remedy: '`espalier devices` tells what works here.',
  });
}
