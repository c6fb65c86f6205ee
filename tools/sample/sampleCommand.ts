import path from 'node:path';
import { parseArgs } from 'node:util';
import { toErrorData } from '../../src/base/errors.ts';
import { usageError } from '../../src/cli/commands/commandContext.ts';
import { EXIT, exitCodeOf } from '../../src/cli/exitCode.ts';
import type { ExitCode } from '../../src/cli/exitCode.ts';
import { printFailure } from '../../src/cli/reports/failure.ts';
import { progressLine } from '../../src/cli/reports/progressBar.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { createEngine } from '../../src/engine/engine.ts';
import { formatPerplexity } from '../../src/experiment/format.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { sampleRecipe } from './recipe.ts';
import { type SampleEvent, trainSample } from './trainSample.ts';

const USAGE = `npm run sample [-- --out FOLDER] [--seed N] [--steps N] [--threads N] [--json]

Writes stories and trains the sample model on them: what media/sample holds, from its seed.

  --out FOLDER   where to write; what the sample consists of is overwritten there (default: sample)
  --seed N       of the stories and of the weights (default: that of the sample that ships)
  --steps N      updates of the training (default: as many as for the sample that ships)
  --threads N    CPU threads; 0 takes every core (default: 0)
  --json         one JSON object a line: corpus, step, saved and, at last, result

Examples:
  npm run sample                                     # the sample that ships
  npm run sample -- --out quick --steps 200          # a worse one, soon`;

interface SampleOptions {
  readonly out: string;
  readonly seed?: number;
  readonly steps?: number;
  readonly threads: number;
  readonly json: boolean;
}

/** What the command gets from outside. */
export interface SampleContext {
  readonly terminal: Terminal;
  /** What relative paths on the command line start from. */
  readonly folder: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** @returns the process's exit code; what failed has been reported by then */
export async function runSampleCommand(words: readonly string[], context: SampleContext): Promise<ExitCode> {
  const { terminal } = context;
  try {
    const options = parseOptions(words);
    if (options === 'help') terminal.print(USAGE.split('\n'));
    else await makeSample(options, context);
    return EXIT.ok;
  } catch (thrown) {
    const error = toErrorData(thrown, 'making the sample');
    for (const line of error.code === 'cancelled' ? ['interrupted'] : printFailure(error, terminal.err))
      terminal.say(line);
    if (error.code === 'internal' && thrown instanceof Error) terminal.say(thrown.stack ?? '');
    return exitCodeOf(error.code);
  }
}

async function makeSample(options: SampleOptions, { terminal, folder: from, signal }: SampleContext): Promise<void> {
  const folder = path.resolve(from, options.out);
  const recipe = sampleRecipe(options);
  const report = options.json ? jsonReport(terminal) : humanReport(terminal);
  let unigram = NaN;
  const onEvent = (event: SampleEvent): void => {
    if (event.event === 'corpus') unigram = event.unigramPerplexity;
    report(event);
  };
  terminal.status('writing stories and learning the tokenizer');
  const now = (): number => performance.now() / 1000;
  const begin = now();
  await trainSample(folder, recipe, options.threads, { signal, onEvent, now });
  const seconds = now() - begin;

  const engine = createEngine();
  try {
    const text = path.join(folder, 'test.txt');
    const { threads } = options;
    const settings = { ...DEFAULT_SETTINGS, device: 'cpu', threads, length: recipe.training.length } as const;
    const [dense] = await engine.evaluate({ model: folder, text, evaluations: [], settings }, { signal });
    const { perplexity } = dense!;
    if (options.json) {
      terminal.print(JSON.stringify({ event: 'result', folder, perplexity, unigramPerplexity: unigram, seconds }));
      return;
    }
    terminal.print(
      `perplexity on test.txt: ${formatPerplexity(perplexity)} (single tokens: ${formatPerplexity(unigram)})`,
    );
    terminal.print(`try it: npx espalier evaluate ${path.join(path.relative(from, folder), 'metrics.prune')}`);
  } finally {
    await engine.dispose();
  }
}

function jsonReport(terminal: Terminal): (event: SampleEvent) => void {
  return (event) => {
    terminal.print(JSON.stringify(event));
  };
}

/** A line for every hundredth of the training, and a status line for every step. */
function humanReport(terminal: Terminal): (event: SampleEvent) => void {
  let losses: number[] = [];
  return (event) => {
    switch (event.event) {
      case 'corpus':
        terminal.print(
          `${event.stories} stories, ${event.trainTokens} tokens to train on, ${event.calibrationTokens} to calibrate, ` +
            `${event.testTokens} to test; vocabulary ${event.vocabulary}`,
        );
        break;
      case 'step': {
        losses = [...losses, event.loss].slice(-MEAN_OF);
        const loss = losses.reduce((sum, each) => sum + each, 0) / losses.length;
        const speed = `${(event.tokensPerSecond / 1000).toFixed(1)}k tokens/s`;
        const detail = `step ${event.step} of ${event.steps}, loss ${loss.toFixed(3)}, ${speed}, ${timeLeft(event.secondsLeft)}`;
        const progress = { stage: 'training', done: event.step, total: event.steps, detail } as const;
        terminal.status(progressLine(progress, terminal.statusWidth));
        if (event.step % PRINTED_EVERY === 0 || event.step === event.steps) terminal.print(detail);
        break;
      }
      case 'saved':
        break;
    }
  };
}

const MEAN_OF = 20;
const PRINTED_EVERY = 100;

function timeLeft(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s left` : `${Math.round(seconds / 60)} min left`;
}

/** @throws EspalierError `cli/usage` */
function parseOptions(words: readonly string[]): SampleOptions | 'help' {
  const { out, seed, steps, threads, json, help } = parseWords(words);
  if (help) return 'help';
  return {
    out,
    ...(seed !== undefined && { seed: whole('--seed', seed, 0) }),
    ...(steps !== undefined && { steps: whole('--steps', steps, 1) }),
    threads: whole('--threads', threads, 0),
    json,
  };
}

function parseWords(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        out: { type: 'string', default: 'sample' },
        seed: { type: 'string' },
        steps: { type: 'string' },
        threads: { type: 'string', default: '0' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (thrown) {
    throw usageError('a flag that there is', thrown instanceof Error ? thrown.message : String(thrown), SEE_HELP);
  }
}

function whole(flag: string, text: string, minimum: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value;
  throw usageError(`a whole number, at least ${minimum}, behind ${flag}`, text, SEE_HELP);
}

const SEE_HELP = 'Run it with --help to see what it takes.';
