import { EspalierError } from '../base/errors.ts';
import { fieldOf, checkedText } from './document.ts';
import type { Document } from './document.ts';

/** A template, read: text, and fields whose values go between. */
export type TemplatePart = { readonly text: string } | { readonly field: string; readonly at: number };

/** What a template says, or what is wrong with it, and where: in UTF-16 units from its start. */
export type ParsedTemplate =
  | { readonly parts: readonly TemplatePart[] }
  | { readonly problem: string; readonly at: number; readonly length: number };

/** Reads a template: `{field}` and `{field.inner}` are fields of a document, `{{` and `}}` braces. Never throws. */
export function parseTemplate(template: string): ParsedTemplate {
  const parts: TemplatePart[] = [];
  let text = '';
  for (let at = 0; at < template.length;) {
    const letter = template[at]!;
    if (letter !== '{' && letter !== '}') {
      const next = template.slice(at).search(/[{}]/);
      const end = next < 0 ? template.length : at + next;
      text += template.slice(at, end);
      at = end;
    } else if (template[at + 1] === letter) {
      text += letter;
      at += 2;
    } else {
      if (letter === '}') return { problem: 'a } without its {; a brace of the text is written }}', at, length: 1 };
      const end = template.slice(at + 1).search(/[{}\n]/) + at + 1;
      if (template[end] !== '}' || end === at)
        return { problem: 'a { without its }; a brace of the text is written {{', at, length: 1 };
      const field = template.slice(at + 1, end).trim();
      if (!/^[^.]+(\.[^.]+)*$/.test(field)) return { problem: 'no field between braces', at, length: end + 1 - at };
      if (text !== '') parts.push({ text });
      text = '';
      parts.push({ field, at });
      at = end + 1;
    }
  }
  if (text !== '') parts.push({ text });
  return { parts };
}

/** The parts of a template. @throws EspalierError `tasks/template` */
export function readTemplate(template: string): readonly TemplatePart[] {
  const parsed = parseTemplate(template);
  if ('parts' in parsed) return parsed.parts;
  throw new EspalierError({
    code: 'tasks/template',
    operation: 'reading the template of a task',
    expected: 'fields in braces, such as {question}',
    actual: `${parsed.problem} (character ${parsed.at + 1})`,
    remedy: 'Correct the template.',
  });
}

/** @throws EspalierError `tasks/document` naming document and field */
export function renderTemplate(parts: readonly TemplatePart[], document: Document): string {
  return parts.map((part) => ('text' in part ? part.text : valueText(document, part.field))).join('');
}

/** A text, or a whole number as it is written. */
export function valueText(document: Document, field: string, value = fieldOf(document, field)): string {
  return checkedText(document, field, Number.isSafeInteger(value) ? String(value) : value);
}
