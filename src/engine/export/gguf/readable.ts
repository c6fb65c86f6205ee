import { type BlockShape, blockShape, hasMlpOutputBias, type RopeScaling } from '../../families/config.ts';
import type { ArchitectureName, ModelConfig } from '../../families/families.ts';
import type { FormatRule } from '../readers/formatRule.ts';

/** How a model is written as GGUF: which of llama.cpp's architectures computes what it computes. */
export interface GgufForm {
  readonly architecture: GgufArchitecture;
  /** Why this one. */
  readonly why: string;
  /** Longest text for which llama.cpp computes the same. */
  readonly contextLength: number;
  /** What someone who opens the file elsewhere has to know: sentences. */
  readonly notes: readonly string[];
}

/**
 * `llama`, `qwen2`, `qwen3`: blocks are alike. `deci` (Nemotron, found by a search for architectures) and `openelm`, which has norms of queries and keys:
 * each block has heads, key-value heads and channels of its own.
 */
export type GgufArchitecture = 'llama' | 'qwen2' | 'qwen3' | SizedArchitecture;
export type SizedArchitecture = 'deci' | 'openelm';

/** Whether each block has sizes of its own in it. */
export function isSized(architecture: GgufArchitecture): architecture is SizedArchitecture {
  return architecture === 'deci' || architecture === 'openelm';
}

/** Whether positions turn features side by side in it, and not one of the first half of a head with one of the second. */
export function turnsPairs(architecture: GgufArchitecture): boolean {
  return architecture === 'llama' || architecture === 'deci';
}

/**
 * Form in which llama.cpp reads a model, or why there is none. What the architectures have was read in its `src/models/*.cpp`; each way is loaded
 * and compared in the tests.
 */
export function ggufForm(config: ModelConfig): GgufForm | { readonly refused: string } {
  const refused = refusal(config);
  if (refused !== undefined) return { refused };
  const window = shortestWindow(config);
  const contextLength = Math.min(config.maxPositions, window ?? Infinity);
  const notes =
    window !== undefined && window < config.maxPositions
      ? [
          `llama.cpp knows no attention window here: the file’s context length is the window, ${window} tokens, up to which both compute the same.`,
        ]
      : [];
  return { ...architectureOf(config), contextLength, notes };
}

/** The verdict on llama.cpp as the reader of a GGUF file. */
export const ggufReadable: FormatRule = (config) => {
  const form = ggufForm(config);
  if (!('refused' in form)) return { verdict: 'loads', why: form.why };
  const isRoundable = hasUnlikeBlocks(config) && !('refused' in ggufForm({ ...config, blocks: undefined }));
  return isRoundable
    ? { verdict: 'after-rounding', why: form.refused, roundFor: 'llama.cpp' }
    : { verdict: 'refuses', why: form.refused };
};

/** The architecture of llama.cpp that each family has, of those that were tried. */
const NATIVE: Readonly<Partial<Record<ArchitectureName, Exclude<GgufArchitecture, SizedArchitecture>>>> = {
  LlamaForCausalLM: 'llama',
  MistralForCausalLM: 'llama',
  Qwen2ForCausalLM: 'qwen2',
  Qwen3ForCausalLM: 'qwen3',
};

function refusal(config: ModelConfig): string | undefined {
  const { architecture, activation, positions, bias } = config;
  if (NATIVE[architecture] === undefined)
    return `of ${architecture} no GGUF is written: only LLaMA, Mistral, Qwen2 and Qwen3 were tried`;
  if (activation !== 'silu') return `llama.cpp’s MLP has SiLU, and the model ${activation}`;
  if (positions.kind !== 'rotary') return 'llama.cpp’s blocks have rotary positions';
  const scaling = scalingRefusal(positions.scaling);
  if (scaling !== undefined) return scaling;
  if (NATIVE[architecture] !== 'qwen3') return undefined;
  if (bias.queryKeyValue || hasMoreBiases(config)) return 'llama.cpp has no biases where queries and keys have norms';
  if (positions.scaling.kind === 'llama3') return 'llama.cpp’s qwen3 has no scaling of positions by frequency';
  if (hasUnlikeBlocks(config) && !config.tiedEmbeddings)
    return 'llama.cpp has no architecture with norms of queries and keys, sizes by block, and a head that is not the embedding';
  return undefined;
}

function scalingRefusal(scaling: RopeScaling): string | undefined {
  switch (scaling.kind) {
    case 'none':
    case 'linear':
    case 'llama3':
      return undefined;
    case 'yarn':
      return isUsualYarn(scaling)
        ? undefined
        : 'llama.cpp computes YaRN with the constants of its paper, and the model has others';
    case 'dynamic':
    case 'longrope':
      return `positions that are scaled by ${scaling.kind} were not tried in llama.cpp`;
  }
}

/** The constants of YaRN's paper (Peng et al. 2023), which llama.cpp has. */
export function usualYarn(factor: number): Omit<YarnScaling, 'kind' | 'factor' | 'originalPositions'> {
  const attentionFactor = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
  return { betaFast: 32, betaSlow: 1, attentionFactor, truncate: true };
}

type YarnScaling = Extract<RopeScaling, { kind: 'yarn' }>;

function isUsualYarn({ factor, betaFast, betaSlow, attentionFactor, truncate }: YarnScaling): boolean {
  const usual = usualYarn(factor);
  const isNear = Math.abs(attentionFactor - usual.attentionFactor) < 1e-9;
  return truncate && betaFast === usual.betaFast && betaSlow === usual.betaSlow && isNear;
}

function architectureOf(config: ModelConfig): Pick<GgufForm, 'architecture' | 'why'> {
  const native = NATIVE[config.architecture]!;
  if (hasUnlikeBlocks(config)) {
    const architecture = native === 'qwen3' ? 'openelm' : 'deci';
    return { architecture, why: `as ${architecture}, whose blocks have sizes of their own` };
  }
  const { positions } = config;
  const isByFrequency = positions.kind === 'rotary' && positions.scaling.kind === 'llama3';
  const { heads } = blockShape(config, 0);
  const isWhole = heads * config.headDim === config.hidden;
  if (native === 'qwen2' && (hasMoreBiases(config) || isByFrequency || !isWhole)) {
    return { architecture: 'llama', why: 'as llama, which has biases, too, and takes what qwen2 does not' };
  }
  return { architecture: native, why: `as ${native}, with blocks that are alike` };
}

/** Biases beside those of queries, keys and values. */
function hasMoreBiases(config: ModelConfig): boolean {
  return config.bias.attentionOutput || config.bias.mlp || hasMlpOutputBias(config);
}

/** Whether some block has other sizes than the first one, or is without heads or channels. */
export function hasUnlikeBlocks(config: ModelConfig): boolean {
  const [first, ...others] = config.windows.map((_, index) => blockShape(config, index));
  if (first === undefined) return false;
  const isEmpty = ({ heads, intermediate }: BlockShape): boolean => heads === 0 || intermediate === 0;
  const isLike = ({ heads, kvHeads, intermediate }: BlockShape): boolean =>
    heads === first.heads && kvHeads === first.kvHeads && intermediate === first.intermediate;
  return isEmpty(first) || !others.every(isLike);
}

function shortestWindow({ windows }: ModelConfig): number | undefined {
  const stated = windows.filter((window) => window !== undefined);
  return stated.length > 0 ? Math.min(...stated) : undefined;
}
