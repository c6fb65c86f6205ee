import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hubEnvironment } from '../../src/hub/hubEnvironment.ts';
import type { HubSession } from '../../src/hub/locate.ts';
import type { HubServer } from './hubServer.ts';

/** A session with an endless yes and an impatient clock. */
export function sessionFor(
  server: Pick<HubServer, 'endpoint'>,
  cache: string,
  more: Partial<HubSession> & { readonly variables?: Readonly<Record<string, string>> } = {},
): HubSession {
  const { variables, ...rest } = more;
  const environment = hubEnvironment({ HF_ENDPOINT: server.endpoint, HF_HUB_CACHE: cache, ...variables });
  return {
    environment: { ...environment, patience: 250 },
    token: () => Promise.resolve(undefined),
    agree: () => Promise.resolve(true),
    firstPause: 0.001,
    ...rest,
  };
}

/** A folder that goes when the test does. */
export function temporaryFolder(onTestFinished: (done: () => void) => void): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'espalier-hub-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Bytes that look like nothing, the same every time. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

const shard = (number: number): string => `model-0000${number}-of-00002.safetensors`;

/** A model with what models have beside what is needed. */
export const MODEL: Readonly<Record<string, string | Buffer>> = {
  'config.json': '{"architectures":["LlamaForCausalLM"]}',
  'tokenizer.json': '{"model":{"type":"BPE"}}',
  'tokenizer_config.json': '{}',
  'README.md': 'A model.',
  [shard(1)]: noise(300_000, 3),
  [shard(2)]: noise(200_000, 4),
  'model.safetensors.index.json': JSON.stringify({ weight_map: { a: shard(1), b: shard(2) } }),
  'pytorch_model.bin': noise(5000),
  'consolidated.safetensors': noise(5001),
  'original/params.json': '{}',
  'onnx/model.onnx': noise(5002),
};
export const NEEDED = [
  'README.md',
  'config.json',
  shard(1),
  shard(2),
  'model.safetensors.index.json',
  'tokenizer.json',
  'tokenizer_config.json',
];

/** Bytes of a file of the model. */
export function contentOf(name: string): Buffer {
  return Buffer.from(MODEL[name]!);
}
