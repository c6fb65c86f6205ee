import { TextDocument } from 'vscode-languageserver-textdocument';
import { expect } from 'vitest';
import { compile } from '../../src/language/check/compile.ts';
import type { CompiledDocument } from '../../src/language/check/document.ts';

/**
 * Reads a file in which a line of carets stands below each mistake, with the code and a part of the message, and expects
 * these diagnostics and no others:
 *
 *     metric a = tnah(W)
 *                ^^^^ name/unknown did you mean `tanh`
 *
 * A second diagnostic on the same line gets a second line of carets.
 */
export function checkMarked(marked: string): CompiledDocument {
  const lines: string[] = [];
  const expected: string[] = [];
  const messages: [found: string, part: string][] = [];
  let start = 0;
  let next = 0;
  for (const line of marked.replace(/^\n/, '').split('\n')) {
    const mark = /^(\s*)(\^+) (\S+) ?(.*)$/.exec(line);
    if (!mark) {
      lines.push(line);
      start = next;
      next += line.length + 1;
      continue;
    }
    const [, indent, carets, code, message] = mark;
    const from = start + indent!.length;
    expected.push(`${from}–${from + carets!.length} ${code!}`);
    messages.push([expected.at(-1)!, message!]);
  }
  const document = compile(lines.join('\n'));
  const found = document.diagnostics.map(({ start, end, code }) => `${start}–${end} ${code}`);
  const told = document.diagnostics.map(
    ({ code, message, start, end }) => `${code} at [${document.text.slice(start, end)}]: ${message}`,
  );
  expect([...found].sort(), told.join('\n')).toEqual([...expected].sort());
  for (const [place, part] of messages) {
    const diagnostic = document.diagnostics.find(({ start, end, code }) => `${start}–${end} ${code}` === place);
    expect(diagnostic?.message).toContain(part);
  }
  return document;
}

/** The names of the declarations that are whole. */
export function whole({ declarations }: CompiledDocument): string[] {
  return declarations.filter(({ broken }) => !broken).map(({ name }) => name);
}

/** A text with `|` at the cursor. */
export function cursor(marked: string): {
  text: string;
  document: CompiledDocument;
  source: TextDocument;
  offset: number;
} {
  const offset = marked.indexOf('|');
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  return { text, document: compile(text), source: TextDocument.create('file:///a.prune', 'prune', 1, text), offset };
}
