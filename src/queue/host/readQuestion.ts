import { EspalierError } from '../../base/errors.ts';
import { schemaReason } from '../../base/schemaProblem.ts';
import { REQUESTS } from '../../protocol/requests.ts';
import { questionId, questionSchema } from '../wire.ts';
import type { Question } from '../wire.ts';

/**
 * A question as it came from a queue, which anybody may have written.
 *
 * @param id that its job has
 * @throws EspalierError `queue/malformed`
 */
export function readQuestion(id: string, data: unknown): Question {
  try {
    const parsed = questionSchema.safeParse(data);
    if (!parsed.success) throw malformed(schemaReason(parsed.error, data));
    const { name } = parsed.data;
    const params = REQUESTS[name].params.safeParse(parsed.data.params);
    if (!params.success) throw malformed(schemaReason(params.error, parsed.data.params, ['params']));
    // Of what was written, not of what schemas make of it: so it was named.
    if (id !== questionId(parsed.data)) throw malformed('a question under the name of another');
    return { ...parsed.data, params: params.data };
  } catch (thrown) {
    if (thrown instanceof EspalierError) throw thrown;
    // What nests deeper than the stack.
    throw malformed(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** @param actual what was there */
export function malformed(actual: string): EspalierError {
  return new EspalierError({
    code: 'queue/malformed',
    operation: 'reading a question from the queue',
    expected: 'one of this version of Espalier',
    actual,
    remedy: 'Use the same version on all machines, and a queue of your own.',
  });
}
