import { type ChildFacts, runInChild } from '../ours.ts';
import type { Conditions, Measurement, Work } from '../work.ts';
import type { LlamaCppAnswer, LlamaCppJob, LlamaCppSettings } from './perplexity.ts';

/** All that is tried: the fastest that is right is compared with. */
export const LLAMA_CPP_SETTINGS: readonly LlamaCppSettings[] = [
  { weights: 'F32', flashAttention: false, batch: 512 },
  { weights: 'F32', flashAttention: true, batch: 512 },
  { weights: 'F32', flashAttention: true, batch: 2048 },
  { weights: 'BF16', flashAttention: true, batch: 512 },
  { weights: 'BF16', flashAttention: true, batch: 2048 },
];

/** @param folder of the libraries. @param model GGUF. Settings are those of llama.cpp. */
export async function measureLlamaCpp(
  folder: string,
  model: string,
  settings: LlamaCppSettings,
  { text, length, blocks }: Work,
  { threads, processor }: Conditions,
): Promise<Measurement> {
  const job: LlamaCppJob = { ...settings, folder, model, text, length, blocks, threads, processor };
  const { answer, wallSeconds } = await runInChild({ kind: 'llama.cpp', job });
  const { value, seconds, ours, memoryBefore, backend, tokens, ...facts } = answer as unknown as LlamaCppAnswer &
    ChildFacts;
  return {
    ...{ value, seconds, backend, tokens },
    wholeSeconds: (processor ? facts.processor : wallSeconds) - ours,
    peakMemory: facts.peakMemory - memoryBefore,
  };
}

/** Short enough for a table. */
export function settingsText({ weights, flashAttention, batch }: LlamaCppSettings): string {
  return `${weights}${flashAttention ? ', flash attention' : ''}, batches of ${batch}`;
}
