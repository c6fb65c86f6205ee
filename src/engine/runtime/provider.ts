import type { DeviceName } from '../../experiment/settings.ts';
import type { InferenceSession } from './ort.ts';

/**
 * A device as ONNX Runtime's session options name it. DirectML takes a number (`deviceId` of `DmlExecutionProviderOption`); of CUDA and WebGPU a process has
 * the one that its environment shows.
 */
export function providerOf(name: DeviceName, number: number): InferenceSession.ExecutionProviderConfig {
  return name === 'dml' && number > 0 ? { name, deviceId: number } : name;
}
