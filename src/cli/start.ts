import { fileURLToPath } from 'node:url';
import { runCompiled } from '../files/runCompiled.ts';
import { cacheFolder } from './cacheFolder.ts';

// Entry point of dist/cli.cjs. All that it does is to start the command line fast. A command uses but its part of the program.

const [, , command = ''] = process.argv;
runCompiled(
  fileURLToPath(new URL('cliProgram.cjs', import.meta.url)),
  /^[a-z]{1,16}$/.test(command) ? command : 'cli',
  cacheFolder(process.env),
);
