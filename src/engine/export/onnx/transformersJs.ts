import { rm } from 'node:fs/promises';
import path from 'node:path';
import { readJsonFile } from '../../checkpoint/jsonFile.ts';
import { TOKENIZER_CONFIG } from '../../checkpoint/tokenSettings.ts';
import { familyOf, type ModelConfig } from '../../families/families.ts';
import type { JsonFields } from '../../families/family.ts';
import { chatTemplate, isThere } from '../chatTemplate.ts';
import { familyFields } from '../huggingface/layouts.ts';
import { writeJson } from '../writeJson.ts';

/** Bytes; real ones go up to some megabytes. */
const MAX_TOKENIZER = 2 ** 28;

/**
 * Families that transformers.js 4 does not know by their names. All that it takes from the type of a decoder is which keys and values there are, and
 * those of LLaMA are named as these are.
 */
const NAMED_AS: Readonly<Record<string, string>> = { mixtral: 'llama', olmoe: 'llama' };

/**
 * Writes what transformers.js reads beside `onnx/`: config.json that leads to the weights' files, and of the tokenizer's and the generation's
 * configuration those that the checkpoint has not got.
 *
 * @param values config.json of the pruned checkpoint
 * @param weightFiles how many the weights are in
 */
export async function writeTransformersJs(
  folder: string,
  { config, values }: { readonly config: ModelConfig; readonly values: JsonFields },
  weightFiles: number,
): Promise<void> {
  await writeJson(path.join(folder, 'config.json'), browserConfig(config, values, weightFiles));
  await writeTokenizerConfig(folder, values);
  const generation = path.join(folder, 'generation_config.json');
  if (!(await isThere(generation))) await writeJson(generation, generationConfig(values));
}

/** transformers.js wants one, and chat templates are looked for nowhere else. */
async function writeTokenizerConfig(folder: string, values: JsonFields): Promise<void> {
  const read = (name: string): Promise<JsonFields> =>
    readJsonFile(path.join(folder, name), 'checkpoint/tokenizer', MAX_TOKENIZER);
  const file = path.join(folder, TOKENIZER_CONFIG);
  const stated = (await isThere(file)) ? await read(TOKENIZER_CONFIG) : undefined;
  const template = stated?.['chat_template'] === undefined ? await chatTemplate(folder) : undefined;
  if (stated && template === undefined) return;
  await rm(file, { force: true });
  const config = stated ?? tokenizerConfig(values, await read('tokenizer.json'));
  await writeJson(file, { ...config, ...(template !== undefined && { chat_template: template }) });
}

function browserConfig(config: ModelConfig, values: JsonFields, weightFiles: number): JsonFields {
  const family = familyOf(config);
  return {
    ...familyFields(values, config),
    model_type: NAMED_AS[family.modelType] ?? family.modelType,
    [family.depthNames?.[0] ?? 'num_hidden_layers']: config.depth,
    // Where it is true (Falcon), keys and values are taken for one tensor.
    ...('multi_query' in values && { multi_query: false }),
    'transformers.js_config': { dtype: 'fp32', use_external_data_format: weightFiles },
  };
}

/** Answers are written behind prompts, so what fills a batch up stands before them; nothing sees it, so that any token will do. */
function tokenizerConfig(values: JsonFields, tokenizer: JsonFields): JsonFields {
  const texts = tokenTexts(tokenizer);
  const named = (['bos', 'eos', 'pad'] as const).flatMap((name) => {
    const text = texts.get(idsOf(values, name)[0] ?? -1);
    return text === undefined ? [] : [[`${name}_token`, text] as const];
  });
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    padding_side: 'left',
    pad_token: fillerOf(tokenizer) ?? texts.get(0),
    ...Object.fromEntries(named),
  };
}

function generationConfig(values: JsonFields): JsonFields {
  const named = (['bos', 'eos', 'pad'] as const).flatMap((name) => {
    const value = values[`${name}_token_id`];
    return idsOf(values, name).length > 0 ? [[`${name}_token_id`, value] as const] : [];
  });
  return { _from_model_config: true, ...Object.fromEntries(named) };
}

function idsOf(values: JsonFields, name: 'bos' | 'eos' | 'pad'): number[] {
  return [values[`${name}_token_id`]].flat().filter((id): id is number => Number.isInteger(id));
}

/** A token that is left out where a text is made of ids. */
function fillerOf({ added_tokens: added }: JsonFields): string | undefined {
  return ((added ?? []) as { content: string; special: boolean }[]).find(({ special }) => special)?.content;
}

/** Texts of a tokenizer's tokens, those that were added before those of the model. */
function tokenTexts({ added_tokens: added, model }: JsonFields): ReadonlyMap<number, string> {
  const texts = new Map<number, string>();
  const { vocab } = (model ?? {}) as { readonly vocab?: unknown };
  if (Array.isArray(vocab)) for (const [id, [text]] of (vocab as [string][]).entries()) texts.set(id, text);
  else for (const [text, id] of Object.entries(vocab ?? {})) texts.set(Number(id), text);
  for (const { id, content } of (added ?? []) as { id: number; content: string }[]) texts.set(id, content);
  return texts;
}
