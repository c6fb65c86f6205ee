#!/usr/bin/env node
// Our tokenizer and the Rust library (the npm package `tokenizers`) on one text, each run in a process of its own: what docs/architecture.md
// has under "Two libraries weighed".
// Usage: weighTokenizers.mjs --checkpoint FOLDER --text FILE [--megabytes 100] [--whole 10] [--json]
//   --megabytes  of text, made by repeating FILE
//   --whole      of which the Rust library gets this much where it is given all at once: it takes 100 to 200 bytes of memory for each byte
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { setInterval, clearInterval } from 'node:timers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    checkpoint: { type: 'string' },
    text: { type: 'string' },
    megabytes: { type: 'string', default: '100' },
    whole: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false },
    child: { type: 'string' },
  },
});
const script = fileURLToPath(import.meta.url);
const bundle = join(dirname(script), '../.cache/weighTokenizers/tokenizer.cjs');
const require = createRequire(script);

/** Characters of a piece: what the Rust library encodes in some 50 ms. Pieces are cut anywhere, so ids differ at the cuts. */
const PIECE = 2 ** 16;

/**
 * Side → what loads its tokenizer of a folder: a function from a text to the number of its ids, which ends early when it is told to stop.
 *
 * @type {Record<string, (folder: string) => Promise<(text: string, signal: AbortSignal) => Promise<number>>>}
 */
const SIDES = {
  ours: async (folder) => {
    const tokenizer = await require(bundle).loadTokenizer(folder);
    return async (text, signal) =>
      tokenizer.encodeAsync(text, { signal }).then(
        (ids) => ids.length,
        () => 0,
      );
  },
  'Rust, in pieces': async (folder) => {
    const tokenizer = loadRust(folder);
    return async (text, signal) => {
      let count = 0;
      for (let at = 0; at < text.length && !signal.aborted; at += PIECE) {
        const encoding = await tokenizer.encode(text.slice(at, at + PIECE), null, { addSpecialTokens: false });
        count += encoding.getIds().length;
      }
      return count;
    };
  },
  'Rust, at once': async (folder) => {
    const tokenizer = loadRust(folder);
    // What has begun cannot be cancelled.
    return async (text) => (await tokenizer.encode(text, null, { addSpecialTokens: false })).getIds().length;
  },
};

function loadRust(folder) {
  return require('tokenizers').Tokenizer.fromString(readFileSync(join(folder, 'tokenizer.json'), 'utf8'));
}

/** Name → parts of a tokenizer.json that the Rust library takes, and panics over; or nothing for the checkpoint's own. */
const PANICS = {
  'a Precompiled table that is cut off': { normalizer: { type: 'Precompiled', precompiled_charsmap: 'AAAA' } },
  'a fixed length of 0': { pre_tokenizer: { type: 'FixedLength', length: 0 } },
  'a template that names a token it does not have': {
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: 'x', type_id: 0 } }],
      pair: [],
      special_tokens: {},
    },
  },
  'a prefix of subwords': {
    model: { type: 'BPE', vocab: { a: 0, b: 1, ab: 2 }, merges: [['a', 'b']], continuing_subword_prefix: '##' },
  },
  'eleven million spaces': undefined,
};

if (values.child === undefined) await compare();
else if (values.child in PANICS) await provoke(values.child);
else console.log(JSON.stringify(await measure(values.child)));

async function compare() {
  if (!values.checkpoint || !values.text) {
    console.error('weighTokenizers: --checkpoint and --text are needed');
    process.exit(2);
  }
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(dirname(script), '../src/engine/tokenizer/tokenizer.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'warning',
  });
  const rows = Object.keys(SIDES).map((side) => ({ side, ...inChild(side) }));
  const endings = Object.keys(PANICS).map((name) => [name, run(name).signal ?? 'nothing happens']);
  if (values.json) console.log(JSON.stringify({ rows, endings }));
  else {
    console.table(Object.fromEntries(rows.map(({ side, ...figures }) => [side, figures])));
    for (const [name, ending] of endings) console.log(`the Rust library and ${name}: ${ending}`);
  }
}

function inChild(side) {
  const { status, signal, stdout, stderr } = run(side);
  if (status !== 0) throw new Error(`${side} ended with ${signal ?? status}: ${stderr}`);
  return JSON.parse(stdout);
}

function run(child) {
  return spawnSync(process.execPath, [script, ...process.argv.slice(2), '--child', child], { encoding: 'utf8' });
}

async function provoke(name) {
  const model = { type: 'BPE', vocab: { a: 0 }, merges: [] };
  const { Tokenizer } = require('tokenizers');
  try {
    const parts = PANICS[name];
    const tokenizer = parts ? Tokenizer.fromString(JSON.stringify({ model, ...parts })) : loadRust(values.checkpoint);
    await tokenizer.encode(parts ? 'a' : `${' '.repeat(11e6)}x`, null, { addSpecialTokens: true });
  } catch {
    // An error would be as it should be.
  }
}

/** Seconds are of the processor, all threads together, so that other load on the machine counts little; the last two are of the clock. */
async function measure(side) {
  const began = cpuSeconds();
  const encode = await SIDES[side](resolve(values.checkpoint));
  const load = cpuSeconds() - began;
  const megabytes = Number(side === 'Rust, at once' ? values.whole : values.megabytes);
  const text = repeated(readFileSync(values.text), megabytes * 1e6);
  const before = cpuSeconds();
  const { result: ids, heldUp } = await watched(() => encode(text, new AbortController().signal));
  const encoding = cpuSeconds() - before;
  const peak = process.resourceUsage().maxRSS / 1e3;
  return {
    'text MB': megabytes,
    ids,
    'load s': round(load),
    'encode s': round(encoding),
    'MB/s': round(megabytes / encoding),
    'peak MB': Math.round(peak),
    'held up ms': Math.round(heldUp),
    'cancelled after ms': Math.round(await timeToStop(encode, text)),
  };
}

function repeated(bytes, size) {
  return Buffer.concat(Array.from({ length: Math.ceil(size / bytes.length) }, () => bytes))
    .subarray(0, size)
    .toString();
}

function cpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** With the longest time that nothing else had its turn, in milliseconds. */
async function watched(work) {
  let [last, heldUp] = [performance.now(), 0];
  const look = () => {
    const now = performance.now();
    [last, heldUp] = [now, Math.max(heldUp, now - last)];
  };
  const timer = setInterval(look, 1);
  const result = await work();
  look();
  clearInterval(timer);
  return { result, heldUp };
}

/** Milliseconds from the wish, half a second after the begin, to the end. */
async function timeToStop(encode, text) {
  const stop = new AbortController();
  const wished = setTimeout(500).then(() => {
    stop.abort();
    return performance.now();
  });
  await encode(text, stop.signal);
  const ended = performance.now();
  return Math.max(0, ended - (await wished));
}

function round(value) {
  return Number(value.toPrecision(2));
}
