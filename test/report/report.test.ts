import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import type { PlannedEvaluation } from '../../src/experiment/planSchema.ts';
import { scoreText } from '../../src/experiment/planned.ts';
import { printSparsity } from '../../src/experiment/sparsity.ts';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import type { PerplexityResult } from '../../src/experiment/resultSchema.ts';
import { compile, parseExpression } from '../../src/language/check/compile.ts';
import { plansFor } from '../../src/language/plan/plan.ts';
import { latexFormula } from '../../src/report/formats/latexFormula.ts';
import { latexText } from '../../src/report/formats/latexText.ts';
import { bibtex } from '../../src/report/references/bibtex.ts';
import { REFERENCES } from '../../src/report/references/references.ts';
import type { ReferenceKey } from '../../src/report/references/references.ts';
import type { Reported, ReportedEvaluation } from '../../src/report/reported.ts';
import { REPORT_FORMATS, reportFiles } from '../../src/report/reportFiles.ts';
import { spreadOf } from '../../src/report/seeds.ts';
import { writeReport } from '../../src/report/writeReport.ts';
import { sampleResult } from '../protocol/samples.ts';
import { failureOf } from '../support/expectCoded.ts';
import { latexProblems } from '../support/latexProblems.ts';

const root = await mkdtemp(path.join(tmpdir(), 'espalier-report-'));
afterAll(() => rm(root, { recursive: true, force: true }));
const places = { folder: path.join(root, 'paper', 'report'), root };
const options = { formats: REPORT_FORMATS, second: true, title: 'A report' };

/** An evaluation of a model and texts of the workspace. */
function evaluated(changes: Partial<PerplexityResult> = {}, seed = 0): ReportedEvaluation {
  const inputs = {
    model: path.join(root, 'tiny'),
    text: path.join(root, 'wiki.test.raw'),
    calibration: path.join(root, 'valid.txt'),
    settings: { ...DEFAULT_SETTINGS, samples: 16, length: 256, seed },
  };
  const fingerprint = JSON.stringify([changes, seed]);
  return { inputs, result: sampleResult({ fingerprint, ...changes }), from: 'evaluation' };
}

const of = (evaluations: readonly ReportedEvaluation[]): Reported => ({ evaluations, runs: [], missing: [] });
const fileOf = (reported: Reported, name: string): string => String(reportFiles(reported, options, places).get(name));

describe('text in LaTeX', () => {
  it.each([
    ['50 %', '50 \\%'],
    ['a_b{c}#$&', 'a\\_b\\{c\\}\\#\\$\\&'],
    ['\\input{/etc/passwd}', '\\textbackslash{}input\\{/etc/passwd\\}'],
    ['~^', '\\textasciitilde{}\\textasciicircum{}'],
    ['a--b', 'a-{}-b'],
    ['√X · Y', '\\ensuremath{\\surd}X \\ensuremath{\\cdot} Y'],
    ['Boža é', "Bo\\v{z}a \\'{e}"],
    ['中', '[U+4E2D]'],
    ['a\nb\u0000c', 'a b c'],
    ['–', '\\textendash{}'],
  ])('%j is %s', (text, latex) => {
    expect(latexText(text)).toBe(latex);
  });

  it('has no command of a text in it, whatever the text is', () => {
    const rng = new Rng(7);
    const pool = [
      ...Array.from('\\{}$&#%_^~<>|"\'`[]*-,?! abc\n'),
      'é',
      'ß',
      '中',
      '√',
      '😀',
      '\u0301',
      '\u202e',
      '\\end{document}',
    ];
    for (let i = 0; i < 400; i++) {
      const text = Array.from({ length: 12 }, () => pool[Math.floor(rng.uniform() * pool.length)]!).join('');
      expect(latexProblems(latexText(text)), JSON.stringify(text)).toEqual([]);
    }
  });
});

describe('formulas in LaTeX', () => {
  it.each([
    ['W * sqrt(X)', 'W \\cdot \\sqrt{X}'],
    ['abs(W * W) * mms(G)', '\\left|W \\cdot W\\right| \\cdot \\mathrm{mms}\\left(G\\right)'],
    ['(W + X) * G', '\\left(W + X\\right) \\cdot G'],
    ['W / (X + 1e-7)', '\\frac{W}{X + 1 \\times 10^{-7}}'],
    ['-W ^ 2', '-W^{2}'],
    ['(-W) ^ 2', '\\left(-W\\right)^{2}'],
    ['W - (X - G)', 'W - \\left(X - G\\right)'],
  ])('%s is %s', (formula, latex) => {
    expect(latexFormula(parseExpression(formula))).toBe(latex);
  });
});

describe('the file that repeats a report', () => {
  const expression = parseExpression('W * sqrt(X)');
  const sparsity = { kind: 'unstructured', share: 0.5 } as const;
  const update = { method: 'admm', iterations: 50, damping: 0.1 } as const;
  const score = { kind: 'metric', expression } as const;
  const cases: readonly (readonly [string, PlannedEvaluation])[] = [
    ['a metric', { metric: 'wanda', expression, sparsity }],
    ['a pattern', { metric: 'wanda', expression, sparsity: { kind: 'n:m', keep: 2, of: 4 } }],
    ['a group of its own', { metric: 'wanda', expression, sparsity, group: 'layer' }],
    ['an update', { metric: 'wanda then admm (iterations: 50)', expression, sparsity, update }],
    ['OWL', { metric: 'wanda (owl)', expression, sparsity, rates: { kind: 'owl', multiple: 5, spread: 0.08 } }],
    [
      'rates of a search',
      {
        metric: 'found',
        expression,
        sparsity: { kind: 'unstructured', share: 0.3 },
        rates: { kind: 'given', rates: [0.2, 0.4] },
      },
    ],
    [
      'SparseGPT’s own mask',
      { metric: 'sparsegpt', sparsity, update: { method: 'sparsegpt', damping: 0.01, columns: 64 } },
    ],
    [
      'components by a method',
      {
        metric: 'wanda-sp',
        structure: { kind: 'scored', score: { kind: 'method', method: 'wanda-sp' }, rates: { kind: 'global' } },
        sparsity,
      },
    ],
    [
      'components by a metric',
      {
        metric: 'components by mine',
        structure: { kind: 'scored', score, rates: { kind: 'uniform' } },
        sparsity,
        update: { method: 'reconstruct', damping: 0.01 },
      },
    ],
  ];

  it.each(cases)('asks the same again: %s', (_, evaluation) => {
    const isWhole = 'structure' in evaluation;
    const whole = { method: 'metric', allocation: 'uniform', blocks: [], parameters: { dense: 2, pruned: 1 } } as const;
    const found = evaluated({
      metric: evaluation.metric,
      expression: scoreText(evaluation),
      sparsity: evaluation.sparsity,
      ...(isWhole && { structure: whole }),
    });
    const text = fileOf(of([found]), 'repeat.prune');
    expect(text).not.toContain('Not repeated');
    const document = compile(text);
    expect(document.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const [plan] = plansFor(document, undefined, { folder: places.folder });
    expect(plan!.evaluations.map(scoreText)).toEqual([scoreText(evaluation)]);
    expect(printSparsity(plan!.evaluations[0]!.sparsity)).toBe(printSparsity(evaluation.sparsity));
    const { model, text: tested, calibration, settings } = found.inputs;
    // The device is the one that gave the number.
    expect(plan).toMatchObject({ model, text: tested, calibration, settings: { ...settings, device: 'cpu' } });
    expect(text).toContain('model: "../../tiny"');
  });

  it('says what it cannot repeat, and why', () => {
    const mask = evaluated({
      metric: 'masks',
      expression: 'mask 00ff',
      structure: { method: 'mask', allocation: 'mask', blocks: [], parameters: { dense: 2, pruned: 1 } },
    });
    const text = fileOf(of([mask]), 'repeat.prune');
    expect(text).toContain('// Not repeated: masks at 50% (evaluation): a mask that a search has found');
    expect(compile(text).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
});

describe('the tables of a report', () => {
  const at = (share: number, perplexity: number, metric: string, seed = 0) =>
    evaluated(
      {
        metric,
        perplexity,
        sparsity: { kind: 'unstructured', share },
        expression: metric === 'wanda' ? 'W * sqrt(X)' : 'W',
      },
      seed,
    );

  it('mark the best and the second, and give seeds their mean and deviation', () => {
    const seeds = [at(0.5, 10, 'wanda'), at(0.5, 12, 'wanda', 1), at(0.5, 14, 'wanda', 2)];
    const table = fileOf(of([...seeds, at(0.5, 20, 'magnitude'), at(0.6, 30, 'magnitude')]), 'tables/perplexity.tex');
    expect(table).toContain('\\textbf{12.00 {\\scriptsize$\\pm$ 2.00}}');
    expect(table).toContain('\\underline{20.00}');
    expect(table).toContain('over calibration seeds 0, 1, 2 (n = 3)');
    expect(table).toContain('\\cite{sun2024wanda}');
    expect(spreadOf([10, 12, 14])).toEqual({ mean: 12, deviation: 2, n: 3 });
  });

  it('never mark what is not finite', () => {
    const table = fileOf(of([at(0.5, NaN, 'wanda'), at(0.5, 20, 'magnitude')]), 'tables/perplexity.tex');
    expect(table).not.toContain('\\textbf{NaN}');
  });

  it('keep unlike numbers apart', () => {
    const other = {
      ...at(0.5, 10, 'wanda'),
      inputs: { ...at(0.5, 10, 'wanda').inputs, text: path.join(root, 'c4-valid.txt') },
    };
    const names = [...reportFiles(of([at(0.5, 11, 'wanda'), other]), options, places).keys()];
    expect(names).toEqual(expect.arrayContaining(['tables/perplexity-1.tex', 'tables/perplexity-2.tex']));
  });

  it.each(['100 % of_{$x}', 'a\nb & c \\\\', 'm'.repeat(200), '', '[x]', '*', '| a | `b` |', '中文'])(
    'are whole LaTeX and Markdown with the name %j',
    (metric) => {
      const files = reportFiles(
        of([evaluated({ metric }), evaluated({ metric: 'W', expression: 'W' })]),
        options,
        places,
      );
      for (const [name, text] of files)
        if (name.endsWith('.tex')) expect(latexProblems(String(text)), name).toEqual([]);
      const rows = String(files.get('report.md'))
        .split('\n')
        .filter((line) => line.startsWith('|'));
      expect(rows.every((row) => row.endsWith('|'))).toBe(true);
    },
  );

  it('are the same bytes of the same evaluations', () => {
    const made = () => [...reportFiles(of([at(0.5, 10, 'wanda'), at(0.6, 11, 'wanda')]), options, places)];
    expect(made()).toEqual(made());
  });
});

describe('references', () => {
  it('are whole BibTeX, each with authors, title and year', () => {
    const keys = Object.keys(REFERENCES) as ReferenceKey[];
    const text = bibtex(keys);
    expect(text.match(/^@/gm)).toHaveLength(keys.length);
    expect(text.split('{').length).toBe(text.split('}').length);
    expect(text).toContain("author = {Bo{\\v{z}}a, Vladim{\\'{\\i}}r}");
    expect(latexProblems(text)).toEqual([]);
  });
});

describe('the folder of a report', () => {
  const files = reportFiles(of([evaluated()]), options, places);

  it('is replaced where it is a report, and what that had and this has not goes', async () => {
    const folder = path.join(root, 'again');
    await writeReport(folder, files);
    await writeFile(path.join(folder, 'mine.txt'), 'mine');
    const fewer = reportFiles(of([evaluated()]), { ...options, formats: ['markdown'] }, places);
    await writeReport(folder, fewer);
    expect(await readdir(folder)).toEqual(
      expect.arrayContaining(['mine.txt', 'report.md', 'repeat.prune', 'report.json']),
    );
    expect(await readdir(path.join(folder, 'tables'))).toEqual([]);
  });

  it.each([
    ['other files', { 'thesis.tex': 'years of work' }],
    ['a marker of something else', { 'report.json': '{"format":"other"}', 'main.tex': 'mine' }],
    ['a marker that is no JSON', { 'report.json': '{' }],
  ])('is refused with %s in it', async (what, others) => {
    const folder = path.join(root, what.replaceAll(' ', '-'));
    await mkdir(folder);
    for (const [name, text] of Object.entries(others)) await writeFile(path.join(folder, name), text);
    expect((await failureOf(() => writeReport(folder, files))).code).toBe('export/exists');
  });

  it('deletes nothing outside of it, whatever a marker says', async () => {
    const folder = path.join(root, 'hostile');
    await mkdir(folder);
    await writeFile(path.join(root, 'precious.txt'), 'precious');
    await writeFile(
      path.join(folder, 'report.json'),
      '{"format":"espalier-report-1","files":["../precious.txt","tables/../../precious.txt"]}',
    );
    await writeReport(folder, files);
    expect(await readFile(path.join(root, 'precious.txt'), 'utf8')).toBe('precious');
  });
});
