import { readFileSync } from 'node:fs';
import { asRanked } from '../src/experiment/planned.ts';
import { ForwardStatistics } from '../src/engine/evaluation/blockStatistics.ts';
import { sweep } from '../src/engine/evaluation/sweep.ts';
import { collectGradients, type GradientSink } from '../src/engine/gradient/collectGradients.ts';
import { Pruner } from '../src/engine/pruning/pruner.ts';
import { clockOf, processorSeconds, timed } from './clock.ts';
import { gemmShare } from './gemmShare.ts';
import { generateModel } from './generatedModel.ts';
import { writeBenchGguf } from './writeBenchGguf.ts';
import { llamaCppPerplexity } from './llamaCpp/perplexity.ts';
import { measureMaskSteps } from './maskSteps.ts';
import { openInputs, type Opened, yieldOnce } from './openInputs.ts';
import type { ChildFacts, ChildJob } from './ours.ts';
import { measurePruning } from './pruningTimes.ts';
import { tokenHash } from './tokenHash.ts';

/** One job in this process; prints its answer as one line of JSON. */
export async function runChild(text: string): Promise<void> {
  const answer = await answerOf(JSON.parse(text) as ChildJob);
  const facts: ChildFacts = { peakMemory: peakMemory(), processor: processorSeconds() };
  console.log(JSON.stringify({ ...answer, ...facts }));
}

async function answerOf(job: ChildJob): Promise<object> {
  switch (job.kind) {
    case 'generate':
      return generateModel(job.shape, job.words);
    case 'gguf':
      await writeBenchGguf(job.model, job.file, job.type);
      return {};
    case 'llama.cpp':
      return llamaCppPerplexity(job.job);
    case 'pruning':
      return measurePruning(job.job);
    case 'mask steps':
      return measureMaskSteps(job.plan, job.comparison);
    case 'evaluate':
      return evaluate(await openInputs(job.plan), clockOf(job.processor));
    case 'operands':
      return operands(await openInputs(job.plan), clockOf(job.processor));
    case 'gemm':
      return gemmShare(await openInputs(job.plan), job.shape, clockOf(job.processor));
  }
}

/** The dense model alone, or pruned models alone: the peer evaluates no dense model beside a pruned one either. */
async function evaluate({ plan, device, inputs }: Opened, now: () => number): Promise<object> {
  const memoryBefore = process.memoryUsage().rss / 2 ** 20;
  const pruners = plan.evaluations.map((evaluation) => {
    const { metric, expression, sparsity } = asRanked(evaluation, 'measuring an evaluation');
    return new Pruner(device, { metric, expression, sparsity, group: plan.settings.group });
  });
  const { result, seconds } = await timed(now, () => sweep(inputs, pruners.length === 0, pruners, yieldOnce));
  const outcome = result.dense ?? result.variants[0]!;
  if (outcome instanceof Error) throw outcome;
  return { value: Math.exp(outcome.loss), tokens: tokenHash(inputs.evaluation), seconds, memoryBefore };
}

/** X and G of every linear layer of the dense model, in one pass there and back, as a search opens with. */
async function operands({ inputs }: Opened, now: () => number): Promise<object> {
  const { checkpoint, device, weights, calibration: samples } = inputs;
  const { result, seconds } = await timed(now, async () => {
    const norms = new ForwardStatistics(weights.layouts, ['X']);
    let gradient = 0;
    const sink: GradientSink = (_, gradients) => {
      for (const values of gradients.values()) gradient += sum(values);
      return Promise.resolve();
    };
    await collectGradients({ checkpoint, device, weights, samples }, sink, yieldOnce, norms);
    const layers = norms.blocks.flatMap((block) => [...block.values()]);
    return { gradient, value: layers.reduce((total, layer) => total + sum(layer.row('X')), 0) };
  });
  return { ...result, seconds };
}

function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Largest resident set so far, MiB. */
function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS / 1024;
  // ru_maxrss of a forked process starts at its parent's size; VmHWM is this program's own.
  const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) / 1024;
}
