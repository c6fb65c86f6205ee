import { isHubReference } from '../../experiment/hubReference.ts';
import { hubNameOf } from '../../experiment/hubName.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import type { StructureMethod } from '../../experiment/structure.ts';
import type { UpdateMethod } from '../../experiment/updates.ts';
import type { TaskName } from '../../experiment/tasks.ts';
import { knownTask } from '../../experiment/taskNames.ts';
import type { RecoveryMethod } from '../../experiment/recovery.ts';
import { canonical } from '../../metric/canonical.ts';
import type { Expression } from '../../metric/expression.ts';
import { operand, operation } from '../../metric/expression.ts';
import type { SearchMethod } from '../../search/kinds.ts';
import type { RemovalText } from '../repeat/removalText.ts';
import type { ReferenceKey } from './references.ts';

/** What a method is cited by: its own work, by whatever name a file calls it. */

type Keys = readonly ReferenceKey[];

/** Published metrics, however they are written: what ranks alike is the same. */
const METRICS: ReadonlyMap<string, Keys> = new Map<string, Keys>([
  [canonical(operand('W')).key, ['han2015learning']],
  [canonical(operation('mul', operand('W'), operation('sqrt', operand('X')))).key, ['sun2024wanda']],
  [canonical(operation('mul', operand('W'), operand('G'))).key, ['molchanov2017pruning']],
  [
    canonical(
      operation('mul', operation('abs', operation('mul', operand('W'), operand('W'))), operation('mms', operand('G'))),
    ).key,
    ['dong2024prunerzero'],
  ],
]);

const STRUCTURES: Readonly<Record<StructureMethod, Keys>> = {
  'wanda-sp': ['sun2024wanda', 'an2024flap'],
  magnitude: ['han2015learning'],
  taylor: ['ma2023llmpruner'],
  flap: ['an2024flap'],
  shortgpt: ['men2025shortgpt'],
  reap: ['lasby2026reap'],
  'wanda-experts': ['sun2024wanda'],
  'routing-frequency': [],
};

const UPDATES: Readonly<Record<UpdateMethod, Keys>> = {
  sparsegpt: ['frantar2023sparsegpt'],
  admm: ['boza2024fast'],
  reconstruct: [],
};

const RECOVERIES: Readonly<Record<RecoveryMethod, Keys>> = { lora: ['hu2022lora'], norms: [] };

export const SEARCH_KEYS: Readonly<Record<SearchMethod, Keys>> = {
  'pruner-zero': ['dong2024prunerzero'],
  random: [],
  'self-pruner': ['huang2025selfpruner'],
  evopress: ['sieberling2025evopress'],
  'policy-gradient': ['gao2025bypass'],
};

const TASKS: Readonly<Record<TaskName, Keys>> = {
  boolq: ['clark2019boolq'],
  rte: ['wang2019glue'],
  hellaswag: ['zellers2019hellaswag'],
  winogrande: ['sakaguchi2020winogrande'],
  arc_easy: ['clark2018arc'],
  arc_challenge: ['clark2018arc'],
  openbookqa: ['mihaylov2018openbookqa'],
  piqa: ['bisk2020piqa'],
  mmlu: ['hendrycks2021mmlu'],
  gsm8k: ['cobbe2021gsm8k'],
};

/** By the name of the architecture in config.json. LLaMA's is every family's that copied it: it is cited by its own name alone. */
const ARCHITECTURES: Readonly<Record<string, Keys>> = {
  LlamaForCausalLM: ['touvron2023llama'],
  MistralForCausalLM: ['jiang2023mistral'],
  Qwen2ForCausalLM: ['yang2024qwen2'],
  Qwen3ForCausalLM: ['yang2025qwen3'],
  OPTForCausalLM: ['zhang2022opt'],
  GPTNeoXForCausalLM: ['black2022gptneox'],
  Phi3ForCausalLM: ['abdin2024phi3'],
  GPT2LMHeadModel: ['radford2019language'],
  BloomForCausalLM: ['scao2022bloom'],
  FalconForCausalLM: ['almazrouei2023falcon'],
  GemmaForCausalLM: ['gemma2024gemma'],
  Gemma2ForCausalLM: ['gemma2024gemma2'],
  Gemma3ForCausalLM: ['gemma2025gemma3'],
  Olmo2ForCausalLM: ['olmo2024olmo2'],
  StableLmForCausalLM: ['bellagente2024stablelm'],
  MixtralForCausalLM: ['jiang2024mixtral'],
  Qwen2MoeForCausalLM: ['yang2024qwen2'],
  Qwen3MoeForCausalLM: ['yang2025qwen3'],
  OlmoeForCausalLM: ['muennighoff2024olmoe'],
};

/** Of what was removed and done after it. @param removed as {@link readRemovalText} read the result’s expression; undefined of the dense model */
export function methodKeys(removed: RemovalText | undefined): Keys {
  if (removed === undefined) return [];
  const { of, rates, update, recovery } = removed;
  const own =
    of.kind === 'metric' || of.kind === 'components'
      ? metricKeys(of.expression)
      : of.kind === 'method'
        ? STRUCTURES[of.method]
        : of.kind === 'own-mask'
          ? UPDATES.sparsegpt
          : [];
  return unique([
    ...own,
    ...(rates?.kind === 'owl' ? (['yin2024owl'] as const) : []),
    ...(update ? UPDATES[update.method] : []),
    ...(recovery ? RECOVERIES[recovery.method] : []),
  ]);
}

export function metricKeys(expression: Expression): Keys {
  return METRICS.get(canonical(expression).key) ?? [];
}

/** Of the model, by its name on the hub where that says which of the LLaMA it is. */
export function modelKeys({ model, architecture }: { readonly model: string; readonly architecture: string }): Keys {
  if (architecture === 'LlamaForCausalLM') {
    if (/llama-?2/i.test(model)) return ['touvron2023llama2'];
    if (/llama-?3|meta-llama-3/i.test(model)) return ['grattafiori2024llama3'];
  }
  return Object.hasOwn(ARCHITECTURES, architecture) ? ARCHITECTURES[architecture]! : [];
}

/** Of a text, by its name: on the hub, or of its file and folder. */
export function textKeys(path: string | undefined): Keys {
  if (path === undefined) return [];
  const name = hubNameOf(path)?.id ?? (isHubReference(path) ? path : path.split(/[\\/]/).slice(-2).join('/'));
  if (/wiki\.(?:test|valid|train)|wikitext/i.test(name)) return ['merity2017pointer'];
  if (/(?:^|[/_.:-])c4(?:[/_.:-]|$)/i.test(name)) return ['raffel2020exploring'];
  if (/(?:^|[/_.:-])ptb|penn-?treebank/i.test(name)) return ['marcus1993building'];
  return [];
}

export function taskKeys(result: EvaluationResult): Keys {
  const names = (result.tasks ?? []).map(({ task }) => knownTask(task)?.row);
  const known = names.filter((name) => name !== undefined);
  return result.tasks === undefined ? [] : unique(['gao2024harness', ...known.flatMap((name) => TASKS[name])]);
}

export function unique<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Set(items)];
}
