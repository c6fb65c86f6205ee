import { ResponseError } from 'vscode-jsonrpc';
import type * as z from 'zod';
import { schemaProblem } from '../base/schemaProblem.ts';
import { EspalierError, toErrorData } from '../base/errors.ts';
import type { ErrorData } from '../base/errors.ts';
import { errorSchema } from '../base/errorSchema.ts';

/** JSON-RPC wants a number beside the data; ours is always this one, and the code that counts is in the data. */
const FAILURE = -32_000;

/** A failure as the reply that carries it. */
export function toResponseError(thrown: unknown, operation: string): ResponseError<ErrorData> {
  const data = toErrorData(thrown, operation);
  return new ResponseError(FAILURE, `${data.code}: ${data.actual}`, data);
}

/** The other way round: what a request was rejected with, as the error that the worker threw. */
export function fromResponseError(thrown: unknown, operation: string): EspalierError {
  if (thrown instanceof EspalierError) return thrown;
  const parsed = thrown instanceof ResponseError ? errorSchema.safeParse(thrown.data) : undefined;
  return new EspalierError(parsed?.success ? parsed.data : toErrorData(thrown, operation), { cause: thrown });
}

export function malformedError(operation: string, expected: string, actual: string): EspalierError {
  return new EspalierError({
    code: 'protocol/malformed',
    operation,
    expected,
    actual,
    remedy: 'Editor and worker disagree: run “Espalier: Restart Worker”, and report it if it happens again.',
  });
}

/** Checks a message against its schema. Throws `protocol/malformed` that names the first field at fault. */
export function parseMessage<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  operation: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { where, expected, actual } = schemaProblem(parsed.error, value);
  throw malformedError(operation, where === '' ? expected : `${where} to be ${expected}`, actual);
}
