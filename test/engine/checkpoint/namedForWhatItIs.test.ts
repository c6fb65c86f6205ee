import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { checkTensors } from '../../../src/engine/checkpoint/checkTensors.ts';
import { openCheckpoint } from '../../../src/engine/checkpoint/checkpoint.ts';
import { loadCorpus } from '../../support/loadCorpus.ts';
import { parseConfig } from '../../../src/engine/checkpoint/readConfig.ts';
import { writeSafetensors, type TensorToWrite } from '../../../src/engine/checkpoint/safetensorsWriter.ts';
import { cutSamples } from '../../../src/engine/corpus/cutSamples.ts';
import { allParameters } from '../../../src/engine/families/families.ts';
import { loadTokenizer } from '../../../src/engine/tokenizer/tokenizer.ts';
import { failureOf } from '../../support/expectCoded.ts';
import { replaceFile } from '../../support/replaceFile.ts';
import { TINY_LLAMA } from './tinyConfigs.ts';

const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'espalier-named-')));
afterAll(() => {
  rmSync(root, { recursive: true });
});

let folder: string;
let count = 0;
beforeEach(() => {
  folder = path.join(root, `${count++}`);
  mkdirSync(folder);
});

const LFS =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1\nsize 12345\n';

function put(file: string, content = 'x'): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), content);
}

describe('a path that is no path of a checkpoint', () => {
  // As the command line and `.prune` files hand it over: behind the folder that it starts from.
  it.each<[written: string, says: RegExp]>([
    ['~/models/tiny', /begins with ~, which only a shell puts in\. Write it in full: .*models.tiny/],
    ['~', /begins with ~/],
    ['~ada/models', /begins with ~/],
    ['$HOME/models/tiny', /with \$HOME, which only a shell/],
    ['${MODELS}/tiny', /with \$\{MODELS\}/],
    ['%USERPROFILE%/tiny', /with %USERPROFILE%/],
    ['file:///data/models/my%20model', /begins with file:.*Write the path alone: \/data\/models\/my model\./],
    ['hf:meta-llama/Llama-3.2-1B', /name of the Hugging Face hub.*Write hf:meta-llama\/Llama-3\.2-1B/],
    ['HF:meta-llama/Llama-3.2-1B', /Write hf:meta-llama\/Llama-3\.2-1B:/],
    ['hf:meta-llama/Llama-3.2-1B@main', /Write hf:meta-llama\/Llama-3\.2-1B:/],
    ['hf://meta-llama/Llama-3.2-1B', /Write hf:meta-llama\/Llama-3\.2-1B:/],
    ['https://huggingface.co/meta-llama/Llama-3.2-1B/tree/main', /Write hf:meta-llama\/Llama-3\.2-1B:/],
    ['s3://bucket/model', /address that begins with s3:.*Download/],
    ['meta-llama/Llama-3.2-1B', /no such folder.*name of the Hugging Face hub.*write hf:meta-llama\/Llama-3\.2-1B/],
    ['gpt2', /no such folder.*name of the Hugging Face hub.*write hf:gpt2:/],
    ['C:\\models\\tiny', /path of Windows/],
    ['C:/models/tiny', /path of Windows/],
    ['models\\tiny', /path of Windows/],
    [' models/tiny', /blank or a quote/],
    ['no where', /no such folder\. Check the path of the checkpoint/],
    ['one/two/three', /no such folder\. Check the path of the checkpoint/],
  ])('%s', async (written, says) => {
    const failure = await failureOf(() => openCheckpoint(path.resolve(folder, written)));
    expect(failure.code).toBe('checkpoint/not-found');
    expect(failure.message).toMatch(says);
  });

  it('is written out in full where it began with ~', async () => {
    const failure = await failureOf(() => openCheckpoint(path.join(folder, '~/models/tiny')));
    expect(failure.data.remedy).toContain(path.join(homedir(), 'models/tiny'));
    const text = await failureOf(() => loadCorpus(path.join(folder, '~/wiki.txt')));
    expect(text.data.remedy).toContain(path.join(homedir(), 'wiki.txt'));
  });

  it.each(['config.json', 'model.safetensors', 'model.safetensors/extra'])('but of %s in it', async (file) => {
    put('config.json', '{}');
    put('model.safetensors');
    const failure = await failureOf(() => openCheckpoint(path.join(folder, file)));
    expect(failure.message).toContain(`got a file. Name the folder that holds the file: ${folder}.`);
  });

  it.each([
    ['model.gguf', /a file: GGUF weights/],
    ['pytorch_model.bin', /a file: PyTorch weights/],
    ['model.onnx', /a file: weights in another format/],
    ['model.tar.gz', /an archive.*Unpack/],
  ])('but of %s', async (file, says) => {
    put(file);
    expect((await failureOf(() => openCheckpoint(path.join(folder, file)))).message).toMatch(says);
  });
});

it.skipIf(process.platform === 'win32')(
  'a pipe in the place of the folder is called one (Windows has none)',
  async () => {
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    const failure = await failureOf(() => openCheckpoint(path.join(folder, 'pipe')));
    expect(failure.data).toMatchObject({ code: 'checkpoint/not-found', actual: 'a pipe or a device' });
  },
);

const ADAPTER = JSON.stringify({ peft_type: 'LORA', base_model_name_or_path: 'ada/base', r: 2 });

describe('a folder that is no checkpoint', () => {
  it.each<[what: string, files: readonly string[], says: RegExp]>([
    [
      'Meta’s own layout',
      ['consolidated.safetensors', 'params.json', 'tokenizer.model'],
      /own layout \(consolidated\.s/,
    ],
    [
      'Meta’s own layout, pickled',
      ['consolidated.00.pth', 'params.json'],
      /own layout \(consolidated\.00\.pth\).*convert_/,
    ],
    ['a PyTorch checkpoint', ['config.json', 'pytorch_model.bin'], /PyTorch weights.*save_pretrained/],
    ['a pickled model', ['config.json', 'flap.pt'], /PyTorch weights \(flap\.pt\)/],
    ['GGUF files', ['model-Q4_K_M.gguf'], /GGUF/],
    ['ONNX alone', ['config.json', 'model.onnx'], /another format \(model\.onnx\)/],
    ['ONNX for transformers.js', ['config.json', 'onnx'], /another format \(onnx\)/],
    [
      'an adapter',
      ['adapter_config.json', 'adapter_model.safetensors'],
      /got "ada\/base", which is none of these here\. Download it \(`hf download ada\/base`\)/,
    ],
    ['an adapter without weights', ['adapter_config.json'], /an adapter without weights.*Download/],
    [
      'a pickled adapter',
      ['adapter_config.json', 'adapter_model.bin'],
      /pickled \(adapter_model\.bin\).*save_pretrained/,
    ],
    [
      'an adapter beside a model',
      ['adapter_config.json', 'adapter_model.safetensors', 'config.json', 'model.safetensors'],
      /an adapter \(adapter_config\.json\) beside the weights.*merge_and_unload.*move the adapter/,
    ],
    ['one shard of three', ['config.json', 'model-00001-of-00003.safetensors'], /other shards/],
    [
      'shards without an index',
      ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
      /index\.json as well/,
    ],
  ])('%s', async (_, files, says) => {
    for (const file of files) put(file, file === 'adapter_config.json' ? ADAPTER : 'x');
    const failure = await failureOf(() => openCheckpoint(folder));
    expect(failure.code).toBe('checkpoint/not-found');
    expect(failure.message).toMatch(says);
  });

  it.each([
    ['models--meta-llama--Llama-3.2-1B', ''],
    ['models--meta-llama--Llama-3.2-1B', 'snapshots'],
  ])('but is above a snapshot of the hub’s cache that nothing names: %s/%s', async (repository, below) => {
    put(`${repository}/refs/main`, 'ccc');
    put(`${repository}/snapshots/bbb/config.json`);
    put(`${repository}/snapshots/ddd/config.json`);
    put(`${repository}/blobs/123`);
    const failure = await failureOf(() => openCheckpoint(path.join(folder, repository, below)));
    expect(failure.message).toContain(`the snapshot: ${path.join(folder, repository, 'snapshots', 'bbb')} (of 2`);
  });

  it('but is above checkpoints', async () => {
    put('checkpoint-500/config.json');
    expect((await failureOf(() => openCheckpoint(folder))).message).toContain(path.join(folder, 'checkpoint-500'));
  });
});

describe('a Git LFS pointer is named', () => {
  it.each(['model.safetensors', 'config.json', 'model.safetensors.index.json'])('in the place of %s', async (file) => {
    put('config.json', JSON.stringify(TINY_LLAMA));
    if (file === 'config.json') await writeSafetensors(path.join(folder, 'model.safetensors'), new Map());
    put(file, LFS);
    expect((await failureOf(() => openCheckpoint(folder))).message).toMatch(/a Git LFS pointer.*git lfs pull/);
  });

  it.each(['tokenizer.json', 'tokenizer_config.json'])('in the place of %s', async (file) => {
    put('tokenizer.json', '{}');
    put(file, LFS);
    const failure = await failureOf(() => loadTokenizer(folder));
    expect([failure.code, failure.message]).toEqual(['checkpoint/tokenizer', expect.stringMatching(/git lfs pull/)]);
  });

  it.each(['adapter_config.json', 'adapter_model.safetensors'])('in the place of %s', async (file) => {
    put('base/config.json', JSON.stringify(TINY_LLAMA));
    await writeSafetensors(path.join(folder, 'base', 'model.safetensors'), new Map());
    put('adapter_config.json', JSON.stringify({ peft_type: 'LORA', base_model_name_or_path: './base' }));
    put('adapter_model.safetensors');
    put(file, LFS);
    expect((await failureOf(() => openCheckpoint(folder))).message).toMatch(/a Git LFS pointer.*git lfs pull/);
  });

  it('in the place of a text', async () => {
    put('wiki.txt', LFS);
    expect((await failureOf(() => loadCorpus(path.join(folder, 'wiki.txt')))).message).toMatch(/Git LFS pointer/);
  });
});

describe('a checkpoint without tokenizer.json says what it has instead', () => {
  it.each<[files: readonly string[], says: RegExp]>([
    [['tokenizer.model'], /only the SentencePiece model tokenizer\.model\. Make one in Python/],
    [['tokenizer.model.v3'], /SentencePiece model tokenizer\.model\.v3/],
    [['vocab.json', 'merges.txt'], /only the byte pairs vocab\.json and merges\.txt\. Make one/],
    [['qwen.tiktoken'], /only the byte pairs qwen\.tiktoken/],
    [['tekken.json'], /Mistral’s own form tekken\.json\. Download/],
    [['vocab.txt'], /WordPiece/],
    [['vocab.json'], /no such file\. Download tokenizer\.json/],
    [[], /no such file\. Download tokenizer\.json/],
  ])('%j', async (files, says) => {
    put('config.json', JSON.stringify(TINY_LLAMA));
    await writeSafetensors(path.join(folder, 'model.safetensors'), new Map());
    for (const file of files) put(file);
    const checkpoint = await openCheckpoint(folder);
    const failure = await failureOf(() => checkpoint.identity());
    checkpoint.close();
    expect(failure.code).toBe('checkpoint/tokenizer');
    expect(failure.message).toMatch(says);
    expect(failure.message).not.toContain('ENOENT');
  });
});

describe('a tokenizer.json of another kind says what was found', () => {
  it.each<[change: object, says: RegExp]>([
    [{ pre_tokenizer: { type: 'Rhymes' } }, /pre_tokenizer\.type to be one of .*ByteLevel.*got "Rhymes"/],
    [{ normalizer: { type: 'Rot13' } }, /normalizer\.type to be one of .*NFC.*got "Rot13"/],
    [{ model: { type: 'Markov', vocab: [] } }, /model\.type to be one of .*BPE.*got "Markov"/],
    [{ colour: 1 }, /the file to be only fields that are known here, got colour/],
  ])('%j', async (change, says) => {
    const spec = {
      version: '1.0',
      truncation: null,
      padding: null,
      decoder: null,
      model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
      ...change,
    };
    put('tokenizer.json', JSON.stringify(spec));
    const failure = await failureOf(() => loadTokenizer(folder));
    expect(failure.code).toBe('checkpoint/tokenizer');
    expect(failure.message).toMatch(says);
    expect(failure.message).not.toMatch(/Invalid|received/);
  });
});

const zeros = (...shape: number[]): TensorToWrite => ({
  dtype: 'BF16',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

type Tensors = Map<string, TensorToWrite>;

/** Every tensor under another name, or with others beside it. */
function eachLinear(change: (tensors: Tensors, name: string) => void): (tensors: Tensors) => void {
  return (tensors) => {
    for (const name of [...tensors.keys()]) if (name.includes('_proj.weight')) change(tensors, name);
  };
}

/** Renames the weights themselves, and puts others beside them. */
function packed(weight: string | undefined, ...beside: string[]): (tensors: Tensors) => void {
  return eachLinear((tensors, name) => {
    const layer = name.slice(0, -'weight'.length);
    if (weight !== undefined) {
      tensors.set(`${layer}${weight}`, tensors.get(name)!);
      tensors.delete(name);
    }
    for (const other of beside) tensors.set(`${layer}${other}`, zeros(2));
  });
}

describe('tensors that are not a plain model’s are named for what they are', () => {
  it.each<[what: string, change: (tensors: Tensors) => void, says: RegExp]>([
    ['GPTQ', packed('qweight', 'qzeros', 'scales', 'g_idx'), /GPTQ has packed.*before it was quantised/],
    ['AWQ', packed('qweight', 'qzeros', 'scales'), /AWQ or GPTQ has packed/],
    ['bitsandbytes', packed(undefined, 'weight.absmax', 'weight.quant_map'), /bitsandbytes has packed/],
    ['bitsandbytes in 8 bits', packed(undefined, 'SCB'), /bitsandbytes has packed/],
    ['FP8', packed(undefined, 'weight_scale', 'input_scale'), /8 bits \(FP8/],
    ['FP8 in blocks', packed(undefined, 'weight_scale_inv'), /8 bits \(FP8/],
    ['compressed-tensors', packed('weight_packed', 'weight_scale', 'weight_shape'), /compressed-tensors has packed/],
    ['sparse bitmasks', packed(undefined, 'compressed', 'bitmask'), /compressed-tensors has packed/],
    [
      'LoRA',
      packed('base_layer.weight', 'lora_A.default.weight', 'lora_B.default.weight'),
      /adapter \(PEFT\).*merge_and_unload/,
    ],
    [
      'a model as PEFT wraps it',
      (tensors) => {
        for (const [name, tensor] of [...tensors]) {
          tensors.delete(name);
          tensors.set(`base_model.model.${name}`, tensor);
        }
      },
      /as PEFT wraps it.*merge_and_unload/,
    ],
    ['masks of torch', packed('weight_orig', 'weight_mask'), /torch\.nn\.utils\.prune.*prune\.remove/],
    [
      'a reward model',
      (tensors) => {
        tensors.delete('lm_head.weight');
        tensors.set('score.weight', zeros(1, 64));
      },
      /head for scores/,
    ],
    ['a vision tower', (tensors) => tensors.set('vision_tower.patch.weight', zeros(2)), /images or sound/],
    [
      'experts',
      (tensors) => tensors.set('model.layers.0.mlp.experts.0.up_proj.weight', zeros(2)),
      /mixture of experts/,
    ],
    [
      'experts in one tensor',
      (tensors) => tensors.set('model.layers.0.mlp.experts.gate_up_proj', zeros(2)),
      /fused into one tensor.*save_pretrained/,
    ],
    ['Meta’s names', (tensors) => tensors.set('layers.0.attention.wq.weight', zeros(2)), /Meta’s own layout/],
    ['fused projections', packed('qkv_proj.weight'), /fused into one matrix/],
    [
      'a head that is missing',
      (tensors) => tensors.delete('lm_head.weight'),
      /no tensor of this name.*"tie_word_embeddings": true/,
    ],
    [
      'embeddings that are missing',
      (tensors) => tensors.delete('model.embed_tokens.weight'),
      /no tensor of this name.*"tie_word_embeddings": true/,
    ],
  ])('%s', async (_, change, says) => {
    const failure = await failureOf(() => checked(change));
    expect(failure.code).toBe('checkpoint/tensor');
    expect(failure.message).toMatch(says);
    expect(failure.message).not.toContain('one of the two is of another model');
  });

  it('fewer heads in all blocks alike, which may be smaller ones: with the line of config.json that says so, which is then read', async () => {
    const { hidden, headDim, heads, kvHeads } = parseConfig(TINY_LLAMA, 'config.json');
    const queries = (heads / kvHeads) * headDim;
    const change = (tensors: Tensors): void => {
      for (const block of [0, 1, 2]) {
        const prefix = `model.layers.${block}.self_attn`;
        for (const name of ['k_proj', 'v_proj']) tensors.set(`${prefix}.${name}.weight`, zeros(headDim, hidden));
        tensors.set(`${prefix}.q_proj.weight`, zeros(queries, hidden));
        tensors.set(`${prefix}.o_proj.weight`, zeros(hidden, queries));
      }
    };
    const failure = await failureOf(() => checked(change));
    expect(failure.message).toMatch(/fewer heads or channels in some blocks \(FLAP, LLM-Pruner\)/);
    const key = /\{"espalier".*\}\}/.exec(failure.data.remedy)![0];
    await checked(change, JSON.parse(key) as object);
    await checked(change, { head_dim: headDim });
  });

  async function checked(change: (tensors: Tensors) => void, fields: object = {}): Promise<void> {
    put('config.json', JSON.stringify(TINY_LLAMA));
    const { config } = await emptyCheckpoint();
    const tensors = new Map(allParameters(config).map(({ tensor, shape }) => [tensor, zeros(...shape)]));
    change(tensors);
    rmSync(path.join(folder, 'model.safetensors'));
    await writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
    replaceFile(path.join(folder, 'config.json'), JSON.stringify({ ...TINY_LLAMA, ...fields }));
    const checkpoint = await openCheckpoint(folder);
    try {
      checkTensors(checkpoint, allParameters(checkpoint.config));
    } finally {
      checkpoint.close();
    }
  }

  async function emptyCheckpoint() {
    await writeSafetensors(path.join(folder, 'model.safetensors'), new Map());
    const checkpoint = await openCheckpoint(folder);
    checkpoint.close();
    return checkpoint;
  }
});

describe('a calibration text', () => {
  const ids = Int32Array.from({ length: 101 }, (_, i) => i);
  const cut = (samples: number, length: number, offsets: 'even' | 'random') =>
    cutSamples(ids, { samples, length, offsets, seed: 0 }, 'text.txt').tokens;

  it('of 101 tokens has room for 128 random samples of 64, and of 101', () => {
    expect(cut(128, 64, 'random')).toHaveLength(128);
    expect(cut(128, 101, 'random').every((sample) => sample[0] === 0 && sample.length === 101)).toBe(true);
    const begins = cut(128, 64, 'random').map(([first]) => first!);
    expect(Math.max(...begins)).toBeLessThanOrEqual(37);
  });

  it.each<[samples: number, length: number, offsets: 'even' | 'random', says: RegExp]>([
    [1, 102, 'random', /at least 102 tokens, got 101 tokens/],
    [128, 64, 'even', /room for 128 samples of 64 tokens at even offsets, got 101 tokens/],
    [4, 40, 'even', /room for 4 samples of 40 tokens at even offsets, got 101 tokens/],
  ])('of 101 tokens has none for %i of %i, %s', async (samples, length, offsets, says) => {
    expect((await failureOf(() => cut(samples, length, offsets))).message).toMatch(says);
  });
});
