import type { ErrorCode, ErrorData } from '../base/errors.ts';
import { tellError } from './messages.ts';
import { withQueueRemedy } from './queue/queueRemedies.ts';
import { withRelativePaths } from './workspacePaths.ts';

/** What a message offers to do about a failure. */
export type Remedy =
  | 'Evaluate Again'
  | 'Retry'
  | 'Use CPU'
  | 'Show Log'
  | 'Show Problems'
  | 'Open Settings'
  | 'Set Up Language Model'
  | 'Open Queue Setting'
  | 'Set Queue Password'
  | 'Show Queue';

/** What is not here is not offered. */
export type RemedyActions = Readonly<Partial<Record<Remedy, () => unknown>>>;

const BY_CODE: Partial<Record<ErrorCode, readonly Remedy[]>> = {
  'worker/exited': ['Evaluate Again', 'Show Log'],
  'worker/gave-up': ['Retry', 'Use CPU', 'Show Log'],
  'worker/start-failed': ['Retry', 'Show Log'],
  'protocol/version': ['Retry', 'Show Log'],
  'device/unavailable': ['Use CPU', 'Show Log'],
  'device/failed': ['Use CPU', 'Show Log'],
  'evaluation/not-finite': ['Use CPU', 'Show Log'],
  'language/errors': ['Show Problems'],
  'settings/invalid': ['Open Settings'],
  'llm/no-key': ['Set Up Language Model'],
  'queue/address': ['Open Queue Setting', 'Set Queue Password'],
  'queue/unreachable': ['Open Queue Setting', 'Show Log'],
  'queue/refused': ['Set Queue Password', 'Open Queue Setting', 'Show Log'],
  'queue/class': ['Show Queue', 'Show Log'],
  'queue/version': ['Show Queue', 'Show Log'],
};

/** Tells what went wrong and what can be done. Not awaited by anyone: a message may stay open for hours. */
export function showFailure(what: string, failure: ErrorData, actions: RemedyActions): void {
  const error = withQueueRemedy(withRelativePaths(failure));
  const remedies = (BY_CODE[error.code] ?? ['Show Log']).filter((remedy) => remedy in actions);
  void tellError(`${what}: ${reasonOf(error)} ${error.remedy}`, ...remedies).then(
    (chosen) => chosen && actions[chosen]?.(),
  );
}

function reasonOf({ code, file, operation, expected, actual }: ErrorData): string {
  // The last words of a worker can be long; they are in the log.
  const got = firstLine(actual);
  if (code === 'worker/exited') return `the worker ended with ${got}.`;
  if (code === 'worker/gave-up') return `it ended again and again, the last time with ${got}.`;
  const where = file === undefined || operation.includes(file) ? '' : ` (${file})`;
  return `${operation}${where}: expected ${expected}, got ${got}.`;
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.length > 300 ? `${line.slice(0, 299)}…` : line;
}
