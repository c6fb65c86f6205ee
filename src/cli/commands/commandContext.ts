import type { Command } from 'commander';
import type { Engine } from '../../engine/engine.ts';
import type { NumberedDevice } from '../../experiment/numberedDevice.ts';
import type { DeviceReport } from '../../experiment/resultSchema.ts';
import { EspalierError } from '../../base/errors.ts';
import type { WorkerProcess } from '../../protocol/workerProcess.ts';
import type { ExitCode } from '../exitCode.ts';
import type { LlmKeys } from '../flags/llmKeys.ts';
import type { Environment, Terminal } from '../terminal.ts';

/** What a command gets from outside. The engine is loaded when it is first asked for: `--help` needs no native library. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** What relative paths on the command line start from. */
  readonly folder: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  createEngine(): Promise<Engine>;
  /** Starts one of the processes that a search is spread over. @param device of several that it has */
  forkWorker(device?: NumberedDevice): WorkerProcess;
  /** Keys of language models. */
  readonly keys: LlmKeys;
  /** Asks the person a question that is answered with yes or no; undefined where nobody is there. */
  readonly ask?: ((question: string) => Promise<boolean>) | undefined;
  /** All of standard input; undefined where a person would have to type it. */
  readonly readInput?: ((signal: AbortSignal) => Promise<string | undefined>) | undefined;
  /** Environment variables of the Hugging Face hub (its address, its cache, its token) and of queues. */
  readonly variables?: Environment;
  /** Folder of the prompts for language models that Espalier comes with. */
  readonly shippedPrompts: string;
  listDevices(): Promise<readonly DeviceReport[]>;
  /** Called by the one command that runs, with what it came to. */
  finish(code: ExitCode): void;
}

/** Spelled the same in every command that has it. */
export const JSON_FLAG = ['--json', 'print one JSON object a line, errors too (as {"error": {…}})'] as const;

/** commander's `--flag <value>` that may be repeated. */
export function collect(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text];
}

export function usageError(expected: string, actual: string, remedy: string): EspalierError {
  return new EspalierError({ code: 'cli/usage', operation: 'reading the command line', expected, actual, remedy });
}

/** Help shows examples after the flags. */
export function withExamples(command: Command, examples: readonly (readonly [what: string, line: string])[]): Command {
  const lines = examples.map(([what, line]) => `  # ${what}\n  ${line}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}
