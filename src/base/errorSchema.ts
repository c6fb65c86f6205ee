import * as z from 'zod';
import type { Immutable } from './immutable.ts';
import { nameSchema, textSchema } from './scalarSchemas.ts';

/** A failure as plain data: what crosses process boundaries and what `--json` prints. */
export type ErrorData = Immutable<z.infer<typeof errorSchema>>;

export type ErrorCode =
  // checkpoints
  | 'checkpoint/not-found'
  | 'checkpoint/config'
  | 'checkpoint/unsupported-architecture'
  | 'checkpoint/safetensors'
  | 'checkpoint/shard-index'
  | 'checkpoint/tensor'
  | 'checkpoint/tokenizer'
  // corpora
  | 'corpus/not-found'
  | 'corpus/encoding'
  | 'corpus/format'
  | 'corpus/damaged'
  | 'corpus/field'
  | 'corpus/row'
  | 'corpus/too-short'
  // tasks and their documents
  | 'tasks/unknown'
  | 'tasks/not-found'
  | 'tasks/document'
  | 'tasks/unlabelled'
  | 'tasks/empty'
  | 'tasks/examples'
  | 'tasks/template'
  | 'tasks/too-long'
  | 'tasks/too-large'
  // metrics, `.prune` files and settings
  | 'metric/syntax'
  | 'metric/invalid-score'
  | 'metric/json'
  | 'language/errors'
  | 'language/no-such-declaration'
  | 'settings/invalid'
  | 'cli/usage'
  // engine and devices
  | 'evaluation/not-finite'
  | 'evaluation/too-large'
  | 'device/unavailable'
  | 'device/failed'
  | 'engine/invariant'
  | 'recovery/ill-conditioned'
  // export
  | 'export/exists'
  | 'export/mismatch'
  | 'export/format'
  | 'report/nothing'
  // figures
  | 'figure/characters'
  // processes
  | 'worker/exited'
  | 'worker/start-failed'
  | 'worker/gave-up'
  | 'protocol/malformed'
  | 'protocol/unknown-request'
  | 'protocol/version'
  // runs
  | 'runs/not-found'
  | 'runs/format'
  | 'runs/damaged'
  | 'runs/in-use'
  | 'runs/changed'
  | 'runs/diverged'
  // language models
  | 'llm/unreachable'
  | 'llm/refused'
  | 'llm/rate-limited'
  | 'llm/timeout'
  | 'llm/bad-reply'
  | 'llm/no-key'
  | 'llm/not-agreed'
  | 'llm/cap'
  | 'llm/not-recorded'
  // the Hugging Face hub
  | 'hub/reference'
  | 'hub/offline'
  | 'hub/not-agreed'
  | 'hub/not-found'
  | 'hub/gated'
  | 'hub/files'
  | 'hub/unreachable'
  | 'hub/rate-limited'
  | 'hub/bad-reply'
  | 'hub/checksum'
  | 'hub/disk'
  // the server for other programs
  | 'serve/address'
  | 'serve/request'
  | 'serve/token'
  | 'serve/origin'
  | 'serve/not-found'
  | 'serve/method'
  | 'serve/media-type'
  | 'serve/too-large'
  | 'serve/busy'
  // what agents ask for
  | 'agents/input'
  | 'agents/not-allowed'
  | 'agents/outside'
  // queues, and what answers over them
  | 'queue/address'
  | 'queue/unreachable'
  | 'queue/refused'
  | 'queue/class'
  | 'queue/version'
  | 'queue/malformed'
  // the machine
  | 'io/read'
  | 'io/write'
  | 'cancelled'
  | 'internal';

export const errorSchema = z.strictObject({
  /** Codes grow from version to version; an unknown one is shown as it is. */
  code: nameSchema.pipe(z.custom<ErrorCode>()),
  /** What was being done, as a noun phrase or gerund: "reading model.safetensors". */
  operation: textSchema,
  expected: textSchema,
  actual: textSchema,
  /** What the user can do about it, as an imperative sentence. */
  remedy: textSchema,
  /** The file at fault, where there is one. */
  file: textSchema.exactOptional(),
});
