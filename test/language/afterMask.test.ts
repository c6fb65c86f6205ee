import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { needsCalibration, scoreText } from '../../src/experiment/planned.ts';
import { planSchema } from '../../src/experiment/planSchema.ts';
import { compile } from '../../src/language/check/compile.ts';
import { plansFor } from '../../src/language/plan/plan.ts';
import { searchPlansFor } from '../../src/language/plan/searchPlan.ts';
import { complete } from '../../src/language/server/completion.ts';
import { hover } from '../../src/language/server/navigation.ts';
import { searchPlanSchema } from '../../src/search/schema.ts';
import { formatted } from '../support/formatted.ts';
import { cursor } from './marked.ts';

const FOLDER = resolve('/project');
const PROMPTS = { initialise: 'i', mutate: 'm', cross: 'c', propose: 'p', again: 'a' };
const HEAD =
  'model tiny = "m"\ncorpus test = "t"\ncorpus calib = "c"\nmetric mine = W * X\ndefaults { model: tiny evaluate: test calibrate: calib }\n';

const SPARSEGPT = { method: 'sparsegpt', damping: 0.01, columns: 128 };
const ADMM = { method: 'admm', iterations: 20, damping: 0.1 };
const RECONSTRUCT = { method: 'reconstruct', damping: 0.01 };

describe('what follows a mask is planned', () => {
  it.each<[string, string, object]>([
    ['mine', 'W * X', {}],
    ['mine then admm', 'W * X then admm', { update: ADMM }],
    ['mine then admm (iterations: 3)', 'W * X then admm (iterations: 3)', { update: { ...ADMM, iterations: 3 } }],
    ['W (group: layer) then sparsegpt', 'W, group layer then sparsegpt', { update: SPARSEGPT, group: 'layer' }],
    ['mine + W then sparsegpt', 'W * X + W then sparsegpt', { update: SPARSEGPT }],
    ['sparsegpt', 'sparsegpt', { update: SPARSEGPT }],
    ['sparsegpt (columns: 64)', 'sparsegpt (columns: 64)', { update: { ...SPARSEGPT, columns: 64 } }],
    ['weights(sparsegpt, owl)', 'sparsegpt, owl (5, 0.08)', { update: SPARSEGPT }],
    ['weights(mine, owl) then admm', 'W * X, owl (5, 0.08) then admm', { update: ADMM }],
    ['structure(wanda-sp) then reconstruct', 'wanda-sp then reconstruct', { update: RECONSTRUCT }],
    ['structure(mine, owl) then reconstruct', 'components by W * X, owl (5, 0.08) then reconstruct', {}],
  ])('%s', (said, text, about) => {
    const document = compile(`${HEAD}experiment e { prune: ${said} at: 50% }`);
    expect(document.diagnostics).toEqual([]);
    const [plan] = plansFor(document, 'e', { folder: FOLDER });
    expect(planSchema.parse(plan)).toEqual(plan);
    const [evaluation] = plan!.evaluations;
    expect(evaluation).toMatchObject(about);
    expect(scoreText(evaluation!)).toBe(text);
    expect(needsCalibration(evaluation!)).toBe(true);
  });

  it('two that differ in it alone are two, and an update needs calibration', () => {
    const text = 'experiment e { prune: W, W then admm, W then admm (damping: 0.2), W then admm at: 50% }';
    const document = compile(`${HEAD}${text}`);
    expect(document.diagnostics.map(({ code }) => code)).toEqual(['experiment/repeated']);
    const [plan] = plansFor(document, 'e', { folder: FOLDER });
    expect(plan!.evaluations.map(needsCalibration)).toEqual([false, true, true]);
    expect(plan!.evaluations.map(({ metric }) => metric)).toEqual(['W', 'W then admm', 'W then admm (damping: 0.2)']);
  });

  it('a metric that the file calls so goes before SparseGPT’s own mask', () => {
    const document = compile(`${HEAD}metric sparsegpt = W\nexperiment e { prune: sparsegpt at: 50% }`);
    const [evaluation] = plansFor(document, 'e', { folder: FOLDER })[0]!.evaluations;
    expect(evaluation).toMatchObject({ expression: { kind: 'operand', name: 'W' } });
    expect(evaluation).not.toHaveProperty('update');
  });

  it('a plan without a metric and without SparseGPT’s update is none', () => {
    const document = compile(`${HEAD}experiment e { prune: sparsegpt at: 50% }`);
    const [plan] = plansFor(document, 'e', { folder: FOLDER });
    const evaluations = [{ ...plan!.evaluations[0]!, update: ADMM }];
    expect(planSchema.safeParse({ ...plan, evaluations }).success).toBe(false);
  });
});

describe('what is trained is planned', () => {
  it('of all that is pruned with, on its text', () => {
    const text =
      'corpus train = "tr" (first: 9)\nexperiment e { prune: mine, structure(wanda-sp) then reconstruct at: 50% recover: lora (steps: 7, schedule: cosine, targets: qv) train: train }';
    const document = compile(`${HEAD}${text}`);
    expect(document.diagnostics).toEqual([]);
    const [plan] = plansFor(document, 'e', { folder: FOLDER });
    expect(planSchema.parse(plan)).toEqual(plan);
    expect(plan).toMatchObject({ train: resolve(FOLDER, 'tr'), rows: { train: { first: 9 } } });
    for (const { recovery } of plan!.evaluations) {
      expect(recovery).toMatchObject({ method: 'lora', steps: 7, schedule: 'cosine', targets: 'qv', rank: 8 });
    }
    expect(plan!.evaluations.map(scoreText)).toEqual([
      'W * X, recovered by lora (steps: 7, schedule: cosine, targets: qv)',
      'wanda-sp then reconstruct, recovered by lora (steps: 7, schedule: cosine, targets: qv)',
    ]);
  });
});

describe('searches under an update', () => {
  it.each<[string, object | undefined]>([
    ['update: admm', ADMM],
    ['update: sparsegpt (damping: 0.1)', { ...SPARSEGPT, damping: 0.1 }],
    ['', undefined],
    ['method: evopress update: reconstruct', RECONSTRUCT],
    ['method: self-pruner target: weights(mine) update: admm', ADMM],
    ['method: policy-gradient update: reconstruct', RECONSTRUCT],
  ])('%s', (said, update) => {
    const document = compile(`${HEAD}search s { ${said} }`);
    expect(document.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const [plan] = searchPlansFor(document, 's', { folder: FOLDER, prompts: PROMPTS });
    expect(plan!.update).toEqual(update);
    expect(searchPlanSchema.parse(plan)).toEqual(plan);
  });
});

describe('completion', () => {
  it.each<[string, string[], string[]]>([
    ['experiment e { prune: mine | }', ['then', 'at', 'recover'], ['admm', 'prune']],
    ['experiment e { prune: mine then | }', ['admm', 'sparsegpt'], ['reconstruct', 'mine', 'at']],
    ['experiment e { prune: structure(wanda-sp) then | }', ['reconstruct'], ['admm', 'sparsegpt']],
    ['experiment e { prune: mine then admm, structure(wanda-sp) then | }', ['reconstruct'], ['admm']],
    ['experiment e { prune: weights(mine, owl) then | }', ['admm'], ['reconstruct']],
    ['experiment e { prune: mine then admm (| }', ['iterations', 'damping'], ['columns', 'mine']],
    ['experiment e { prune: mine then admm | }', ['at'], ['then', 'prune']],
    ['experiment e { prune: | }', ['sparsegpt', 'mine'], ['admm', 'reconstruct']],
    ['metric sparsegpt = W experiment e { prune: | }', ['sparsegpt'], []],
    ['experiment e { recover: | }', ['lora', 'norms'], ['admm']],
    ['experiment e { recover: lora (| }', ['steps', 'rate', 'targets'], ['admm', 'at']],
    ['experiment e { recover: lora (targets: | }', ['all', 'attention', 'qv'], ['steps']],
    ['experiment e { train: | }', ['test', 'calib'], ['tiny']],
    ['search s { update: | }', ['admm', 'sparsegpt'], ['reconstruct']],
    ['search s { method: policy-gradient update: | }', ['reconstruct'], ['admm']],
    ['search s { update: admm (| }', ['iterations'], ['columns']],
    ['search s { objective: | }', ['perplexity', 'kl'], []],
  ])('%j', (marked, includes, excludes) => {
    const { document, source, offset } = cursor(HEAD + marked);
    const labels = complete(document, source, offset).map(({ label }) => label);
    expect(labels).toEqual(expect.arrayContaining(includes));
    expect(labels.filter((label) => excludes.includes(label))).toEqual([]);
    expect(new Set(labels).size).toBe(labels.length);
  });
});

describe('hover', () => {
  it.each([
    ['experiment e { prune: mine then ad|mm }', ['Boža 2024', '`iterations: 20`']],
    ['experiment e { prune: sparse|gpt }', ['Frantar and Alistarh', '`columns: 128`']],
    ['experiment e { recover: lo|ra }', ['Hu et al. 2022', '`steps: 300`']],
    ['experiment e { rec|over: lora }', ['trained after pruning']],
  ])('%s', (marked, parts) => {
    const { document, source, offset } = cursor(HEAD + marked);
    const told = JSON.stringify(hover(document, source, offset));
    for (const part of parts) expect(told).toContain(part);
  });
});

describe('layout', () => {
  it.each([
    [
      'experiment e{prune:mine then admm(iterations:20),sparsegpt(damping : 0.1), structure(wanda - sp)then reconstruct recover:lora( steps:3 )}',
      'experiment e { prune: mine then admm (iterations: 20), sparsegpt (damping: 0.1), structure(wanda-sp) then reconstruct  recover: lora (steps: 3) }\n',
    ],
    ['search s{update:admm( iterations:3)}', 'search s { update: admm (iterations: 3) }\n'],
  ])('%s', (text, expected) => {
    expect(formatted(compile(text))).toBe(expected);
    expect(formatted(compile(expected))).toBe(expected);
  });
});
