import { alignments } from './formatAlign.ts';
import { layOut } from './formatLayout.ts';
import type { CompiledDocument } from '../check/document.ts';
import type { Edit } from '../check/diagnostics.ts';
import type { FormatOptions } from './formatLayout.ts';

const DEFAULT_FORMAT: FormatOptions = { indent: '  ' };

/**
 * The edits that lay a file out: blanks and line ends between tokens, nothing else, so that what the file says stays as it
 * is. Line breaks that a person chose stay; declarations begin a line, a block of several lines has its braces on lines of
 * their own, and neighbouring declarations are aligned. Declarations with syntax errors are left alone.
 */
export function formatEdits(document: CompiledDocument, options: FormatOptions = DEFAULT_FORMAT): Edit[] {
  const { text } = document;
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const gaps = layOut(document, options);
  const padding = alignments(gaps);
  const edits: Edit[] = [];
  gaps.forEach(({ start, end, editable, breaks, blanks }, i) => {
    if (!editable) return;
    const wanted = newline.repeat(breaks) + blanks + ' '.repeat(padding.get(i) ?? 0);
    if (text.slice(start, end) !== wanted) edits.push({ start, end, text: wanted });
  });
  return edits;
}
