import { Command, InvalidArgumentError } from 'commander';
import type { Engine } from '../../engine/engine.ts';
import { formatBytes, formatRate } from '../../experiment/format.ts';
import type { Generated, Served, ServedPlan } from '../../experiment/generationSchema.ts';
import { printSparsity } from '../../experiment/sparsity.ts';
import { EXIT } from '../exitCode.ts';
import { addRunFlags, type OnePlanOptions } from '../flags/onePlan.ts';
import { addSelectionFlags } from '../flags/selection.ts';
import { servedPlan } from '../flags/servedPlan.ts';
import { progressLine } from '../reports/progressBar.ts';
import { collect, type CommandContext, JSON_FLAG, usageError, withExamples } from './commandContext.ts';

interface GenerateOptions extends OnePlanOptions {
  readonly prompt?: string;
  readonly most: number;
  readonly temperature: number;
  readonly topP: number;
  readonly stop?: readonly string[];
  readonly json?: true;
}

/** A model that is asked, under the name that it is shown by. */
interface Asked {
  readonly name: string;
  readonly plan: ServedPlan;
}

export function generateCommand(context: CommandContext): Command {
  const command = new Command('generate')
    .description('go on from a prompt: the dense model, and beside it what pruning makes of it')
    .argument('[model]', 'checkpoint folder, or a .prune file that says what to prune')
    .option('--prompt <text>', 'what to go on from; without it, or as -, it is read from standard input')
    .option('--most <tokens>', 'tokens to generate at most', parseCount, 128)
    .option('--temperature <number>', '0: always the likeliest token; else drawn, with --seed', parseTemperature, 0)
    .option('--top-p <share>', 'draw among the likeliest tokens that have this share of the probability', parseShare, 1)
    .option('--stop <text>', 'ends the answer, and is no part of it; may be repeated', collect);
  addSelectionFlags(addRunFlags(command))
    .option(...JSON_FLAG)
    .action(async (model: string | undefined, options: GenerateOptions) => {
      if (options.stop?.includes('')) throw usageError('--stop with a text', 'an empty one', 'Leave it out.');
      const asked = await modelsToAsk(model, options, context);
      const prompt = await promptOf(options, context);
      const engine = await context.createEngine();
      try {
        for (const each of asked) await answer(each, asked.length > 1, prompt, options, engine, context);
      } finally {
        context.terminal.status('');
        await engine.dispose();
      }
      context.finish(EXIT.ok);
    });
  return withExamples(command, [
    ['a checkpoint', 'espalier generate models/tiny --prompt "The river" --most 40'],
    [
      'dense and pruned, one after the other',
      'espalier generate models/tiny --prompt "The river" --expression "W * sqrt(X)" --sparsity 50% \\\n' +
        '    --calibration wiki.valid.txt --samples 16 --length 256',
    ],
    [
      'drawn instead of the likeliest',
      'espalier generate models/tiny --temperature 0.8 --top-p 0.9 --seed 3 < prompt.txt',
    ],
  ]);
}

/** The dense model, and what is to be pruned of it, if anything is. */
async function modelsToAsk(
  model: string | undefined,
  options: GenerateOptions,
  context: CommandContext,
): Promise<readonly Asked[]> {
  const { plan } = await servedPlan(model, options, context);
  const pruned = plan.evaluations.map(({ metric, sparsity }) => ({
    name: `${metric} at ${printSparsity(sparsity)}`,
    plan,
  }));
  return [{ name: 'dense', plan: { ...plan, evaluations: [] } }, ...pruned];
}

async function promptOf({ prompt }: GenerateOptions, { readInput, signal }: CommandContext): Promise<string> {
  if (prompt !== undefined && prompt !== '-') return prompt;
  const text = await readInput?.(signal);
  if (text !== undefined && text !== '') return text.replace(/\r?\n$/, '');
  throw usageError('--prompt with a text', 'none, and nothing on standard input', 'Say what to go on from.');
}

async function answer(
  { name, plan }: Asked,
  isOneOfMany: boolean,
  prompt: string,
  { most, temperature, topP, stop = [], json }: GenerateOptions,
  engine: Engine,
  { terminal, signal }: CommandContext,
): Promise<void> {
  const opened = await engine.openServed(plan, {
    signal,
    onProgress: (progress) => {
      terminal.status(progressLine(progress, terminal.statusWidth));
    },
  });
  terminal.status('');
  if (opened.streams) terminal.say(`${name}: the weights have no room in memory; each token reads them from the disk`);
  if (!json && isOneOfMany) terminal.print(terminal.out.bold(name));
  const { seed } = plan.settings;
  const asked = { served: opened.served, prompts: [prompt], most, temperature, topP, seed, stops: [...stop] };
  // The prompt comes with the first token: before, it may still be refused.
  let unsaid = prompt;
  const generated = await engine.generate(asked, {
    signal,
    onToken: ({ text }) => {
      if (!json) terminal.write(unsaid + text);
      unsaid = '';
    },
  });
  await engine.closeServed({ served: opened.served });
  if (json) {
    terminal.print(generatedJson(name, prompt, opened, generated));
    return;
  }
  terminal.write('\n');
  terminal.say(terminal.err.dim(speedLine(generated)));
  if (isOneOfMany) terminal.print('');
}

function generatedJson(
  name: string,
  prompt: string,
  { model, fingerprint, streams }: Served,
  generated: Generated,
): string {
  const { answers, ...rest } = generated;
  return JSON.stringify({ name, model, fingerprint, streams, prompt, ...answers[0]!, ...rest });
}

function speedLine({ answers, prefill, decode, cacheBytes }: Generated): string {
  const { ids, end } = answers[0]!;
  const rate = decode.tokens > 0 ? `${formatRate(decode.tokens / decode.seconds)} tokens/s, ` : '';
  const before = `prompt of ${prefill.tokens} tokens in ${prefill.seconds.toFixed(2)} s`;
  return `  ${ids.length} tokens (${ENDS[end]}), ${rate}${before}, keys and values ${formatBytes(cacheBytes)}`;
}

const ENDS: Readonly<Record<Generated['answers'][number]['end'], string>> = {
  stop: 'a stop',
  end: 'its end',
  most: 'as many as asked for',
  length: 'the model’s length is used up',
};

function parseCount(text: string): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new InvalidArgumentError('It takes a whole number from 1 to 999999.');
}

function parseTemperature(text: string): number {
  return parseBetween(text, 0, 100);
}

function parseShare(text: string): number {
  return parseBetween(text, 0, 1);
}

function parseBetween(text: string, least: number, most: number): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`It takes a number from ${least} to ${most}.`);
}
