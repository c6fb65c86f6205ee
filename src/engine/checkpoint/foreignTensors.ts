/** Tensors that no plain checkpoint has: what they are of, and what to do. */
export interface ForeignTensors {
  /** Behind "got". */
  readonly what: string;
  readonly remedy: string;
}

interface Row extends ForeignTensors {
  readonly pattern: RegExp;
}

const UNQUANTISED =
  'Use the checkpoint before it was quantised, or write it out in bfloat16: quantised weights cannot be pruned as they are.';
const MERGE = 'Merge the adapter into its base model (merge_and_unload of PEFT) and save the result.';
const TEXT_ONLY =
  'Save the language model alone (its config.json, and its tensors without the others): Espalier reads language models of text.';

/** The first row that fits any tensor names the kind: what is more telling stands first. */
const KINDS: readonly Row[] = [
  {
    pattern:
      /\.lora_(A|B|embedding_[AB]|magnitude_vector)\b|\.base_layer\.|\.modules_to_save\.|\.(ia3_l|hada_w|lokr_w|oft_[rR])/,
    what: 'an adapter (PEFT) that is not merged into its base model',
    remedy: `${MERGE} Or put its adapter_config.json into the folder, where it is a LoRA.`,
  },
  {
    pattern: /^base_model\.model\./,
    what: 'a model as PEFT wraps it (names begin with base_model.model.)',
    remedy: 'Save the model that PEFT wraps: model.merge_and_unload().save_pretrained(…).',
  },
  { pattern: /\.g_idx$/, what: 'weights that GPTQ has packed', remedy: UNQUANTISED },
  {
    pattern: /\.weight\.(absmax|nested_absmax|quant_map|nested_quant_map|quant_state\.\w+)$|\.(SCB|weight_format)$/,
    what: 'weights that bitsandbytes has packed (NF4, FP4 or 8 bits)',
    remedy: UNQUANTISED,
  },
  {
    pattern: /\.(weight_packed|weight_shape|compressed|bitmask|row_offsets)$/,
    what: 'weights that compressed-tensors has packed',
    remedy: `${UNQUANTISED} Compressed sparse ones: ModelCompressor(…).decompress.`,
  },
  { pattern: /\.(qweight|qzeros)$/, what: 'weights that AWQ or GPTQ has packed', remedy: UNQUANTISED },
  {
    pattern: /\.(weight_scale(_inv|_2)?|input_scale|activation_scale|[kv]_scale|output_scale)$/,
    what: 'weights in 8 bits (FP8 or INT8) with scales beside them',
    remedy: UNQUANTISED,
  },
  { pattern: /\.(codes|codebooks|scales|zeros|W_q|_data|meta)$/, what: 'quantised weights', remedy: UNQUANTISED },
  {
    pattern: /\.\w+_(orig|mask)$/,
    what: 'weights and masks of torch.nn.utils.prune side by side (weight_orig, weight_mask)',
    remedy: 'Make them one before saving: torch.nn.utils.prune.remove(module, "weight") for every pruned module.',
  },
  {
    pattern:
      /(^|\.)(vision_(tower|model)|visual|vision_encoder|image_encoder|multi_modal_projector|mm_projector|audio_tower)\./,
    what: 'a model of images or sound as well as text',
    remedy: TEXT_ONLY,
  },
  {
    pattern: /\.(experts|block_sparse_moe|shared_experts?)\./,
    what: 'a mixture of experts',
    remedy: 'Choose a dense checkpoint: mixtures of experts are not read yet.',
  },
  {
    pattern: /^(v_head|score|classifier|reward_head|value_head|qa_outputs|regression_head)\./,
    what: 'a model with a head for scores (a classifier or a reward model)',
    remedy: 'Save the language model without that head, or choose the one that it was made from.',
  },
  {
    pattern: /(^|\.)(tok_embeddings|attention\.w[qkvo]|feed_forward\.w[123])\./,
    what: 'names of Meta’s own layout',
    remedy: 'Convert it with transformers’ convert_llama_weights_to_hf.py, or download the version for transformers.',
  },
  {
    pattern: /\.(qkv_proj|gate_up_proj|W_pack|Wqkv|query_key_value|c_attn)\./,
    what: 'projections that are fused into one matrix, as other families have them',
    remedy: 'Restore config.json: these weights are of another family, or were saved by a program that fuses them.',
  },
  {
    pattern: /^(optimizer|optim|ema|ema_model|model_ema|teacher|reference_model)\./,
    what: 'the state of a training beside the weights',
    remedy: 'Save the model alone, with save_pretrained.',
  },
];

/** What the names of a checkpoint's tensors betray; undefined where they are a plain model's. */
export function foreignTensors(names: Iterable<string>): (ForeignTensors & { readonly name: string }) | undefined {
  let best: { readonly row: number; readonly name: string } | undefined;
  for (const name of names) {
    const row = KINDS.findIndex(({ pattern }) => pattern.test(name));
    if (row >= 0 && (best === undefined || row < best.row)) best = { row, name };
  }
  if (best === undefined) return undefined;
  const { what, remedy } = KINDS[best.row]!;
  return { what, remedy, name: best.name };
}
