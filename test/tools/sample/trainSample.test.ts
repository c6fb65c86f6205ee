import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/engine/engine.ts';
import { DEFAULT_SETTINGS } from '../../../src/experiment/settings.ts';
import { compile } from '../../../src/language/check/compile.ts';
import { formatted } from '../../support/formatted.ts';
import { METRICS_FILE } from '../../../tools/sample/metricsFile.ts';
import { SHIPPED, type SampleRecipe, sampleRecipe } from '../../../tools/sample/recipe.ts';
import { type SampleEvent, trainSample } from '../../../tools/sample/trainSample.ts';
import { failureOf } from '../../support/expectCoded.ts';

const root = mkdtempSync(path.join(tmpdir(), 'espalier-sample-'));
const folder = (name: string): string => path.join(root, name);
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** The recipe that ships, made in a second. */
const SMALL: SampleRecipe = {
  ...SHIPPED,
  sizes: { train: 60_000, calibration: 5_000, test: 5_000 },
  vocabulary: 400,
  config: {
    ...SHIPPED.config,
    ...{ hidden_size: 16, intermediate_size: 24, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 1 },
    head_dim: 8,
  },
  training: { ...SHIPPED.training, batch: 2, length: 32, steps: 5, warmup: 2 },
};

async function make(name: string, recipe = SMALL, signal = new AbortController().signal): Promise<SampleEvent[]> {
  const events: SampleEvent[] = [];
  let seconds = 0;
  await trainSample(folder(name), recipe, 1, { signal, onEvent: (event) => events.push(event), now: () => seconds++ });
  return events;
}

const read = (name: string, file: string): Buffer => readFileSync(path.join(folder(name), file));

describe('trainSample', () => {
  it('writes a folder that can be evaluated, and tells what it does', async () => {
    const events = await make('first');
    expect(readdirSync(folder('first')).sort()).toEqual(
      'README.md calibration.txt config.json metrics.prune model.safetensors test.txt tokenizer.json'.split(' '),
    );
    expect(events.map(({ event }) => event)).toEqual(['corpus', ...Array<string>(5).fill('step'), 'saved']);
    expect(events[0]).toMatchObject({ vocabulary: 400 });
    expect(events.at(-2)).toMatchObject({ step: 5, steps: 5, secondsLeft: 0 });

    const engine = createEngine();
    const settings = { ...DEFAULT_SETTINGS, device: 'cpu', threads: 1, length: 32, blocks: 2 } as const;
    const [dense] = await engine.evaluate({
      ...{ model: folder('first'), text: path.join(folder('first'), 'test.txt') },
      ...{ evaluations: [], settings },
    });
    await engine.dispose();
    // Five updates teach little: about as many tokens are possible as there are.
    expect(dense!.perplexity).toBeGreaterThan(200);
    expect(dense!.perplexity).toBeLessThan(450);
  });

  it('writes the same bytes for the same recipe', async () => {
    await make('again');
    for (const file of readdirSync(folder('first')))
      expect(read('again', file).equals(read('first', file)), file).toBe(true);
  });

  it('stops when it is cancelled', async () => {
    const abort = new AbortController();
    const steps: number[] = [];
    const hooks = {
      signal: abort.signal,
      now: () => 0,
      onEvent: (event: SampleEvent) => {
        if (event.event === 'step') steps.push(event.step);
        if (steps.length === 2) abort.abort();
      },
    };
    const failure = await failureOf(() => trainSample(folder('cancelled'), SMALL, 1, hooks));
    expect(failure.code).toBe('cancelled');
    expect(steps).toEqual([1, 2]);
    expect(readdirSync(folder('cancelled')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('says where it cannot write', async () => {
    writeFileSync(folder('file'), '');
    const failure = await failureOf(() => make('file'));
    expect(failure.data).toMatchObject({ code: 'io/write', file: folder('file') });
  });
});

describe('the recipe', () => {
  it('is that of the sample that ships, but for what is asked', () => {
    expect(sampleRecipe({})).toEqual(SHIPPED);
    expect(sampleRecipe({ seed: 3, steps: 10 })).toEqual({
      ...SHIPPED,
      seed: 3,
      training: { ...SHIPPED.training, steps: 10 },
    });
  });

  it('comes with a file of metrics in which nothing is wrong, laid out as the editor would', () => {
    const document = compile(METRICS_FILE);
    expect(document.diagnostics).toEqual([]);
    expect(formatted(document)).toBe(METRICS_FILE);
  });
});
