import { EspalierError } from '../../base/errors.ts';

/** A device of Vulkan, as Mesa's layer lists it. */
export interface Adapter {
  readonly name: string;
  /** Its maker's number and its model's, as PCI has them: of like devices the same. */
  readonly model: string;
  readonly type: string;
  /** Its place on the bus, where it has one: `0000:01:00.0`. */
  readonly place?: string;
}

/**
 * ONNX Runtime leaves the choice of an adapter to Dawn: its option `deviceId` numbers contexts that an embedder has made, onnxruntime-node refuses it
 * (`ParseExecutionProviders` in js/node/src/session_options_helper.cc), and no variable of either names one. What can choose lies below both, on Linux:
 * Mesa's layer of Vulkan (`VK_LAYER_MESA_device_select`, src/vulkan/device-select-layer, docs.mesa3d.org/envvars.html). It lists what there is and
 * stops, or shows one device alone, of whatever maker.
 */
export const LISTING = { MESA_VK_DEVICE_SELECT: 'list' } as const;

/** As Dawn prefers them where high performance is asked for, as ONNX Runtime does. */
const RANKS = ['discrete GPU', 'integrated GPU', 'virtual GPU', 'other', 'CPU'];

/** What {@link LISTING} has written to standard error: the first is what a process gets that chooses none. */
export function readAdapters(text: string): readonly Adapter[] {
  const lines = text.matchAll(
    /^ {2}GPU \d+: ([\da-f]+:[\da-f]+) "([^"\n]*)" (discrete GPU|integrated GPU|virtual GPU|other|CPU)(?: ([\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.[\da-f]))?$/gm,
  );
  const adapters = [...lines].map(([, model = '', name = '', type = '', place]): Adapter => ({
    ...{ name, model, type },
    ...(place !== undefined && { place }),
  }));
  return adapters.sort((a, b) => RANKS.indexOf(a.type) - RANKS.indexOf(b.type));
}

/**
 * Variables by which a process has one adapter alone.
 *
 * @param adapters as {@link readAdapters} gives them: none where the layer is not there
 * @throws EspalierError `device/unavailable` where there is none with this number, or none can be chosen
 */
export function adapterVariables(number: number, adapters: readonly Adapter[]): Readonly<Record<string, string>> {
  const adapter = adapters[number];
  if (!adapter) {
    // The first is what a process gets that is told nothing.
    if (number === 0) return {};
    throw adapterError(number, adapters.length === 0 ? NO_LAYER : `${adapters.length} of them: ${listed(adapters)}`);
  }
  if (adapter.place !== undefined) {
    return { ...ALONE, MESA_VK_DEVICE_SELECT: '', DRI_PRIME: `pci-${adapter.place.replaceAll(/[:.]/g, '_')}` };
  }
  if (adapters.filter(({ model }) => model === adapter.model).length > 1) {
    throw adapterError(number, `several of the same model (${adapter.name}), whose place on the bus is not known`);
  }
  return { ...ALONE, MESA_VK_DEVICE_SELECT: adapter.model };
}

const ALONE = { MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: '1' } as const;

const NO_LAYER = 'adapters that cannot be listed: Mesa’s layer of Vulkan, by which one is chosen, is not there';

function listed(adapters: readonly Adapter[]): string {
  return adapters.map(({ name }, number) => `${number} ${name}`).join(', ');
}

function adapterError(number: number, actual: string): EspalierError {
  return new EspalierError({
    code: 'device/unavailable',
    operation: `starting the device webgpu:${number}`,
    expected: 'the number of an adapter of WebGPU',
    actual,
    remedy: 'Look at what `espalier devices` lists, and at “Several GPUs” in docs/devices.md.',
  });
}
