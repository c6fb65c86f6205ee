import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Undefined: each part has its own, the fewer the longer it takes. */
  readonly rounds: number | undefined;
  readonly threads: number;
  readonly json: boolean;
  /** Seconds of processor are counted, of all threads. */
  readonly processor: boolean;
  /** Names of parts, or beginnings of names; none: what is done by default. */
  readonly only: readonly string[];
  /** What one measurement in a process of its own is of. */
  readonly child: string | undefined;
}

/** Reads the command line; with `--help`, or what it does not understand, prints the usage and ends the process. */
export function readBenchOptions(usage: string): BenchOptions {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      json: { type: 'boolean', default: false },
      processor: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
      child: { type: 'string' },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const { json, processor, child } = values;
  return {
    rounds: values.rounds === undefined ? undefined : wholeNumber('rounds', values.rounds, usage),
    threads: wholeNumber('threads', values.threads, usage),
    ...{ json, processor, child },
    only: values.only.flatMap((names) => names.split(',')).filter((name) => name !== ''),
  };
}

/** Of a flag; ends the process where it is none. */
export function wholeNumber(flag: string, text: string, usage: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  console.error(`--${flag} takes a whole number from 1\n\n${usage}`);
  process.exit(2);
}
