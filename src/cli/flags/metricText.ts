import { resolve } from 'node:path';
import { EspalierError } from '../../base/errors.ts';
import { fileProblem } from '../../files/fileProblem.ts';
import { readText } from '../../files/readBytes.ts';
import type { Expression } from '../../metric/expression.ts';

/** A metric that was given on the command line, and what it is called there. */
export interface GivenMetric {
  readonly label: string;
  readonly expression: Expression;
}

/** More than any tree needs that is let in, however it is indented. */
const MAX_BYTES = 8 << 20;

/**
 * A metric as a person gives it: a formula, infix or prefix; a tree of Pruner-Zero, as JSON or as its code
 * prints it; or the path of a file that holds one, which ends in `.json`. No formula looks like any of these.
 *
 * @param folder that a path starts from
 * @throws EspalierError `metric/syntax`, `metric/json`, `io/read`
 */
export async function readMetric(text: string, folder: string): Promise<GivenMetric> {
  const { parseExpression } = await import('../../language/check/compile.ts');
  const written = text.trim();
  const isFile = /\.json$/i.test(written) && !written.includes('\n');
  if (!isFile && !isTree(written)) return { label: written, expression: parseExpression(text) };
  const [{ importPrunerZero }, { printInfix, printPrefix }] = await Promise.all([
    import('../../metric/prunerZero.ts'),
    import('../../metric/print.ts'),
  ]);
  const file = isFile ? resolve(folder, written) : undefined;
  try {
    const tree = importPrunerZero(file === undefined ? written : await textOf(file));
    // The language's checks, too: a tree that is one number for every weight ranks nothing.
    const expression = parseExpression(printPrefix(tree));
    return { label: isFile ? written : printInfix(expression), expression };
  } catch (thrown) {
    throw file !== undefined && thrown instanceof EspalierError ? new EspalierError({ ...thrown.data, file }) : thrown;
  }
}

/** `{"data": …}`, or `(W) mul (X)`, where a formula has no name between two parentheses. */
export function isTree(text: string): boolean {
  return text.trimStart().startsWith('{') || /#|\)\s*[A-Za-z]+\s*\(/.test(text);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readText(file, { maxBytes: MAX_BYTES });
  } catch (thrown) {
    throw new EspalierError({
      code: 'io/read',
      operation: `reading ${file}`,
      expected: 'a JSON file with a tree of Pruner-Zero',
      actual: fileProblem(thrown).message,
      remedy: 'Check the path.',
      file,
    });
  }
}
