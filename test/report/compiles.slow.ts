import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { DEFAULT_SETTINGS } from '../../src/experiment/settings.ts';
import { REPORT_FORMATS, reportFiles } from '../../src/report/reportFiles.ts';
import { writeReport } from '../../src/report/writeReport.ts';
import { sampleResult } from '../protocol/samples.ts';

const root = await mkdtemp(path.join(tmpdir(), 'espalier-latex-'));
afterAll(() => rm(root, { recursive: true, force: true }));

const hasLatex = ['pdflatex', 'bibtex'].every((program) => spawnSync(program, ['--version']).status === 0);

/** Names that anybody could give a metric. */
const NAMES = [
  '100 % of_{$x}',
  '\\end{document}',
  'm'.repeat(200),
  '[x] *',
  'Boža, Å, ß, λ√',
  '中文',
  "it's ``quoted''",
];

describe.skipIf(!hasLatex)(hasLatex ? 'main.tex' : 'main.tex (no pdflatex, or no bibtex, here)', () => {
  it('compiles with its references, whatever names are in it', { timeout: 120_000 }, async () => {
    const folder = path.join(root, 'report');
    const inputs = { model: path.join(root, 'm'), text: path.join(root, 'wiki.test.raw'), settings: DEFAULT_SETTINGS };
    const evaluations = NAMES.flatMap((metric, i) =>
      [0.5, 0.6].map((share) => {
        const sparsity = { kind: 'unstructured', share } as const;
        const result = sampleResult({ metric, sparsity, fingerprint: `${i} ${share}`, perplexity: 10 + i + share });
        return { inputs, result, from: 'evaluation' };
      }),
    );
    const options = { formats: REPORT_FORMATS, second: true, title: 'Names & 100 % more' };
    await writeReport(folder, reportFiles({ evaluations, runs: [], missing: [] }, options, { folder, root }));
    const run = (program: string, ...words: readonly string[]) =>
      promisify(execFile)(program, [...words, 'main'], { cwd: folder });
    for (const program of ['pdflatex', 'bibtex', 'pdflatex', 'pdflatex'])
      await run(program, ...(program === 'bibtex' ? [] : ['-interaction=nonstopmode', '-halt-on-error']));
    expect(await readFile(path.join(folder, 'main.log'), 'utf8')).not.toMatch(/undefined on input|multiply defined/);
  });
});
