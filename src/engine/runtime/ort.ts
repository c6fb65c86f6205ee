import { createRequire } from 'node:module';
import type * as ort from 'onnxruntime-node';
import { EspalierError } from '../../base/errors.ts';

export type Ort = typeof ort;
export type { InferenceSession, Tensor } from 'onnxruntime-node';

let loaded: Ort | undefined;

/** onnxruntime-node, loaded when first needed: its native library takes 100 ms and 40 MB that a process without numeric work spares. */
export function loadOrt(): Ort {
  if (loaded) return loaded;
  try {
    loaded = requireOrt('onnxruntime-node') as Ort;
  } catch (cause) {
    throw new EspalierError(
      {
        code: 'device/unavailable',
        operation: 'loading onnxruntime-node',
        expected: `its native library for ${process.platform}-${process.arch}`,
        actual: cause instanceof Error ? cause.message.split('\n')[0]! : String(cause),
        remedy: 'Install the Espalier build for this platform (Linux and Windows x64/arm64, macOS arm64 are built).',
      },
      { cause },
    );
  }
  return loaded;
}

/** Where the native package lies: the device probe runs it in a process of its own. */
export function ortPath(): string {
  return requireOrt.resolve('onnxruntime-node');
}

const requireOrt = createRequire(import.meta.url);

// The library uploads who uses it for what, and keeps a device's id and a database of events, unless it finds this when it starts.
// Said here, where everything that loads it comes by, over what the environment may say; processes that are started inherit it.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
