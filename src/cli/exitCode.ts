import type { ErrorCode } from '../base/errors.ts';

/** What the process says to the shell. Documented in `--help` and docs/command-line.md. */
export const EXIT = {
  ok: 0,
  /** It began and failed: invalid score, perplexity that is not finite, broken device, full disk, defect of ours. */
  failed: 1,
  /** It did not begin: a flag, a `.prune` file, a checkpoint, a text, a run or a device choice is not as it must be. */
  input: 2,
  /** 128 + SIGHUP, as shells have it: the terminal was closed. */
  hungUp: 129,
  /** 128 + SIGINT. */
  interrupted: 130,
  /** 128 + SIGQUIT. */
  quit: 131,
  /** 128 + SIGPIPE: whoever read our output has gone. */
  pipe: 141,
  /** 128 + SIGTERM. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export function exitCodeOf(code: ErrorCode): ExitCode {
  return EXIT[OUTCOMES[code]];
}

const OUTCOMES: Readonly<Record<ErrorCode, 'failed' | 'input' | 'interrupted'>> = {
  'checkpoint/not-found': 'input',
  'checkpoint/config': 'input',
  'checkpoint/unsupported-architecture': 'input',
  'checkpoint/safetensors': 'input',
  'checkpoint/shard-index': 'input',
  'checkpoint/tensor': 'input',
  'checkpoint/tokenizer': 'input',
  'corpus/not-found': 'input',
  'corpus/encoding': 'input',
  'corpus/format': 'input',
  'corpus/damaged': 'input',
  'corpus/field': 'input',
  'corpus/row': 'input',
  'corpus/too-short': 'input',
  'tasks/unknown': 'input',
  'tasks/not-found': 'input',
  'tasks/document': 'input',
  'tasks/unlabelled': 'input',
  'tasks/empty': 'input',
  'tasks/examples': 'input',
  'tasks/template': 'input',
  'tasks/too-long': 'input',
  'tasks/too-large': 'input',
  'metric/syntax': 'input',
  'metric/invalid-score': 'failed',
  'metric/json': 'input',
  'language/errors': 'input',
  'language/no-such-declaration': 'input',
  'settings/invalid': 'input',
  'cli/usage': 'input',
  'evaluation/not-finite': 'failed',
  'evaluation/too-large': 'input',
  'device/unavailable': 'input',
  'device/failed': 'failed',
  'engine/invariant': 'failed',
  'recovery/ill-conditioned': 'failed',
  'export/exists': 'input',
  'export/mismatch': 'failed',
  'worker/exited': 'failed',
  'worker/start-failed': 'failed',
  'worker/gave-up': 'failed',
  'protocol/malformed': 'failed',
  'protocol/unknown-request': 'failed',
  'protocol/version': 'failed',
  'runs/not-found': 'input',
  'runs/format': 'input',
  'runs/damaged': 'input',
  'runs/in-use': 'input',
  'runs/changed': 'input',
  'runs/diverged': 'failed',
  'llm/unreachable': 'failed',
  'llm/refused': 'failed',
  'llm/rate-limited': 'failed',
  'llm/timeout': 'failed',
  'llm/bad-reply': 'failed',
  'llm/no-key': 'input',
  'llm/not-agreed': 'input',
  'llm/cap': 'failed',
  'llm/not-recorded': 'failed',
  'hub/reference': 'input',
  'hub/offline': 'input',
  'hub/not-agreed': 'input',
  'hub/not-found': 'input',
  'hub/gated': 'input',
  'hub/files': 'input',
  'hub/unreachable': 'failed',
  'hub/rate-limited': 'failed',
  'hub/bad-reply': 'failed',
  'hub/checksum': 'failed',
  'hub/disk': 'failed',
  'io/read': 'input',
  'io/write': 'failed',
  cancelled: 'interrupted',
  internal: 'failed',
};
