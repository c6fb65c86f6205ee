import { describe, expect, it } from 'vitest';
import { provenanceLines } from '../../../src/cli/reports/evaluationTable.ts';
import type { EvaluationResult } from '../../../src/experiment/resultSchema.ts';
import { evaluationJson } from '../../../src/cli/reports/jsonLines.ts';
import { resultUnderProtocol, sampleResult } from '../../protocol/samples.ts';

describe('under the table', () => {
  const calibrated = (calibrate: EvaluationResult['calibrate']): EvaluationResult => {
    const result = sampleResult({ calibrate });
    return { ...result, provenance: { ...result.provenance, calibration: '/texts/calib.txt' } };
  };

  it.each([
    [['sequential', 'sequential'], ', sequential)'],
    [['one-shot'], ', one-shot)'],
    [['sequential', 'one-shot'], ', sequential, whole components one-shot)'],
  ] as const)('calibration of metrics and components (%j) is told of each', (kinds, ending) => {
    const line = provenanceLines(kinds.map(calibrated)).find((one) => one.startsWith('calibration'));
    expect(line?.endsWith(ending), line).toBe(true);
  });
});

describe('a number says under which protocol it was computed', () => {
  const LLAMA = { model: 'hf:meta-llama/Llama-2-7b-hf', protocol: 'wanda', deviations: [] };

  it('under the table, with its deviations, rows, samples for gradients, words and bytes', () => {
    const lines = provenanceLines([resultUnderProtocol()]);
    expect(lines).toContain('protocol     pruner-zero, but length 256');
    expect(lines).toContain('text         /data/test.txt  (64 blocks of 256 tokens; rows wikitext)');
    expect(lines).toContain(
      'calibration  /data/valid.txt  (16 samples of 256 tokens from random documents, seed 0, sequential)',
    );
    expect(lines).toContain(
      'gradients    /data/train.txt (1 sample of 2048 tokens at Python’s random offsets, seed 0); join space',
    );
    const word = (perplexity: number) => Math.exp((Math.log(perplexity) * 330_000) / 245_000).toPrecision(4);
    const byte = (perplexity: number) => Math.exp((Math.log(perplexity) * 330_000) / 1_290_000).toPrecision(4);
    expect(lines).toContain(
      `perplexity   by token in the table; dense ${word(143.3045)} by word, ${byte(143.3045)} by byte; wanda at 50% ${word(145.7123)} by word, ${byte(145.7123)} by byte`,
    );
    expect(provenanceLines([sampleResult()]).join('\n')).not.toMatch(/protocol|gradients|by word/);
  });

  it('with names of the hub in the place of paths in its cache', () => {
    const at = (kind: string, file: string) =>
      `/c/${kind}/snapshots/${'0123456789'.repeat(4)}${file === '' ? '' : `/${file}`}`;
    const lines = provenanceLines([
      resultUnderProtocol({
        model: at('models--o--m', ''),
        ...{ text: at('datasets--o--d', 'a.txt'), calibration: at('datasets--o--d', 'b.txt') },
        gradients: at('datasets--o--d', 'c.txt'),
      }),
    ]).join('\n');
    expect(lines).not.toContain('snapshots');
    expect(lines).toContain('gradients    hf:o/d/c.txt@012345678901 (1 sample');
  });

  it('and what papers published', () => {
    const lines = provenanceLines([resultUnderProtocol(LLAMA)]);
    expect(lines).toContain('published    wanda at 50% 6.42  (Wanda, README, LLaMA-2 results)');
    expect(provenanceLines([resultUnderProtocol()]).join('\n')).not.toContain('published');
  });

  it('in JSON', () => {
    const parse = (result: EvaluationResult) => JSON.parse(evaluationJson(result)) as Record<string, unknown>;
    const told = parse(resultUnderProtocol());
    expect(told).toMatchObject({ protocol: 'pruner-zero', deviations: ['length 256'] });
    expect(told['wordPerplexity']).toBeCloseTo(Math.exp((Math.log(145.7123) * 330_000) / 245_000), 9);
    expect(told['bytePerplexity']).toBeCloseTo(Math.exp((Math.log(145.7123) * 330_000) / 1_290_000), 9);
    expect(told).not.toHaveProperty('published');
    expect(parse(resultUnderProtocol(LLAMA))).toMatchObject({
      deviations: [],
      published: { perplexity: 6.42, source: 'Wanda, README, LLaMA-2 results' },
    });
    expect(
      Object.keys(parse(sampleResult())).filter((key) => /protocol|deviations|word|byte|published/.test(key)),
    ).toEqual([]);
  });
});
