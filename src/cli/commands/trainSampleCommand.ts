import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { formatPerplexity } from '../../experiment/format.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import type { SampleEvent } from '../../sample/trainSample.ts';
import { JSON_FLAG, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';
import { progressLine } from '../reports/progressBar.ts';
import type { Terminal } from '../terminal.ts';

interface TrainSampleOptions {
  readonly out: string;
  readonly seed?: number;
  readonly steps?: number;
  readonly threads: number;
  readonly json?: true;
}

export function trainSampleCommand(context: CommandContext): Command {
  const command = new Command('train-sample')
    .description('write stories and train the sample model on them: what media/sample holds, from its seed')
    .option('--out <folder>', 'where to write; what the sample consists of is overwritten there', 'sample')
    .option('--seed <n>', 'of the stories and of the weights (default: that of the sample that ships)', whole(0))
    .option('--steps <n>', 'updates of the training (default: as many as for the sample that ships)', whole(1))
    .option('--threads <n>', 'CPU threads; 0 takes every core', whole(0), 0)
    .option(...JSON_FLAG)
    .action(async (options: TrainSampleOptions) => {
      await train(options, context);
      context.finish(EXIT.ok);
    });
  return withExamples(command, [
    ['the sample that ships', 'espalier train-sample'],
    ['a worse one, soon', 'espalier train-sample --out quick --steps 200'],
  ]);
}

async function train(options: TrainSampleOptions, context: CommandContext): Promise<void> {
  const { terminal, signal } = context;
  const folder = path.resolve(context.folder, options.out);
  const [{ trainSample }, { sampleRecipe }] = await Promise.all([
    import('../../sample/trainSample.ts'),
    import('../../sample/recipe.ts'),
  ]);
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

  const engine = await context.createEngine();
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
    terminal.print(`try it: espalier evaluate ${path.join(path.relative(context.folder, folder), 'metrics.prune')}`);
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

function whole(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value;
    throw new InvalidArgumentError(`Write a whole number${minimum > 0 ? `, at least ${minimum}` : ''}.`);
  };
}
