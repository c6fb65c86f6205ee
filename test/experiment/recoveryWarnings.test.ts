import { expect, it } from 'vitest';
import { DEFAULT_RECOVERY_SETTINGS } from '../../src/experiment/recovery.ts';
import type { RecoveryReport } from '../../src/experiment/recoverySchema.ts';
import { recoveryLine } from '../../src/experiment/recoveryWords.ts';
import { resultSchema } from '../../src/experiment/resultSchema.ts';
import { warningsOf } from '../../src/experiment/resultWarnings.ts';
import { sampleResult } from '../protocol/samples.ts';

const REPORT: RecoveryReport = {
  recovery: { method: 'lora', ...DEFAULT_RECOVERY_SETTINGS },
  ...{ trainable: 412_000, sequences: 60, steps: 120, kept: 100, reason: 'steps', detail: 'all 120 steps are done' },
  ...{ heldOut: { dense: 54.8, before: 72.4, after: 58.3 }, before: 151 },
};

it.each<readonly [what: string, perplexity: number, report: Partial<RecoveryReport>, said: readonly RegExp[]]>([
  ['better', 123.9, {}, []],
  ['as it was on this text', 151, {}, []],
  [
    'worse on this text',
    160.2,
    {},
    [
      /^the recovery made this text worse, 151.0 before and 160.2 after, though the held-out text went from 72.4\d* to 58.3/,
    ],
  ],
  ['nothing kept', 151, { kept: 0 }, [/^nothing was recovered: .*; train longer/]],
  [
    'run away',
    151,
    { kept: 0, reason: 'diverged', detail: 'the loss rose' },
    [/^training was stopped, because the loss rose; lower the learning rate/, /model before$/],
  ],
  ['run away after something was found', 123.9, { reason: 'not-finite' }, [/lower the learning rate/]],
])('a recovery that came to %s', (_, perplexity, report, said) => {
  const result = sampleResult({ perplexity, recovery: { ...REPORT, ...report } });
  const warnings = warningsOf(result).filter((each) => /train|recover/.test(each));
  expect(warnings.length).toBe(said.length);
  for (const [index, each] of said.entries()) expect(warnings[index]).toMatch(each);
  expect(resultSchema.parse(result)).toEqual(result);
});

it('is a line', () => {
  expect(recoveryLine(REPORT)).toMatch(
    /^151.* before it, held out 72.4.* → 58.3.* \(dense 54.8.*\), kept after 100 of 120 steps, .* numbers on 60 sequences$/,
  );
});
