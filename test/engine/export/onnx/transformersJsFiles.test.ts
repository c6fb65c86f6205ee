import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AutoModelForCausalLM, AutoTokenizer } from '@huggingface/transformers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/engine/checkpoint/readConfig.ts';
import { writeTransformersJs } from '../../../../src/engine/export/onnx/transformersJs.ts';
import { FAMILIES, type FamilyName } from '../../../support/generate/families.ts';
import { tokenizerJson } from '../../../support/generate/tokenizer.ts';
import '../../../support/transformersJs/transformersJsModel.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'espalier-test-'));
  await writeFile(
    path.join(folder, 'tokenizer.json'),
    JSON.stringify(tokenizerJson({ words: ['Hello'], specials: ['<s>', '</s>'] })),
  );
});
afterEach(() => rm(folder, { recursive: true }));

const write = async (name: FamilyName, fields: object = {}): Promise<Record<string, unknown>> => {
  const values = { ...FAMILIES[name].config, ...fields };
  await writeTransformersJs(folder, { config: parseConfig(values, 'config.json'), values }, 1);
  return JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
};

const ofEachArchitecture = new Map(
  (Object.keys(FAMILIES) as FamilyName[]).map((name) => [String(FAMILIES[name].config['architectures']), name]),
);

it.each([...ofEachArchitecture.values()])('%s is of a kind that transformers.js has', async (name) => {
  const { model_type: type } = await write(name);
  expect(AutoModelForCausalLM.supports(type as string)).toBe(true);
});

it('a checkpoint without a tokenizer_config.json gets one that pads on the left, with its tokens', async () => {
  await write('llama-1', { bos_token_id: 0, eos_token_id: [1, 5] });
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  expect([tokenizer.padding_side, tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token]).toEqual([
    'left',
    '<s>',
    '</s>',
    '<s>',
  ]);
  const generation = JSON.parse(await readFile(path.join(folder, 'generation_config.json'), 'utf8')) as object;
  expect(generation).toEqual({ _from_model_config: true, bos_token_id: 0, eos_token_id: [1, 5] });
});

it('a chat template that has a file of its own is found', async () => {
  await writeFile(path.join(folder, 'tokenizer_config.json'), '{"eos_token":"</s>","padding_side":"right"}');
  await writeFile(path.join(folder, 'chat_template.jinja'), '{% for m in messages %}<s>{{ m.content }}{% endfor %}');
  await write('llama-1');
  const tokenizer = await AutoTokenizer.from_pretrained(folder);
  const chat = [{ role: 'user', content: 'Hello' }];
  expect(tokenizer.apply_chat_template(chat, { tokenize: false })).toBe('<s>Hello');
  expect(tokenizer.padding_side).toBe('right');
});
