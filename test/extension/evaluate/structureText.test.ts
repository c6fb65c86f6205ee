import { describe, expect, it } from 'vitest';
import type { PerplexityResult } from '../../../src/experiment/resultSchema.ts';
import { speedWords } from '../../../src/experiment/speedTable.ts';
import type { SpeedMeasurement } from '../../../src/experiment/speedTable.ts';
import type { BlockReport } from '../../../src/experiment/structureSchema.ts';
import { annotate } from '../../../src/extension/evaluate/annotations.ts';
import type { Freshness } from '../../../src/extension/evaluate/annotations.ts';
import {
  experimentLine,
  provenanceHover,
  resultLine,
  resultsLine,
} from '../../../src/extension/evaluate/resultText.ts';
import { removedText, structureTable } from '../../../src/extension/evaluate/structureText.ts';
import { createRecord, recordKey } from '../../../src/runs/evaluationRecord.ts';
import { samplePlan, sampleResult } from '../../protocol/samples.ts';

const SHARE = { kind: 'unstructured', share: 0.3 } as const;

const block = (rate: number, groups: number, channels: number): BlockReport => ({
  ...{ rate, removed: rate, groups: { kept: groups, of: 4 }, channels: { kept: channels, of: 688 } },
  ...{ groupBits: 'f', channelBits: 'f' },
});
const gone: BlockReport = {
  ...{ removed: 1, groups: { kept: 0, of: 4 }, channels: { kept: 0, of: 688 } },
  ...{ groupBits: '0', channelBits: '0', dropped: true },
};
const mixing = (kept: number): BlockReport => ({
  ...{ rate: 0.3, removed: 0.28, groups: { kept: 4, of: 4 }, channels: { kept: 0, of: 0 } },
  ...{ groupBits: 'f', channelBits: '', experts: { kept, of: 8 }, expertBits: 'ff' },
});
const whole: BlockReport = { ...block(0, 4, 688), removed: 0 };

function structural(changes: Partial<PerplexityResult> = {}, blocks = [block(0.2, 3, 520), block(0.4, 2, 460)]) {
  const parameters = { dense: 6_450_000, pruned: 5_080_000 };
  return sampleResult({
    ...{ metric: 'wanda-sp', expression: 'wanda-sp', sparsity: SHARE, perplexity: 120.3, densePerplexity: 100.8 },
    ...{ actualSparsity: 0.2996, calibrate: 'one-shot' },
    structure: { method: 'wanda-sp', allocation: 'uniform', blocks, parameters },
    ...changes,
  });
}
const owl = structural({
  metric: 'wanda-sp (owl)',
  perplexity: 118.2,
  structure: { ...structural().structure!, allocation: 'owl' },
});
const dropped = structural({ metric: 'shortgpt', actualSparsity: 0.333 }, [gone, whole, whole]);

describe('a structural result', () => {
  it.each([
    ['of heads and channels', structural(), '30 % of heads and channels'],
    ['of blocks', dropped, '1 of 3 blocks (33.3 %)'],
    ['of both', structural({}, [gone, block(0.1, 4, 600)]), '30 % of heads and channels, 1 of 2 blocks among them'],
    ['of experts', structural({}, [whole, mixing(6)]), '30 % of the experts'],
    ['of single weights', sampleResult({ sparsity: SHARE }), '30 %'],
  ])('%s says what went', (_, result, words) => {
    expect(removedText(result)).toBe(words);
  });

  it('of a mixture says how many experts each block keeps', () => {
    const table = structureTable(structural({}, [whole, mixing(6), gone]).structure!);
    expect(table.replaceAll('&emsp;', '').split('\n').slice(0, 5)).toEqual([
      '| block | asked | went | experts kept |',
      '|---|---|---|---|',
      '| 1 | 0 % | 0 % | – |',
      '| 2 | 30 % | 28 % | 6 of 8 |',
      '| 3 |  | all of it | – |',
    ]);
  });

  it('stands beside its line', () => {
    expect(resultLine(structural())).toBe('ppl 120.3  (dense 100.8, +19 %) · 30 % of heads and channels · 2.1 s · cpu');
    expect(resultsLine([structural(), dropped])).toContain('120.3 (+19 %) at 30 % of heads and channels, ');
  });

  it('is never put between single weights', () => {
    const weights = sampleResult({ metric: 'mine', sparsity: SHARE, densePerplexity: 100.8, perplexity: 101.9 });
    expect(experimentLine([structural(), owl, weights])).toBe(
      '30 % of heads and channels: wanda-sp (owl) 118.2, wanda-sp 120.3 · 30 %: mine 101.9 · dense 100.8 · cpu',
    );
  });

  it('has a table of its blocks in its hover', () => {
    const record = createRecord(samplePlan(), structural(), { root: '/', document: '/m.prune', savedAt: new Date(0) });
    const hover = provenanceHover([record]);
    expect(hover).toContain('30 % of heads and channels (30 % of the blocks’ weights went), one-shot calibration');
    expect(hover).toContain('| 2&emsp; | 40 %&emsp; | 40 %&emsp; | 2 of 4&emsp; | 460 of 688 |');
    expect(hover).toContain('**5.08M** of 6.45M parameters are left (78.8 %).');
    const both = provenanceHover([structural(), { ...owl, metric: 'a|b' }].map((result) => ({ ...record, result })));
    expect(both).toContain('| block&emsp; | wanda-sp, 30 %&emsp; | a\\|b, 30 % |');
    expect(both).toContain('| 2&emsp; | 2 of 4, 460 of 688&emsp; | 2 of 4, 460 of 688 |');
    expect(structureTable(dropped.structure!)).toContain('| 1&emsp; | &emsp; | all of it&emsp; | –&emsp; | – |');
  });

  it('has its size and speed there once they were measured, and offers to measure what is smaller', () => {
    const record = (result: PerplexityResult) =>
      createRecord(samplePlan(), result, { root: '/', document: '/m.prune', savedAt: new Date(0) });
    const dense = { name: 'dense', parameters: 6_450_000, bytes: 25_800_000, memory: 61e6, tokensPerSecond: 4210.4 };
    const pruned = { name: 'pruned', parameters: 5_080_000, bytes: 20_320_000, memory: null, tokensPerSecond: 5630 };
    const measurement: SpeedMeasurement = {
      ...{ state: 'done', share: 1, detail: 'medians of 7 rounds.' },
      rows: [
        { ...dense, speedUp: 1, decodePerSecond: 310, decodeSpeedUp: 1 },
        { ...pruned, speedUp: 1.349, decodePerSecond: 396, decodeSpeedUp: 1.28 },
      ],
    };
    const shown = (result: PerplexityResult, speed?: SpeedMeasurement) => {
      const kept = record(result);
      const planned = [{ key: recordKey(kept), metric: result.metric }];
      const declaration = { kind: 'experiment', name: 'heads', line: 0, planned } as const;
      const input = { declarations: [declaration], records: [kept], freshness: (): Freshness => 'same' };
      return annotate({ ...input, speedOf: () => speed })[0]!;
    };
    const { hover, isSmaller, exports } = shown(structural(), measurement);
    expect([isSmaller, exports]).toEqual([true, 'heads']);
    expect(hover).toContain('**wanda-sp, 30 %**: medians of 7 rounds.');
    expect(hover).toContain('| dense&emsp; | 6.45M&emsp; | 26 MB&emsp; | 61 MB&emsp; | 4210&emsp; | 310 |');
    expect(hover).toContain(
      '| pruned&emsp; | 5.08M (78.8 %)&emsp; | 20 MB (78.8 %)&emsp; | –&emsp; | 5630 (1.35 ×)&emsp; | 396 (1.28 ×) |',
    );
    expect(speedWords(measurement)).toBe(
      'parameters 5.08M (78.8 %), on disk 20 MB (78.8 %), memory –, tokens/s 5630 (1.35 ×), decode/s 396 (1.28 ×)',
    );
    expect(shown(structural()).hover).not.toContain('tokens/s');
    expect(shown(sampleResult({ sparsity: SHARE })).isSmaller).toBe(false);
  });
});
