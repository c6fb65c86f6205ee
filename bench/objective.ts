import { createEngine, type Engine } from '../src/engine/engine.ts';
import { openCheckpoint } from '../src/engine/checkpoint/checkpoint.ts';
import { BlockWeights, type Weights } from '../src/engine/forward/blockWeights.ts';
import { embed } from '../src/engine/forward/embed.ts';
import type { HiddenStream } from '../src/engine/forward/hiddenStream.ts';
import { headLogits } from '../src/engine/forward/logits.ts';
import { ModelPrograms } from '../src/engine/forward/modelPrograms.ts';
import { Pruner } from '../src/engine/pruning/pruner.ts';
import type { Update } from '../src/experiment/updates.ts';
import { Device } from '../src/engine/runtime/device.ts';
import { parsePrefix } from '../src/metric/parsePrefix.ts';
import { DEFAULT_LLM_SETTINGS } from '../src/search/llm/settings.ts';
import type { MetricSearchPlan } from '../src/search/metrics/plan.ts';
import type { RateTarget } from '../src/search/rates/plan.ts';
import { DEFAULT_SELF_PRUNER_SETTINGS } from '../src/search/rates/selfPruner/settings.ts';
import { ADMM, RECONSTRUCT, SPARSEGPT } from './recoveryStudy/updates.ts';
import { studyPlan } from './study/studyPlan.ts';
import { LENGTH, SHARED_FILES } from './work.ts';

const USAGE = `npm run bench:objective [-- THREADS]

What knowing the dense model's distributions costs, on ../shared's checkpoint: KL(dense ‖ pruned) from the dense logits made anew of kept
states, and from the k likeliest words with the mass of the rest, against the value in float64: error, bytes a token, time. And what a
candidate of a search for metrics, or for rates, takes without an update, after it, and by divergence.`;

const TOPS = [8, 32, 128, 512];
const SEQUENCES = 16;
const sparsities = [0.5, 0.7];

async function main(): Promise<void> {
  if (process.argv.includes('--help')) {
    console.log(USAGE);
    return;
  }
  const threads = Number(process.argv[2] ?? 1);
  await approximations(threads);
  await candidates(threads);
}

async function approximations(threads: number): Promise<void> {
  const device = new Device({ name: 'cpu', precision: 'float32', threads });
  const checkpoint = await openCheckpoint(SHARED_FILES.model);
  const weights = new BlockWeights(checkpoint, device, true);
  const programs = await ModelPrograms.create(checkpoint.config, device, LENGTH);
  const engine = createEngine();
  const ids = await engine.tokens(SHARED_FILES.model, SHARED_FILES.text);
  await engine.dispose();
  const sequences = Array.from({ length: SEQUENCES }, (_, i) => ids.subarray(i * LENGTH, (i + 1) * LENGTH));
  const carry = async (share: number): Promise<HiddenStream> => {
    const sparsity = { kind: 'unstructured', share } as const;
    const pruner = new Pruner(device, { metric: 'W', expression: parsePrefix('W'), sparsity, group: 'row' });
    const stream = await embed({ checkpoint, device, programs }, sequences);
    for (const [index, layout] of weights.layouts.entries()) {
      const block = await weights.block(index);
      const pruned: Record<string, Weights[string]> = {};
      if (share > 0) {
        for (const layer of layout.parameters.filter(({ linear }) => linear))
          pruned[layer.name] = (await pruner.prune(index, layer, block[layer.name]!, undefined, undefined))!;
      }
      await stream.advance(layout, { ...block, ...pruned }, () => Promise.resolve(), '');
    }
    return stream;
  };
  const head = await weights.head();
  const { hidden, vocabulary } = checkpoint.config;
  const dense = await carry(0);
  console.log('kept of a token         bytes    sparsity  KL exact   KL        relative error');
  for (const share of sparsities) {
    const pruned = await carry(share);
    let [exact, engineSum, count] = [0, 0, 0];
    const tops = new Map(TOPS.map((k) => [k, 0]));
    const seconds = { divergence: 0, crossEntropy: 0 };
    for (const [i, batch] of pruned.batches.entries()) {
      const began = performance.now();
      for (const sum of await programs.divergences(batch, dense.batches[i]!.x, head)) engineSum += sum;
      const between = performance.now();
      await programs.losses(batch, head);
      seconds.divergence += (between - began) / 1000;
      seconds.crossEntropy += (performance.now() - between) / 1000;
      const [p, q] = [
        await headLogits(checkpoint.config, device, await device.download(dense.batches[i]!.x), head),
        await headLogits(checkpoint.config, device, await device.download(batch.x), head),
      ];
      for (let row = 0; row < p.length / vocabulary; row++) {
        if (row % LENGTH === LENGTH - 1) continue;
        const [left, right] = [p, q].map((all) =>
          logProbabilities(all.subarray(row * vocabulary, (row + 1) * vocabulary)),
        );
        exact += divergenceOf(left!, right!, left!.keys());
        for (const k of TOPS) tops.set(k, tops.get(k)! + topDivergence(left!, right!, k));
        count++;
      }
    }
    const line = (what: string, bytes: number, value: number): void => {
      const cells = [what.padEnd(22), String(bytes).padStart(6), `${100 * share} %`.padStart(9)];
      const numbers = [exact / count, value / count].map((number) => number.toFixed(6).padStart(9));
      console.log([...cells, ...numbers, (value / exact - 1).toExponential(1)].join('  '));
    };
    line('its states, logits anew', 4 * hidden, engineSum);
    for (const k of TOPS) line(`${k} likeliest, and rest`, 8 * k + 4, tops.get(k)!);
    line('all logits', 4 * vocabulary, exact);
    console.log(
      `head: ${seconds.divergence.toFixed(3)} s with the dense logits anew, ${seconds.crossEntropy.toFixed(3)} s for the cross-entropy alone (${count} predictions)`,
    );
  }
}

async function candidates(threads: number): Promise<void> {
  const folder = 'test-results';
  const plain = studyPlan(folder, { sparsity: { kind: 'unstructured', share: 0.6 }, blocks: 32, threads }, {});
  const ways: readonly (readonly [name: string, plan: MetricSearchPlan])[] = [
    ['no update', plain],
    ['by divergence', { ...plain, search: { ...plain.search, objective: 'kl' } }],
    ['then SparseGPT', { ...plain, update: SPARSEGPT }],
    ['then ADMM', { ...plain, update: ADMM }],
  ];
  const metrics = ['mul(W, sqrt(X))', 'W', 'mul(W, X)', 'mul(W, G)', 'mul(mul(W, W), mms(G))'].map(parsePrefix);
  console.log('\ncandidate                 opening   each of 5   (32 blocks of 256, 60 %)');
  const engine = createEngine();
  for (const [name, plan] of ways) {
    const began = performance.now();
    await engine.open(plan);
    const opened = performance.now();
    for (const expression of metrics) {
      const asked = [{ kind: 'metric', expression } as const];
      await engine.measure({ candidates: asked, on: { kind: 'blocks', begin: 0, end: 32 } });
    }
    const each = (performance.now() - opened) / 1000 / metrics.length;
    console.log(
      `${name.padEnd(24)}  ${((opened - began) / 1000).toFixed(2).padStart(6)} s  ${each.toFixed(3).padStart(8)} s`,
    );
  }
  await structures(engine, plain);
  await engine.dispose();
}

/** Rates of components and of single weights: five that are new, and five of levels that were there before. */
async function structures(engine: Engine, { model, text, calibration, settings }: MetricSearchPlan): Promise<void> {
  const targets: readonly (readonly [target: RateTarget, update: Update])[] = [
    [{ kind: 'structure', name: 'wanda-sp', score: { kind: 'method', method: 'wanda-sp' } }, RECONSTRUCT],
    [{ kind: 'weights', metric: 'wanda', expression: parsePrefix('mul(W, sqrt(X))') }, ADMM],
  ];
  console.log('\nrates                    opening   each of 5   again    (32 blocks of 256, 50 %)');
  for (const [target, update] of targets) {
    for (const followed of [false, true]) {
      const began = performance.now();
      const { components } = await engine.open({
        ...{ kind: 'rates', name: 'bench', model, text, calibration: calibration!, settings, target, baselines: [] },
        ...{ sparsity: { kind: 'unstructured', share: 0.5 }, llm: DEFAULT_LLM_SETTINGS },
        ...{ search: DEFAULT_SELF_PRUNER_SETTINGS, prompts: { initialise: '', mutate: '', cross: '', again: '' } },
        ...(followed && { update }),
      });
      const seconds = [(performance.now() - began) / 1000];
      // The second five have the levels of the first ones in another order of the blocks' partners.
      for (const shift of [0, 1]) {
        const from = performance.now();
        for (let i = 0; i < 5; i++) {
          const rates = components.map((_, block) => 0.4 + 0.04 * ((i + shift * block + block) % 5));
          await engine.measure({ candidates: [{ kind: 'rates', rates }], on: { kind: 'blocks', begin: 0, end: 32 } });
        }
        seconds.push((performance.now() - from) / 5000);
      }
      const name = `${target.kind}${followed ? `, ${update.method}` : ''}`;
      console.log(name.padEnd(24), ...seconds.map((value) => `${value.toFixed(2).padStart(7)} s`));
    }
  }
}

function logProbabilities(logits: Float32Array): Float64Array {
  const values = Float64Array.from(logits);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const normaliser = most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
  return values.map((value) => value - normaliser);
}

function divergenceOf(p: Float64Array, q: Float64Array, words: Iterable<number>): number {
  let sum = 0;
  for (const word of words) sum += Math.exp(p[word]!) * (p[word]! - q[word]!);
  return sum;
}

/** Of the k likeliest words, and of all others as if they were one. */
function topDivergence(p: Float64Array, q: Float64Array, k: number): number {
  const words = [...p.keys()].sort((a, b) => p[b]! - p[a]!).slice(0, k);
  const restOf = (of: Float64Array): number =>
    Math.max(1e-300, 1 - words.reduce((sum, word) => sum + Math.exp(of[word]!), 0));
  const [left, right] = [restOf(p), restOf(q)];
  return divergenceOf(p, q, words) + left * Math.log(left / right);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
});
