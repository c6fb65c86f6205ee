import type { DeviceName } from '../../src/experiment/settings.ts';
import { FAMILIES, type FamilyName } from './generate/families.ts';
import { testDevices } from './runGraph.ts';

/** Whose programs have what a cache and packed rows need: rotations, heads that share keys, a mask. */
const ON_WEBGPU: FamilyName = 'llama-2 grouped queries';

/**
 * Families on the CPU, and one on WebGPU where this machine has a (software) device; all of them on that which ESPALIER_TEST_DEVICE names.
 *
 * @returns rows of a table of tests
 */
export async function familyDevices(
  names: readonly FamilyName[] = Object.keys(FAMILIES) as FamilyName[],
): Promise<readonly (readonly [name: FamilyName, on: DeviceName])[]> {
  const on = (process.env['ESPALIER_TEST_DEVICE'] ?? 'cpu') as DeviceName;
  const all = names.map((name) => [name, on] as const);
  const { missing } = await testDevices();
  return missing === undefined && on === 'cpu' ? [...all, [ON_WEBGPU, 'webgpu']] : all;
}
