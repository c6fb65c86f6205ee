import { DECI_FLAG } from '../../../experiment/exportFormats.ts';
import type { FormatVerdict } from '../../../experiment/readersSchema.ts';
import { ESPALIER_KEY } from '../../checkpoint/configBlocks.ts';
import { blockShape, hasMlpOutputBias } from '../../families/config.ts';
import type { ModelConfig } from '../../families/families.ts';
import { isModelled, whyNotDeci, whyNotModelled } from '../huggingface/layouts.ts';
import { MODELING_FILE } from '../huggingface/modelingFile.ts';
import type { WrittenConfig } from '../writtenConfig.ts';

// Of a Hugging Face folder config.json says nearly all, so that the rules look at what is written there, too.

const OF_FAMILY = 'config.json is one of the family';

/** Espalier reads all that it writes. */
export function espalierReadable({ values }: WrittenConfig): FormatVerdict {
  return { verdict: 'loads', why: ESPALIER_KEY in values ? 'config.json says the sizes of each block' : OF_FAMILY };
}

/** transformers from 4.45 on; tried with 4.57 and 5.18, see docs/export.md. */
export function transformersReadable({ values, config }: WrittenConfig): FormatVerdict {
  if (ESPALIER_KEY in values) {
    if (isModelled(values))
      return {
        verdict: 'loads-with',
        with: `${MODELING_FILE} (trust_remote_code=True)`,
        why: 'the file beside the weights computes what the family has no fields for',
      };
    return { verdict: 'refuses', why: whyNotModelled(config) ?? 'config.json says what the family has no fields for' };
  }
  if (isRefusedLlama(config)) return { verdict: 'after-rounding', roundFor: 'transformers', why: REFUSED_LLAMA };
  return { verdict: 'loads', why: OF_FAMILY };
}

/** vLLM, by the sources of its models; none of this was run. */
export function vllmReadable({ values, config }: WrittenConfig): FormatVerdict {
  if (values['block_configs'] !== undefined)
    return { verdict: 'loads-with', with: '--trust-remote-code', why: 'DeciLM’s layout, which vLLM has a model for' };
  if (ESPALIER_KEY in values) {
    const why = whyNotDeci(config);
    if (why === undefined)
      return { verdict: 'loads-with', with: DECI_FLAG, why: 'written as DeciLM, which vLLM has a model for' };
    return isRoundable(config) ? { verdict: 'after-rounding', roundFor: 'vllm', why } : { verdict: 'refuses', why };
  }
  if (isRefusedLlama(config)) return { verdict: 'after-rounding', roundFor: 'vllm', why: REFUSED_LLAMA };
  return { verdict: 'loads', why: OF_FAMILY };
}

/** What version 5 checks of a LLaMA although `head_dim` makes it unnecessary; vLLM reads config.json by it. */
function isRefusedLlama({ architecture, hidden, heads }: ModelConfig): boolean {
  return architecture === 'LlamaForCausalLM' && hidden % heads !== 0;
}

const REFUSED_LLAMA =
  'transformers 5 refuses a LLaMA whose hidden_size is no multiple of num_attention_heads (4.45 to 4.57 load it)';

/** Whether vLLM reads what rounding for it makes of the model: DeciLM's layout with heads alike, or a plain folder with all sizes alike. */
function isRoundable(config: ModelConfig): boolean {
  const isBiased = config.bias.attentionOutput || hasMlpOutputBias(config);
  return whyNotDeci(withAlikeHeads(config)) === undefined || (!isBiased && whyNotModelled(config) === undefined);
}

/** Blocks have their heads all alike, and channels where a bias would be left alone. */
function withAlikeHeads(config: ModelConfig): ModelConfig {
  const { heads, kvHeads, bias } = config;
  const blocks = config.windows.map((_, index) => {
    const shape = blockShape(config, index);
    const isBare = shape.intermediate === 0 && hasMlpOutputBias({ ...config, bias });
    return { ...shape, heads, kvHeads, intermediate: isBare ? 1 : shape.intermediate };
  });
  return { ...config, blocks };
}
