import { Command } from 'commander';
import type { Engine } from '../../engine/engine.ts';
import { defaultLength, lengthText } from '../../experiment/length.ts';
import { DEFAULT_SETTINGS } from '../../experiment/settings.ts';
import { locate } from '../../language/plan/plannedInputs.ts';
import { DOWNLOAD_FLAG, located, MODEL_HELP } from '../flags/hubFlags.ts';
import type { DownloadOptions } from '../flags/hubFlags.ts';
import { JSON_FLAG, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';

interface TokensOptions extends DownloadOptions {
  readonly model: string;
  readonly text: string;
  readonly ids?: true;
  readonly json?: true;
}

async function tokensOf(engine: Engine, model: string, text: string, { signal }: CommandContext) {
  const { modelLength } = await engine.describe(model);
  return { ids: await engine.tokens(model, text, signal), modelLength };
}

export function tokensCommand(context: CommandContext): Command {
  const command = new Command('tokens')
    .description("how many tokens a checkpoint's tokenizer makes of a text, or which")
    .requiredOption('--model <folder>', MODEL_HELP)
    .requiredOption('--text <file>', 'UTF-8 text, or hf:owner/name/config:split')
    .option(...DOWNLOAD_FLAG)
    .option('--ids', 'the token ids too, in the order of the text')
    .option(...JSON_FLAG)
    .action(async (options: TokensOptions) => {
      const said = { model: locate(context.folder, options.model), text: locate(context.folder, options.text) };
      const { model, text } = await located(said, options, context);
      const engine = await context.createEngine();
      const { ids, modelLength } = await tokensOf(engine, model, text, context).finally(() => engine.dispose());
      const length = defaultLength(modelLength, DEFAULT_SETTINGS.lengthLimit);
      const blocks = Math.floor(ids.length / length);
      if (options.json) {
        const counts = { tokens: ids.length, blocks, length, modelLength };
        context.terminal.print(
          JSON.stringify({ model, text, ...counts, ...(options.ids && { ids: Array.from(ids) }) }),
        );
      } else if (options.ids) {
        context.terminal.print(Array.from(ids, String));
      } else {
        const cut = `${blocks} ${blocks === 1 ? 'block' : 'blocks'} of ${lengthText(length, modelLength)}`;
        context.terminal.print(`${ids.length} tokens: ${cut}`);
      }
      context.finish(EXIT.ok);
    });
  return withExamples(command, [
    ['count', 'espalier tokens --model models/tiny --text wiki.test.raw'],
    ['the first ten ids, one a line', 'espalier tokens --model models/tiny --text wiki.test.raw --ids | head'],
  ]);
}
