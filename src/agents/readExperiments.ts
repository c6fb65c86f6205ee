import * as z from 'zod';
import { EspalierError } from '../base/errors.ts';
import { compile } from '../language/check/compile.ts';
import type { CompiledDocument, Declaration } from '../language/check/document.ts';
import { printInfix } from '../metric/print.ts';
import { agentTool } from './agentTool.ts';
import { readPruneFile } from './workspaceFile.ts';

export const fileSchema = z
  .string()
  .min(1)
  .max(1000)
  .describe('A .prune file, from the workspace folder: experiments/wanda.prune');

/** Characters of a file's text that are given. */
const LONGEST = 100_000;
const MOST_DIAGNOSTICS = 100;

export const readExperiments = agentTool({
  name: 'read_experiments',
  title: 'Read a .prune file',
  description:
    'The text of a .prune file, what it declares (metrics with their formulas, experiments, searches, models, corpora) and what is wrong with it.',
  access: 'read',
  input: z.strictObject({ file: fileSchema }),
  asks: ({ file }) => `read ${file}`,
  answer: async ({ file }, { root }) => {
    const { text } = await readPruneFile(root, file);
    const { declarations, diagnostics } = compile(text);
    return {
      file,
      declarations: declarations.map(declared),
      problems: diagnostics
        .filter(({ severity }) => severity === 'error' || severity === 'warning')
        .slice(0, MOST_DIAGNOSTICS)
        .map(({ severity, code, message, start }) => ({ severity, code, message, line: lineOf(text, start) })),
      text: text.slice(0, LONGEST),
      ...(text.length > LONGEST && { characters: text.length }),
    };
  },
});

/** @throws EspalierError `language/errors` with the first of them */
export function withoutErrors(file: string, document: CompiledDocument): CompiledDocument {
  const errors = document.diagnostics.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (!first) return document;
  throw new EspalierError({
    code: 'language/errors',
    operation: `reading ${file}`,
    expected: 'no errors in the file',
    actual: `${errors.length === 1 ? '1 error' : `${errors.length} errors`}, in line ${lineOf(document.text, first.start)}: ${first.message}`,
    remedy: 'Have it mended and try again.',
  });
}

function declared(declaration: Declaration): object {
  const { kind, name, broken } = declaration;
  const formula =
    declaration.kind === 'metric' && declaration.expression ? printInfix(declaration.expression) : undefined;
  return { kind, name, ...(formula !== undefined && { formula }), ...(broken && { broken }) };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split(/\r\n|\r|\n/).length;
}
