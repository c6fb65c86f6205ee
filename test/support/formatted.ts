import type { CompiledDocument } from '../../src/language/check/document.ts';
import { formatEdits } from '../../src/language/format/format.ts';
import type { FormatOptions } from '../../src/language/format/formatLayout.ts';

/** The file as it is when it is laid out. */
export function formatted(document: CompiledDocument, options?: FormatOptions): string {
  const { text } = document;
  let result = '';
  let from = 0;
  for (const edit of formatEdits(document, options)) {
    result += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return result + text.slice(from);
}
