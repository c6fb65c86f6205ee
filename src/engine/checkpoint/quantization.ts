import type { ConfigFields } from '../families/configFields.ts';

/** The fields of config.json that say how weights are packed; the second is what compressed-tensors had before. */
const QUANTIZATION_FIELDS = ['quantization_config', 'compression_config'] as const;

/**
 * Whether quantization_config describes weights as they are: some tools write one that only says how sparse the model is, or that
 * nothing was quantised.
 */
function packsNothing(config: ConfigFields): boolean {
  const isOff = (name: string): boolean => (config.value(name) ?? false) === false;
  const isEmpty = (name: string): boolean => {
    const value = config.value(name);
    return value === undefined || (typeof value === 'object' && Object.keys(value!).length === 0);
  };
  const isDense = (fields: ConfigFields): boolean => (fields.value('format') ?? 'dense') === 'dense';
  switch (config.value('quant_method')) {
    case undefined:
      // The older compression_config states no method.
      return config.names.every((name) => COMPRESSED.includes(name) || isEmpty(name)) && isDenseAlone();
    case 'compressed-tensors':
    case 'sparseml':
      return isDenseAlone();
    case 'bitsandbytes':
      return ['load_in_4bit', 'load_in_8bit', '_load_in_4bit', '_load_in_8bit'].every(isOff);
    default:
      return false;
  }

  function isDenseAlone(): boolean {
    const sparsity = config.object('sparsity_config');
    const isPlain = isDense(config) && (sparsity === undefined || isDense(sparsity));
    return isPlain && ['config_groups', 'kv_cache_scheme', 'transform_config'].every(isEmpty);
  }
}

/** Fields of compressed-tensors. */
const COMPRESSED: readonly string[] = [
  'format',
  'sparsity_config',
  'config_groups',
  'kv_cache_scheme',
  'transform_config',
  'ignore',
  'global_compression_ratio',
  'quantization_status',
  'version',
];

/** @throws EspalierError `checkpoint/config` where weights are packed, naming by what */
export function refusePackedWeights(fields: ConfigFields): void {
  for (const name of QUANTIZATION_FIELDS) {
    const config = fields.object(name);
    if (config === undefined || packsNothing(config)) continue;
    throw fields.wrong(
      name,
      `absent, or one that packs nothing (this says ${methodOf(config)})`,
      'Use the checkpoint before it was quantised (bfloat16 or float16), or write it out unquantised (model.dequantize() in transformers, where the method has it): quantised weights cannot be pruned as they are.',
    );
  }
}

const METHODS: Readonly<Record<string, string>> = {
  gptq: 'GPTQ',
  awq: 'AWQ',
  bitsandbytes: 'bitsandbytes',
  'compressed-tensors': 'compressed-tensors',
  fp8: 'FP8',
  fbgemm_fp8: 'FP8',
};

function methodOf(config: ConfigFields): string {
  const method = config.value('quant_method');
  const name = typeof method === 'string' ? (METHODS[method] ?? method.slice(0, 40)) : 'a quantisation';
  const bits = config.value('bits') ?? (config.value('load_in_4bit') === true ? 4 : undefined);
  if (typeof bits === 'number') return `${name} with ${bits} bits`;
  const format = config.value('format');
  return typeof format === 'string' ? `${name}, format ${format.slice(0, 40)}` : name;
}

/** config.json for weights that were pruned anew: what it says of how sparse they were before is no longer so. */
export function withoutQuantization(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const dropped: readonly string[] = QUANTIZATION_FIELDS;
  return Object.fromEntries(Object.entries(values).filter(([name]) => !dropped.includes(name)));
}
