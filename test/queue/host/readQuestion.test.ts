import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EspalierError } from '../../../src/base/errors.ts';
import { readQuestion } from '../../../src/queue/host/readQuestion.ts';
import { QUEUE_FORMAT, QUEUED, questionId } from '../../../src/queue/wire.ts';
import type { Question } from '../../../src/queue/wire.ts';
import { samplePlan, sampleSearchPlan } from '../../protocol/samples.ts';
import { failureOf } from '../../support/expectCoded.ts';

const GOOD: Question = {
  ...{ format: QUEUE_FORMAT, name: 'evaluate', params: samplePlan(), digits: null, limit: 1000 },
};
const idOf = (question: unknown): string => questionId(question as Question);

describe('a question of a queue', () => {
  it.each<[string, Question]>([
    ['an evaluation', GOOD],
    ['an opening', { ...GOOD, name: 'open', params: sampleSearchPlan() }],
    ['a probe', { ...GOOD, name: 'probe', params: { expressions: [] }, digits: '0'.repeat(64) }],
  ])('is read: %s', (_, question) => {
    // As it comes back from a server.
    expect(readQuestion(idOf(question), JSON.parse(JSON.stringify(question)))).toEqual(question);
  });

  it.each<[string, unknown, string]>([
    ['nothing', null, 'null instead of an object'],
    ['another request', { ...GOOD, name: 'exportModel' }, 'in name'],
    ['another format', { ...GOOD, format: 2 }, 'in format'],
    ['a limit that is none', { ...GOOD, limit: -1 }, 'in limit'],
    ['one field more', { ...GOOD, more: 1 }, 'more'],
    ['params of another request', { ...GOOD, name: 'measure' }, 'in params'],
    ['a plan without a model', { ...GOOD, params: { ...samplePlan(), model: '' } }, 'in params.model'],
    ['digits that are none', { ...GOOD, digits: 'x' }, 'in digits'],
  ])('is refused: %s', async (_, question, said) => {
    const id = typeof question === 'object' && question ? idOf(question) : 'x';
    const error = await failureOf(() => readQuestion(id, question));
    expect(error.code).toBe('queue/malformed');
    expect(error.data.actual).toContain(said);
  });

  it('is refused under the name of another', async () => {
    const error = await failureOf(() => readQuestion(idOf(GOOD), { ...GOOD, params: samplePlan({ model: 'other' }) }));
    expect(error.data.actual).toContain('under the name of another');
  });

  it('is refused where it nests deeper than the stack', async () => {
    const depth = 200_000;
    const params: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    const error = await failureOf(() => readQuestion('x', { ...GOOD, params: { ...samplePlan(), model: params } }));
    expect(error.code).toBe('queue/malformed');
  });

  it('whatever is there is read or refused, in few words', () => {
    const almost = fc.record(
      {
        format: fc.oneof(fc.constant(QUEUE_FORMAT), fc.jsonValue()),
        name: fc.oneof(fc.constantFrom(...QUEUED), fc.string()),
        params: fc.oneof(fc.constant(samplePlan()), fc.jsonValue()),
        digits: fc.oneof(fc.constant(null), fc.string()),
        limit: fc.oneof(fc.nat(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), almost), fc.string(), (data, id) => {
        try {
          readQuestion(id, data);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(EspalierError);
          expect((thrown as EspalierError).code).toBe('queue/malformed');
          expect((thrown as EspalierError).message.length).toBeLessThan(1000);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
