import path from 'node:path';
import { ARCHITECTURES, type ArchitectureName, familyOf, type ModelConfig } from '../families/families.ts';
import { ESPALIER_KEY, withRemovedComponents } from './configBlocks.ts';
import { ConfigFields } from '../families/configFields.ts';
import { sha256 } from './hashing.ts';
import { parseJsonObject, readBounded } from './jsonFile.ts';
import { readScaleBlock, withoutQuantization } from './quantization.ts';
import { textPart } from './textPart.ts';
import type { JsonFields } from '../families/family.ts';
import { EspalierError } from '../../base/errors.ts';

/**
 * Reads and checks the config.json of a checkpoint folder. Defaults of absent fields are those of transformers for the
 * family. What Espalier would have to ignore although it changes numbers is refused.
 *
 * @throws EspalierError `checkpoint/config` naming the field, `checkpoint/unsupported-architecture`
 */
export async function readConfig(folder: string): Promise<ReadConfig> {
  const file = path.join(folder, 'config.json');
  const bytes = await readBounded(file, 'checkpoint/config', MAX_CONFIG);
  const { values, partOf } = textPart(parseJsonObject(bytes, file, 'checkpoint/config'));
  const config = parseConfig(values, file);
  const scaleBlock = readScaleBlock(new ConfigFields(file, values));
  return {
    file,
    config,
    values: withoutQuantization(values),
    hash: sha256(bytes),
    ...(scaleBlock && { scaleBlock }),
    ...(partOf !== undefined && { partOf }),
  };
}

export interface ReadConfig {
  readonly file: string;
  readonly config: ModelConfig;
  /** The fields that {@link config} was read from, as a checkpoint with plain weights has them. */
  readonly values: JsonFields;
  /** sha-256, hex, of the bytes that it was read from. */
  readonly hash: string;
  /** What of a matrix in 8 bits has one scale, where that is said. */
  readonly scaleBlock?: readonly [rows: number, columns: number];
  /** The architecture that this is the language part of. */
  readonly partOf?: string;
}

/** Checks the parsed text of a config.json; `file` is named in errors. */
export function parseConfig(values: Readonly<Record<string, unknown>>, file: string): ModelConfig {
  const fields = new ConfigFields(file, values);
  const architecture = findArchitecture(fields);
  refuseWhatChangesNumbers(fields);
  return { architecture, ...withRemovedComponents(fields, familyOf({ architecture }).read(fields)) };
}

/** Real ones have a few kilobytes; long factor lists and label maps reach a megabyte. */
const MAX_CONFIG = 16_000_000;

function findArchitecture(fields: ConfigFields): ArchitectureName {
  const key = fields.object(ESPALIER_KEY);
  if (key?.value('architecture') !== undefined) return key.choice('architecture', ITSELF);
  const stated = fields.value('architectures');
  const modelType = fields.value('model_type');
  if (stated !== undefined && (!Array.isArray(stated) || stated.length !== 1 || typeof stated[0] !== 'string')) {
    throw fields.wrong('architectures', 'a list of one name');
  }
  const isTypeOf = (architecture: ArchitectureName): boolean => {
    const family = familyOf({ architecture });
    return [family.modelType, ...(family.modelTypes ?? [])].some((type) => type === modelType);
  };
  const name: unknown = stated?.[0] ?? ARCHITECTURES.find(isTypeOf) ?? modelType;
  const architecture = ARCHITECTURES.find((known) => known === name || isAlias(known, name));
  if (!architecture) throw unsupported(fields.file, name);
  if (modelType !== undefined && !isTypeOf(architecture)) {
    throw fields.wrong('model_type', `${familyOf({ architecture }).modelType}, as ${architecture} has it`);
  }
  return architecture;
}

/** What `architecture` may be under our key. */
const ITSELF = Object.fromEntries(ARCHITECTURES.map((name) => [name, name])) as Readonly<
  Record<ArchitectureName, ArchitectureName>
>;

function isAlias(architecture: ArchitectureName, name: unknown): boolean {
  return familyOf({ architecture }).aliases?.some((alias) => alias === name) === true;
}

function unsupported(file: string, name: unknown): EspalierError {
  const titles = ARCHITECTURES.map((architecture) => familyOf({ architecture }).title);
  const otherHead =
    typeof name === 'string' &&
    /For(SequenceClassification|TokenClassification|QuestionAnswering|RewardModel)$/.test(name);
  return new EspalierError({
    code: 'checkpoint/unsupported-architecture',
    operation: `reading ${file}`,
    expected: `one of the architectures ${ARCHITECTURES.join(', ')}`,
    actual: name === undefined ? 'neither architectures nor model_type' : JSON.stringify(name).slice(0, 80),
    remedy: otherHead
      ? 'This is a model with another head than that of a language model: choose the one that it was made from.'
      : `Choose a checkpoint of a supported family (${titles.join(', ')}).`,
    file,
  });
}

/** Puzzle's and DeciLM's: single blocks without attention, with other groups of heads, or with one matrix in the place of a layer. */
const SEARCHED_BLOCKS = ['block_configs', 'per_layer_config'] as const;

/** Fields that none of the families knows, yet that make a checkpoint compute something else. */
function refuseWhatChangesNumbers(fields: ConfigFields): void {
  readScaleBlock(fields);
  // Beside our key they are a copy of what it says, for other programs.
  const isOurs = fields.value(ESPALIER_KEY) !== undefined;
  for (const name of SEARCHED_BLOCKS) {
    if (isOurs || fields.value(name) === undefined) continue;
    throw fields.wrong(
      name,
      'absent',
      'Choose a checkpoint whose blocks are alike: these were made by a search for architectures.',
    );
  }
  const pruned = fields.value('pruned_heads');
  if (typeof pruned === 'object' && Object.keys(pruned!).length > 0) {
    throw fields.wrong('pruned_heads', 'empty', 'Use the checkpoint before its heads were removed.');
  }
}
