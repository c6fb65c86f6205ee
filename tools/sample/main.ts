import { createTerminal } from '../../src/cli/terminal.ts';
import { runSampleCommand } from './sampleCommand.ts';

const cancelled = new AbortController();
// Once: a second Ctrl-C ends the process there and then.
process.once('SIGINT', () => {
  cancelled.abort();
});

const terminal = createTerminal(process.stdout, process.stderr, process.env);
void runSampleCommand(process.argv.slice(2), { terminal, folder: process.cwd(), signal: cancelled.signal }).then(
  (code) => {
    terminal.status('');
    process.exitCode = code;
  },
);
