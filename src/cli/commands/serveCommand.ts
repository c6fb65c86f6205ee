import { Command, InvalidArgumentError } from 'commander';
import { once } from 'node:events';
import { engineServed } from '../../server/engineServed.ts';
import { requireFree } from '../../server/listen.ts';
import { startServer } from '../../server/startServer.ts';
import type { RunningServer } from '../../server/startServer.ts';
import { EXIT } from '../exitCode.ts';
import { addRunFlags } from '../flags/onePlan.ts';
import type { OnePlanOptions } from '../flags/onePlan.ts';
import { addSelectionFlags } from '../flags/selection.ts';
import { servedPlan } from '../flags/servedPlan.ts';
import { progressLine } from '../reports/progressBar.ts';
import { JSON_FLAG, usageError, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';

interface ServeOptions extends OnePlanOptions {
  readonly port: number;
  readonly host: string;
  readonly token?: string;
  readonly plainPrompts?: true;
  readonly json?: true;
}

const LOOPBACK = '127.0.0.1';
/** As other servers of this protocol have it. */
const PORT = 8000;
const TOKEN = 'ESPALIER_SERVE_TOKEN';

export function serveCommand(context: CommandContext): Command {
  const { terminal, signal } = context;
  const command = new Command('serve')
    .description(
      'answer OpenAI’s completions protocol by a checkpoint, or by what pruning makes of it, for other programs on this machine',
    )
    .argument('[model]', 'checkpoint folder, hf:OWNER/NAME, or a .prune file; flags say what is pruned, if anything')
    .option('--port <number>', 'port to listen on; 0 takes any that is free, and says which', parsePort, PORT)
    .option('--host <address>', 'address to listen on; another than of this machine alone lets others ask', LOOPBACK)
    .option(
      '--token <token>',
      `what clients must give as their API key; or in ${TOKEN}, where other users cannot read it`,
    )
    .option(
      '--plain-prompts',
      'text prompts become tokens without those that the tokenizer puts before a text, as lm-evaluation-harness counts them',
    );
  addSelectionFlags(addRunFlags(command))
    .option(...JSON_FLAG)
    .action(async (given: string | undefined, options: ServeOptions) => {
      const token = tokenOf(options, context);
      const { host, port } = options;
      await requireFree({ host, port });
      const { plan, names } = await servedPlan(given, options, context);
      const engine = await context.createEngine();
      try {
        const model = await engine.openServed(plan, {
          signal,
          onProgress: (progress) => {
            terminal.status(progressLine(progress, terminal.statusWidth));
          },
        });
        terminal.status('');
        if (model.streams) terminal.say(`warning: ${STREAMS_WARNING}`);
        const served = engineServed(engine, model, names);
        const server = await startServer(served, {
          host,
          port,
          token,
          special: options.plainPrompts !== true,
          onChange: (requests, answered) => {
            terminal.status(`${answered} answered, ${requests} open; Ctrl-C ends`);
          },
        });
        try {
          if (!server.isLoopback && token === undefined) terminal.say(`warning: ${OPEN_WARNING}`);
          terminal.print(options.json ? started(server, names) : lines(server, names, served.length));
          if (!signal.aborted) await once(signal, 'abort');
        } finally {
          await server.close();
        }
      } finally {
        await engine.dispose();
      }
      terminal.status('');
      context.finish(EXIT.interrupted);
    });
  return withExamples(command, [
    ['a checkpoint', 'espalier serve models/tiny'],
    [
      'what a metric makes of it, never exported',
      'espalier serve models/tiny --expression "W * sqrt(X)" --sparsity 50% --calibration wiki.valid.txt --port 8080',
    ],
  ]);
}

const OPEN_WARNING = `whoever gets to this address may ask, and no token is required: say --token, or set ${TOKEN}`;

const STREAMS_WARNING =
  'the weights have no room in memory; each pass, and each token that is generated, reads them from the disk';

function started({ url, port }: RunningServer, names: readonly string[]): string {
  return JSON.stringify({ url: `${url}/v1`, port, model: names[0] });
}

function lines({ url }: RunningServer, [name]: readonly string[], length: number): readonly string[] {
  return [`serving ${name}, up to ${length} tokens`, `  ${url}/v1`, '  Ctrl-C ends it'];
}

/** @throws EspalierError `cli/usage` for one that no header can carry */
function tokenOf({ token }: ServeOptions, { variables = {} }: CommandContext): string | undefined {
  const asked = token ?? variables[TOKEN];
  if (asked === undefined || /^[\x21-\x7e]{1,1024}$/.test(asked)) return asked;
  const expected = 'a token of 1 to 1024 printable characters without spaces';
  throw usageError(expected, asked === '' ? 'an empty one' : 'another', 'Choose another token, or leave it out.');
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port <= 65_535) return port;
  throw new InvalidArgumentError('It takes a number from 0 to 65535.');
}
