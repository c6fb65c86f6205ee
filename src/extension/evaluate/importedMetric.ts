import { printInfix } from '../../metric/print.ts';
import { importPrunerZero } from '../../metric/prunerZero.ts';

/** A tree of Pruner-Zero as a metric: the formula that it is. Undefined where the text is none. */
export function formulaOf(text: string): string | undefined {
  try {
    return printInfix(importPrunerZero(text));
  } catch {
    return undefined;
  }
}

/** What a metric that came from a file is called: as the file, as far as a name may be. */
export function nameFrom(file: string | undefined): string {
  const base = (file ?? '').replace(/^.*[\\/]/, '').replace(/\.json$/i, '');
  const name = base.replaceAll(/[^A-Za-z0-9_]+/g, '_').replace(/^(?=\d)/, '_');
  return /[A-Za-z0-9]/.test(name) ? name : 'imported';
}
