import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { AgentContext, AgentAccess } from '../../agents/agentTool.ts';
import { inserted } from '../../agents/metricInsertion.ts';
import type { Insertion } from '../../agents/metricInsertion.ts';
import { serveMcp } from '../../agents/mcp/serveMcp.ts';
import { readPruneFile } from '../../agents/workspaceFile.ts';
import { EspalierError } from '../../base/errors.ts';
import { plainLine } from '../../base/plainText.ts';
import type { Engine } from '../../engine/engine.ts';
import type { EvaluationPlan } from '../../experiment/planSchema.ts';
import type { EvaluationResult } from '../../experiment/resultSchema.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import { writeWhole } from '../../files/writeWhole.ts';
import { EXIT } from '../exitCode.ts';
import { located } from '../flags/hubFlags.ts';
import { collect, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';

type Leave = Exclude<AgentAccess, 'read'>;

interface McpOptions {
  readonly workspace?: string;
  readonly allow?: readonly Leave[];
  readonly read?: readonly string[];
}

export function mcpCommand(context: CommandContext): Command {
  const { terminal, signal } = context;
  const command = new Command('mcp')
    .description(
      'answer the Model Context Protocol over standard input and output, so that an agent can read files, runs and results of this folder',
    )
    .option('--workspace <folder>', 'what it may read; this folder by default')
    .addOption(
      new Option(
        '--allow <what>',
        'what it may do beside: evaluate (compute), write (propose metrics into files); may be repeated',
      )
        .choices(['evaluate', 'write'])
        .argParser(leave),
    )
    .option(
      '--read <folder>',
      'with --allow evaluate, where models and texts of its files may lie; may be repeated',
      collect,
    )
    .action(async ({ workspace = '.', allow = [], read = [] }: McpOptions) => {
      const root = await folderOf(resolve(context.folder, workspace));
      const folders = await Promise.all(read.map((folder) => folderOf(resolve(context.folder, folder))));
      const evaluator = new McpEvaluator(context);
      try {
        await serveMcp(
          {
            root,
            folders,
            ...(allow.includes('evaluate') && { evaluate: evaluator.evaluate }),
            ...(allow.includes('write') && {
              write: (file: string, insertion: Insertion) => insert(root, file, insertion),
            }),
          },
          { input: process.stdin, output: process.stdout },
          signal,
          ({ message }) => {
            terminal.say(`not of the protocol: ${plainLine(message)}`);
          },
        );
      } finally {
        await evaluator.dispose();
      }
      context.finish(signal.aborted ? EXIT.interrupted : EXIT.ok);
    });
  return withExamples(command, [
    ['for an agent that may only read', 'espalier mcp --workspace ~/pruning'],
    ['for one that may compute, too', 'espalier mcp --workspace ~/pruning --allow evaluate --read ~/models'],
  ]);
}

/** commander asks the parser and not the choices where there is one. */
function leave(text: string, previous: readonly Leave[] | undefined): readonly Leave[] {
  if (text === 'evaluate' || text === 'write') return [...(previous ?? []), text];
  throw new InvalidArgumentError('Allowed choices are evaluate, write.');
}

/** Evaluates in this process, with an engine that stays: what it has read of a model serves the next call. */
class McpEvaluator {
  private readonly context: CommandContext;
  private engine: Promise<Engine> | undefined;

  constructor(context: CommandContext) {
    this.context = context;
  }

  readonly evaluate = async (
    plan: EvaluationPlan,
    { signal, onProgress }: AgentContext,
  ): Promise<readonly EvaluationResult[]> => {
    this.engine ??= this.context.createEngine();
    const engine = await this.engine;
    // Nobody is there to agree to a download.
    const here = await located(plan, {}, { ...this.context, signal, ask: undefined });
    return engine.evaluate(here, {
      signal,
      onProgress: ({ stage, done, total, detail }) =>
        onProgress?.({ done, total, message: `${stage}${detail === '' ? '' : ` ${detail}`}` }),
    });
  };

  async dispose(): Promise<void> {
    await (await this.engine)?.dispose();
  }
}

/** Looks at the file once more: it is written whole, as it stands now and with what comes in. */
async function insert(root: string, file: string, insertion: Insertion): Promise<void> {
  const { text } = await readPruneFile(root, file);
  try {
    await writeWhole(file, inserted(text, insertion), root);
  } catch (error) {
    throw new EspalierError(
      {
        code: 'io/write',
        operation: 'writing a metric into a file',
        expected: 'a file that can be written to',
        actual: fileProblem(error).message,
        remedy: 'Make it writable and try again.',
      },
      { cause: error },
    );
  }
}

/** @throws EspalierError `io/read` */
async function folderOf(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    throw new EspalierError(
      {
        code: 'io/read',
        operation: `opening ${folder}`,
        expected: 'a folder',
        actual: fileProblem(error).message,
        remedy: 'Check the path.',
      },
      { cause: error },
    );
  }
}
