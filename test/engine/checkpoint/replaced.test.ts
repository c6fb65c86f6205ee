import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { createEngine } from '../../../src/engine/engine.ts';
import { LoadedModels } from '../../../src/engine/forward/loadedModels.ts';
import { DEFAULT_ROWS } from '../../../src/experiment/corpusRows.ts';
import { TokenCache, tokenizerOf } from '../../../src/engine/forward/tokenCache.ts';
import { Device } from '../../../src/engine/runtime/device.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { temporaryFamily, type TemporaryFamily } from '../../support/generate/temporaryFamily.ts';

// Files that are replaced while they are used: a number must not say that it is of other bytes than it was computed from.

let family: TemporaryFamily;
let folder: string;
beforeAll(async () => {
  family = await temporaryFamily('llama-1');
});
afterAll(() => family.remove());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-replaced-'));
  cpSync(family.folder, folder, { recursive: true });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Other weights of the same size, with the times of before. */
function replaceWeights(how: 'moved in its place' | 'overwritten'): void {
  const file = join(folder, 'model.safetensors');
  const content = readFileSync(file);
  content[content.length - 1]! ^= 0x80;
  const target = how === 'overwritten' ? file : `${file}.new`;
  writeFileSync(target, content);
  utimesSync(target, 1e9, 1e9);
  if (target !== file) renameSync(target, file);
}

describe.each(['moved in its place', 'overwritten'] as const)('weights that are %s', (how) => {
  beforeEach(() => {
    utimesSync(join(folder, 'model.safetensors'), 1e9, 1e9);
  });

  it('after the checkpoint was opened are not taken for those that were', async () => {
    const checkpoint = await openCheckpoint(folder);
    replaceWeights(how);
    const failure = await failureOf(() => checkpoint.identity());
    expect(failure.code).toBe('checkpoint/safetensors');
    expect(failure.message).toMatch(/changed or replaced since.*Evaluate again/);
    checkpoint.close();
  });

  it('between two evaluations give what a new process finds, under another fingerprint', async () => {
    const [engine, other] = [createEngine({ cacheFolder: join(folder, 'cache') }), createEngine()];
    const plan = {
      ...{ model: folder, text: join(folder, 'text.txt'), evaluations: [] },
      settings: { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, length: 16, blocks: 2 },
    } as const;
    const [before] = await engine.evaluate(plan);
    replaceWeights(how);
    const [after] = await engine.evaluate(plan);
    const [anew] = await other.evaluate(plan);
    expect(after!.perplexity).toBe(anew!.perplexity);
    expect(after!.fingerprint).toBe(anew!.fingerprint);
    expect(after!.fingerprint).not.toBe(before!.fingerprint);
    await engine.dispose();
    await other.dispose();
  });
});

describe('a model that is loaded', () => {
  let device: Device;
  let models: LoadedModels;
  beforeEach(() => {
    device = new Device({ name: 'cpu', precision: 'float32', threads: 1 });
    models = new LoadedModels({});
  });
  afterEach(async () => {
    models.dispose();
    await device.dispose();
  });

  it('is not asked for tokens of a tokenizer that was written since', async () => {
    const model = await models.load(folder, device, undefined);
    const tokens = async () => {
      const source = { file: join(folder, 'text.txt'), rows: DEFAULT_ROWS };
      return (await new TokenCache().text(tokenizerOf(model), source)).ids();
    };
    expect((await tokens()).length).toBeGreaterThan(0);
    writeFileSync(join(folder, 'tokenizer_config.json'), '{"add_bos_token": false}');
    const failure = await failureOf(tokens);
    expect(failure.code).toBe('checkpoint/tokenizer');
    expect(failure.message).toMatch(/as they were when the checkpoint was identified/);
  });

  it('is hashed when a number is told, and what was replaced until then is not taken for it', async () => {
    // Until a change would show for certain, it is hashed at once.
    const fresh = await models.load(folder, device, undefined);
    replaceWeights('overwritten');
    expect(await fresh.hash()).toMatch(/^[0-9a-f]{64}$/);
    await setTimeout(3100);
    const settled = await models.load(folder, device, undefined);
    replaceWeights('overwritten');
    const failure = await failureOf(() => settled.hash());
    expect(failure.code).toBe('checkpoint/safetensors');
    expect(failure.message).toMatch(/changed or replaced since/);
  });

  it('is read anew where its files were written again, with the same bytes', async () => {
    const first = await models.load(folder, device, undefined);
    expect(await models.load(folder, device, undefined)).toBe(first);
    utimesSync(join(folder, 'model.safetensors'), 1e9, 1e9);
    const second = await models.load(folder, device, undefined);
    expect(await second.hash()).toEqual(await first.hash());
    const block = await second.weights.block(0);
    second.weights.done(block);
  });
});
