import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { wholeNumber } from './benchOptions.ts';

/** What a benchmark that takes turns with the peer is asked. */
export interface Comparison {
  readonly rounds: number;
  readonly threads: number;
  readonly json: boolean;
  /** What one measurement in a process of its own is of. */
  readonly child: string | undefined;
}

/** Reads the command line; with `--help`, or what it does not understand, prints the usage and ends the process. */
export function readComparison(usage: string): Comparison {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      child: { type: 'string' },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  return {
    rounds: wholeNumber('rounds', values.rounds, usage),
    threads: wholeNumber('threads', values.threads, usage),
    ...{ json: values.json, child: values.child },
  };
}

/** Runs one, and tells what went wrong. */
export function runComparison(work: Promise<void>): void {
  work.catch((error: unknown) => {
    console.error(error instanceof Error ? (error.stack ?? error.message) : error);
    process.exitCode = 1;
  });
}
