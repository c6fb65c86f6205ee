import type { BlockShape, FamilyConfig } from '../families/config.ts';
import type { ConfigFields } from '../families/configFields.ts';
import { LIMITS } from '../families/configLimits.ts';

/** Name of the key in config.json, and the only form of it that there is so far. */
export const ESPALIER_KEY = 'espalier';
export const ESPALIER_FORMAT = 1;

/** Which projections have a bias, as the key says it. */
const BIASES = ['query_key_value', 'attention_output', 'mlp', 'mlp_output'] as const;

/**
 * What a config.json of a family cannot say about a model that whole components were removed from: the sizes of each block, and biases
 * that the family has no field for (docs/export.md).
 *
 *     "espalier": {
 *       "format": 1,
 *       "blocks": [{ "heads": 6, "kv_heads": 3, "intermediate": 1400 }, …],
 *       "bias": { "attention_output": true, "mlp_output": true }
 *     }
 *
 * `architecture` is there where the file's own is one of a layout that others read; the other fields are then those of this family, and `bias` says all
 * four: also `query_key_value` and `mlp`, of the MLP's first projections.
 *
 * A block that mixes experts has no channels of its own (`"intermediate": 0`) and says how many experts it has (`"experts": 6`).
 *
 * The fields of the family hold the sizes before the removal, which no block exceeds. Where it matters, a block has also `groups`, those of the model's
 * groups that it has, or `place`, which block of the model it was.
 *
 * @throws EspalierError `checkpoint/config`
 */
export function withRemovedComponents(fields: ConfigFields, config: FamilyConfig): FamilyConfig {
  const key = fields.object(ESPALIER_KEY);
  if (!key) return config;
  refuseUnknown(key, ['format', 'architecture', 'blocks', 'bias']);
  key.integer('format', { minimum: ESPALIER_FORMAT, maximum: ESPALIER_FORMAT });
  const blocks = readBlocks(key, config);
  return { ...config, ...(blocks && { blocks }), bias: readBias(key.object('bias'), config.bias) };
}

function readBias(said: ConfigFields | undefined, family: FamilyConfig['bias']): FamilyConfig['bias'] {
  if (!said) return family;
  refuseUnknown(said, BIASES);
  const mlp = said.boolean('mlp', family.mlp);
  const mlpOutput = said.boolean('mlp_output', family.mlpOutput ?? mlp);
  return {
    queryKeyValue: said.boolean('query_key_value', family.queryKeyValue),
    attentionOutput: said.boolean('attention_output', family.attentionOutput),
    mlp,
    ...(mlpOutput !== mlp && { mlpOutput }),
  };
}

function readBlocks(
  key: ConfigFields,
  { depth, heads, kvHeads, intermediate, mixture, places }: FamilyConfig,
): readonly BlockShape[] | undefined {
  const list = key.value('blocks');
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || list.length !== depth) {
    throw key.wrong('blocks', `a list of ${depth} objects, one for each of num_hidden_layers`);
  }
  return list.map((_, index): BlockShape => {
    const block = key.item('blocks', index);
    const experts = mixture?.experts[index] ?? 0;
    const placed = places === undefined ? [] : [PLACES[places]];
    refuseUnknown(block, ['heads', 'kv_heads', 'intermediate', ...(experts > 0 ? ['experts'] : []), ...placed]);
    const shape = {
      heads: block.integer('heads', { minimum: 0, maximum: heads }),
      kvHeads: block.integer('kv_heads', { minimum: 0, maximum: kvHeads }),
      // Experts stand in the place of the block's own channels.
      intermediate: block.integer('intermediate', { minimum: 0, maximum: experts > 0 ? 0 : intermediate }),
      ...(experts > 0 && { experts: block.integer('experts', { minimum: 1, maximum: experts }) }),
    };
    if (shape.heads * kvHeads !== shape.kvHeads * heads) {
      throw block.wrong('heads', `${heads / kvHeads} for each of the block’s kv_heads, as in the model before`);
    }
    return {
      ...shape,
      ...(places === 'groups' &&
        (shape.kvHeads < kvHeads || block.value('groups') !== undefined) && {
          groups: readGroups(block, shape.kvHeads, kvHeads),
        }),
      ...(block.value('place') !== undefined && { place: block.integer('place', { minimum: 0, maximum: MAX_PLACE }) }),
    };
  });
}

const PLACES = { groups: 'groups', blocks: 'place' } as const;
/** There is no model with more blocks. */
const MAX_PLACE = LIMITS.depth.maximum;

/** Which of `of` groups the `count` that are left are. */
function readGroups(block: ConfigFields, count: number, of: number): readonly number[] {
  const groups = count > 0 ? block.numbers('groups', count, { minimum: 0, maximum: of - 1 }) : [];
  if (groups.every((group, i) => Number.isInteger(group) && (i === 0 || group > groups[i - 1]!))) return groups;
  throw block.wrong('groups', `${count} of the numbers from 0 to ${of - 1}, in order`);
}

/** A misspelt name would otherwise leave a block as it was. */
function refuseUnknown(fields: ConfigFields, known: readonly string[]): void {
  const unknown = fields.names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw fields.wrong(unknown, `absent: only ${known.join(', ')} may stand here`);
}
