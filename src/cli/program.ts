import { Command, CommanderError } from 'commander';
import { toErrorData } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import type { ErrorData } from '../base/errors.ts';
import type { CommandContext } from './commands/commandContext.ts';
import { printDiagnostic } from './reports/diagnostics.ts';
import { devicesCommand } from './commands/devicesCommand.ts';
import { evaluateCommand } from './commands/evaluateCommand.ts';
import { evolveCommand } from './commands/evolveCommand.ts';
import { generateCommand } from './commands/generateCommand.ts';
import { hubCommand } from './commands/hubCommand.ts';
import { EXIT, exitCodeOf } from './exitCode.ts';
import type { ExitCode } from './exitCode.ts';
import { printFailure } from './reports/failure.ts';
import { errorJson } from './reports/jsonLines.ts';
import { DiagnosticsError } from './flags/pruneFile.ts';
import { exportCommand } from './commands/exportCommand.ts';
import { mcpCommand } from './commands/mcpCommand.ts';
import { queueCommand } from './commands/queueCommand.ts';
import { recoverCommand } from './commands/recoverCommand.ts';
import { reportCommand } from './commands/reportCommand.ts';
import { runsCommand } from './commands/runsCommand.ts';
import { searchCommand } from './commands/searchCommand.ts';
import { sensitivityCommand } from './commands/sensitivityCommand.ts';
import { serveCommand } from './commands/serveCommand.ts';
import { speedCommand } from './commands/speedCommand.ts';
import { tokensCommand } from './commands/tokensCommand.ts';
import { treeCommand } from './commands/treeCommand.ts';
import { workerCommand } from './commands/workerCommand.ts';

const EXIT_CODES_HELP = `
Exit codes:
  0    all of it was done
  1    it began and failed: invalid score, perplexity that is not finite, broken device, full disk
  2    it did not begin: a flag, a file, a checkpoint, a text, a run or a device choice is not as it must be
  129, 130, 131, 143
       stopped by SIGHUP (the terminal was closed), Ctrl-C, SIGQUIT or SIGTERM: a search or recovery is paused then,
       everything else is cancelled; a second signal stops at once
  141  whoever read the output has gone

Colour is left out where standard output is no terminal or NO_COLOR is set.`;

/**
 * Runs one command line.
 * @param words what stands behind the program's name
 * @returns the process's exit code; everything that failed has been reported by then
 */
export async function runCommandLine(
  words: readonly string[],
  outside: Omit<CommandContext, 'finish'>,
): Promise<ExitCode> {
  const { terminal } = outside;
  // A command line that cannot be parsed has no options yet, but the one who reads JSON wants JSON then too.
  const json = words.includes('--json');
  let exitCode: ExitCode = EXIT.ok;
  const program = createProgram({ ...outside, finish: (code) => (exitCode = code) }, json);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.exitCode === 0) return EXIT.ok;
      if (json) terminal.print(errorJson(usageErrorOf(thrown)));
      return EXIT.input;
    }
    const error = toErrorData(thrown, `running espalier ${words[0] ?? ''}`.trim());
    if (json) {
      terminal.print(
        errorJson(thrown instanceof DiagnosticsError ? { ...error, diagnostics: thrown.diagnostics } : error),
      );
    } else {
      if (thrown instanceof DiagnosticsError) {
        for (const diagnostic of thrown.diagnostics)
          terminal.say(printDiagnostic(diagnostic, thrown.text, terminal.err));
      }
      for (const line of error.code === 'cancelled' ? ['interrupted'] : printFailure(error, terminal.err))
        terminal.say(line);
      if (error.code === 'internal' && thrown instanceof Error) terminal.say(thrown.stack ?? '');
    }
    return exitCodeOf(error.code);
  }
}

function createProgram(context: CommandContext, json: boolean): Command {
  const { terminal } = context;
  const program = new Command('espalier')
    .description("what a symbolic pruning metric does to a language model's perplexity")
    .version(VERSION)
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError('Run it with --help to see what it takes.')
    .configureOutput({
      writeOut: (text) => {
        terminal.print(text.replace(/\n$/, '').split('\n'));
      },
      writeErr: (text) => {
        if (!json) for (const line of text.replace(/\n$/, '').split('\n')) terminal.say(line);
      },
    })
    .addHelpText('after', EXIT_CODES_HELP);
  for (const create of [
    evaluateCommand,
    sensitivityCommand,
    evolveCommand,
    searchCommand,
    recoverCommand,
    runsCommand,
    reportCommand,
    exportCommand,
    speedCommand,
    generateCommand,
    serveCommand,
    mcpCommand,
    treeCommand,
    tokensCommand,
    workerCommand,
    queueCommand,
    hubCommand,
    devicesCommand,
  ]) {
    const command = create(context).copyInheritedSettings(program);
    for (const below of command.commands) below.copyInheritedSettings(command);
    program.addCommand(command);
  }
  return program;
}

function usageErrorOf(error: CommanderError): ErrorData {
  return {
    code: 'cli/usage',
    operation: 'reading the command line',
    expected: 'a command with its flags',
    actual: error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '),
    remedy: 'Run it with --help to see what it takes.',
  };
}
