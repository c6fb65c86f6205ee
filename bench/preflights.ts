import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createEngine } from '../src/engine/engine.ts';
import type { EvaluationPlan } from '../src/experiment/planSchema.ts';
import { DEFAULT_SETTINGS, type EvaluationSettings } from '../src/experiment/settings.ts';
import { compile } from '../src/language/check/compile.ts';
import { plansFor } from '../src/language/plan/plan.ts';
import { generateModel } from './generatedModel.ts';
import { SHARED_FILES } from './work.ts';

const USAGE = `npm run bench:preflight [-- --threads N] [--only WORD] [--json]

What a preflight says of some works, and what they take then, in a fresh engine each: the reference checkpoint (6M) and a generated LLaMA of 110M.
The bar: within a factor of 1.5 of each other. With one thread the seconds of the processor stand beside, which other work on the machine moves less.`;

const { values: options } = parseArgs({
  options: {
    threads: { type: 'string', default: '0' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** What is pruned, in the language: nothing is the dense model. */
const WORKS: Readonly<Record<string, string>> = {
  dense: '',
  'wanda, sequential': 'wanda at 50%',
  'magnitude and wanda, one-shot': 'magnitude, wanda at 50%; one-shot',
  'W · G': 'taylor at 50%',
  '2:4': 'wanda at 2:4',
  SparseGPT: 'wanda then sparsegpt at 50%',
  structure: 'structure(wanda-sp) at 20%',
};

/** Blocks and samples of each model: seconds, not minutes. */
const AMOUNTS = {
  '6M': { length: 256, blocks: 64, samples: 16 },
  '110M': { length: 512, blocks: 8, samples: 4 },
} as const;

async function main(): Promise<void> {
  if (options.help) {
    console.log(USAGE);
    return;
  }
  const generated = await generateModel();
  try {
    const { model, text, calibration } = SHARED_FILES;
    await measure('6M', { model, text, calibration });
    await measure('110M', { model: generated.folder, text: generated.text, calibration: generated.text });
  } finally {
    await rm(generated.folder, { recursive: true });
  }
}

type Inputs = Readonly<Record<'model' | 'text' | 'calibration', string>>;

async function measure(size: keyof typeof AMOUNTS, inputs: Inputs): Promise<void> {
  for (const [work, pruned] of Object.entries(WORKS)) {
    const name = `${size}, ${work}`;
    if (!name.includes(options.only)) continue;
    const engine = createEngine();
    try {
      const plan = planOf(inputs, pruned, { ...AMOUNTS[size], threads: Number(options.threads), device: 'cpu' });
      const began = performance.now();
      const { seconds: foretold } = await engine.preflight(plan);
      const looked = (performance.now() - began) / 1000;
      const [start, used] = [performance.now(), process.cpuUsage()];
      await engine.evaluate(plan);
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(used);
      const processor = (user + system) / 1e6;
      const row = { work: name, foretold, seconds, processor, ratio: foretold / seconds, looked };
      if (options.json) console.log(JSON.stringify(row));
      else console.log(lineOf(row));
    } finally {
      await engine.dispose();
    }
  }
}

function lineOf({
  work,
  foretold,
  seconds,
  processor,
  ratio,
  looked,
}: Readonly<Record<string, number | string>>): string {
  const figures = [foretold, seconds, processor, looked].map((value) => `${Number(value).toFixed(2)} s`);
  const [said, took, ofProcessor, of] = figures;
  return `${String(work).padEnd(40)} foretold ${said}, took ${took} (processor ${ofProcessor}), ratio ${Number(ratio).toFixed(2)}; the preflight took ${of}`;
}

/** A plan as an experiment in a file would make it. */
function planOf(inputs: Inputs, pruned: string, settings: Partial<EvaluationSettings>): EvaluationPlan {
  const dense = { ...inputs, evaluations: [], settings: { ...DEFAULT_SETTINGS, ...settings } };
  if (pruned === '') return dense;
  const [prune, at, calibrate = 'sequential'] = pruned.split(/ at |; /);
  const file = `metric magnitude = W\nmetric wanda = W * sqrt(X)\nmetric taylor = W * G\nmodel m = "."\ncorpus t = "t"\nexperiment e {\n  model: m\n  evaluate: t\n  calibrate: t\n  calibration: ${calibrate}\n  prune: ${prune!}\n  at: ${at!}\n}\n`;
  const [planned] = plansFor(compile(file), 'e', { folder: inputs.model });
  const { calibrate: how } = planned!.settings;
  return { ...dense, evaluations: planned!.evaluations, settings: { ...dense.settings, calibrate: how } };
}

void main();
