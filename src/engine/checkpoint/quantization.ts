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

/**
 * What has one scale of matrices in 8 bits, where config.json says it.
 *
 * @throws EspalierError `checkpoint/config` where weights are packed, naming by what
 */
export function readScaleBlock(fields: ConfigFields): readonly [rows: number, columns: number] | undefined {
  let block: readonly [number, number] | undefined;
  for (const name of QUANTIZATION_FIELDS) {
    const config = fields.object(name);
    if (config === undefined || packsNothing(config)) continue;
    if (hasScales(config)) {
      block ??= statedBlock(config);
      continue;
    }
    throw fields.wrong(
      name,
      `absent, one that packs nothing, or one of matrices in 8 bits with scales (this says ${methodOf(config)})`,
      'Use the checkpoint before it was quantised (bfloat16 or float16), or write it out unquantised (model.dequantize() in transformers, where the method has it): quantised weights cannot be pruned as they are.',
    );
  }
  return block;
}

/**
 * Whether weights are numbers of 8 bits times scales beside them (FP8 of DeepSeek and Qwen, of FBGEMM, and FP8 or INT8 of compressed-tensors):
 * what is quantised of activations is left out, so that the weights are computed with as they are.
 */
function hasScales(config: ConfigFields): boolean {
  switch (config.value('quant_method')) {
    case 'fp8':
    case 'fbgemm_fp8':
      return true;
    case 'compressed-tensors':
      return isScaledFormat(config) && groupsOf(config).every((weights) => isEightBits(weights));
    default:
      return false;
  }
}

function isScaledFormat(config: ConfigFields): boolean {
  const isEmpty = (name: string): boolean => (config.object(name)?.names.length ?? 0) === 0;
  const sparsity = config.object('sparsity_config');
  return (
    ['float-quantized', 'int-quantized', 'naive-quantized'].includes(String(config.value('format'))) &&
    (sparsity === undefined || (sparsity.value('format') ?? 'dense') === 'dense') &&
    // Rotations of what is quantised, and caches.
    ['kv_cache_scheme', 'transform_config'].every(isEmpty)
  );
}

/** What is said of the weights of each group of layers. */
function groupsOf(config: ConfigFields): readonly ConfigFields[] {
  const groups = config.object('config_groups');
  return (groups?.names ?? [])
    .map((name) => groups!.object(name)?.object('weights'))
    .filter((each) => each !== undefined);
}

function isEightBits(weights: ConfigFields): boolean {
  return weights.value('num_bits') === 8 && weights.value('symmetric') !== false;
}

function statedBlock(config: ConfigFields): readonly [number, number] | undefined {
  const sizes = { minimum: 1, maximum: 2 ** 20 };
  const groups = groupsOf(config).filter((weights) => Array.isArray(weights.value('block_structure')));
  const [fields, name] = groups[0]
    ? ([groups[0], 'block_structure'] as const)
    : ([config, 'weight_block_size'] as const);
  if (fields.value(name) === undefined) return undefined;
  const [rows, columns] = fields.numbers(name, 2, sizes);
  if (!Number.isInteger(rows) || !Number.isInteger(columns)) throw fields.wrong(name, 'two whole numbers');
  return [rows!, columns!];
}

const METHODS: Readonly<Record<string, string>> = {
  gptq: 'GPTQ',
  awq: 'AWQ',
  bitsandbytes: 'bitsandbytes',
  'compressed-tensors': 'compressed-tensors',
  hqq: 'HQQ',
  mxfp4: 'MXFP4',
  torchao: 'torchao',
  modelopt: 'ModelOpt',
  bitnet: 'BitNet',
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
