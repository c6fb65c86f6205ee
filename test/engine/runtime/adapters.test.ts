import { describe, expect, it } from 'vitest';
import { adapterVariables, readAdapters } from '../../../src/engine/runtime/adapters.ts';
import { failureOf } from '../../support/expectCoded.ts';

/** As Mesa's layer writes it (print_gpu), among what drivers write. */
const FOUR = `Warning: something of a driver
selectable devices:
  GPU 0: 10005:0 "llvmpipe (LLVM 15.0.6, 256 bits)" CPU 0000:00:00.0
  GPU 1: 8086:4680 "Intel(R) UHD Graphics 770 (ADL-S GT1)" integrated GPU 0000:00:02.0
  GPU 2: 10de:2330 "NVIDIA H100 80GB HBM3" discrete GPU 0000:1b:00.0
  GPU 3: 10de:2330 "NVIDIA H100 80GB HBM3" discrete GPU 0000:43:00.0
`;
const SOFTWARE = 'selectable devices:\n  GPU 0: 10005:0 "llvmpipe (LLVM 15.0.6, 256 bits)" CPU\n';
const ALONE = { MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: '1' };

describe('adapters of WebGPU', () => {
  it('are numbered as Dawn prefers them', () => {
    expect(readAdapters(FOUR).map(({ name, place }) => `${name} ${place}`)).toEqual([
      'NVIDIA H100 80GB HBM3 0000:1b:00.0',
      'NVIDIA H100 80GB HBM3 0000:43:00.0',
      'Intel(R) UHD Graphics 770 (ADL-S GT1) 0000:00:02.0',
      'llvmpipe (LLVM 15.0.6, 256 bits) 0000:00:00.0',
    ]);
    expect(readAdapters('MESA: error: no devices\n  GPU 0: nonsense\n')).toEqual([]);
  });

  it.each<[number, string, Record<string, string>]>([
    [0, '', {}],
    [0, FOUR, { ...ALONE, MESA_VK_DEVICE_SELECT: '', DRI_PRIME: 'pci-0000_1b_00_0' }],
    [1, FOUR, { ...ALONE, MESA_VK_DEVICE_SELECT: '', DRI_PRIME: 'pci-0000_43_00_0' }],
    [0, SOFTWARE, { ...ALONE, MESA_VK_DEVICE_SELECT: '10005:0' }],
  ])('%i of %j is chosen by variables of Vulkan’s layer', (number, text, variables) => {
    expect(adapterVariables(number, readAdapters(text))).toEqual(variables);
  });

  it.each([
    [4, FOUR, '4 of them: 0 NVIDIA'],
    [1, SOFTWARE, '1 of them: 0 llvmpipe'],
    [1, '', 'cannot be listed'],
    [0, FOUR.replaceAll(/ [\da-f:.]+$/gm, ''), 'several of the same model'],
  ])('%i of %j cannot be had', async (number, text, actual) => {
    const { code, data } = await failureOf(() => adapterVariables(number, readAdapters(text)));
    expect([code, data.operation]).toEqual(['device/unavailable', `starting the device webgpu:${number}`]);
    expect(data.actual).toContain(actual);
  });
});
