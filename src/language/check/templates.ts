import type { TaskTemplate } from '../../experiment/taskSchema.ts';
import { MOST_CHOICES } from '../../tasks/document.ts';
import { parseTemplate } from '../../tasks/template.ts';
import type { PropertyReader } from './propertyReader.ts';
import type { ExpressionSyntax, Span, TextSyntax } from '../syntax/syntax.ts';

/** The templates of a task of one's own. Each function tells what is wrong, and gives undefined then. */

/** A template as a plan has it: its escapes replaced, its fields as they are. */
export function readTemplate(reader: PropertyReader, name: string, syntax: ExpressionSyntax): string | undefined {
  if (syntax.kind !== 'text' || syntax.arguments.length > 0) {
    const word = syntax.kind === 'name' ? `, such as \`"{${syntax.name}}"\`` : '';
    reader.report('property/type', syntax.span, `\`${name}\` is a template in quotes${word}`);
    return undefined;
  }
  const { text, problem } = scanTemplate(syntax);
  if (problem === undefined) return text;
  reader.report('task/template', problem.span, problem.message);
  return undefined;
}

/** The field with the choices, or a template for each. */
export function readChoices(reader: PropertyReader, syntax: ExpressionSyntax): TaskTemplate['choices'] | undefined {
  if (syntax.kind !== 'list') {
    const field = readField(reader, 'choices', syntax);
    return field === undefined ? undefined : { field };
  }
  const texts = syntax.values.map((value) => readTemplate(reader, 'choices', value));
  if (texts.length < 2 || texts.length > MOST_CHOICES) {
    reader.report('property/range', syntax.span, `\`choices\` has 2 to ${MOST_CHOICES} templates, not ${texts.length}`);
    return undefined;
  }
  return texts.every((text) => text !== undefined) ? { texts } : undefined;
}

/** A field by its name, or in quotes where it has dots or blanks in it. */
export function readField(reader: PropertyReader, name: string, syntax: ExpressionSyntax): string | undefined {
  if (syntax.kind === 'name') return syntax.name;
  const isPath = syntax.kind === 'text' && syntax.arguments.length === 0 && FIELD_PATH.test(syntax.text);
  if (isPath) return syntax.text;
  const instead = name === 'choices' ? ', or a list of templates such as `["{a}", "{b}"]`' : '';
  reader.report('property/type', syntax.span, `\`${name}\` is the name of a field, such as \`label\`${instead}`);
  return undefined;
}

/** Where a template names fields: `choices.text` with what is between its braces. */
export function templateFields(syntax: TextSyntax): readonly { readonly field: string; readonly span: Span }[] {
  return scanTemplate(syntax).fields;
}

const FIELD_PATH = /^[^.{}\\]{1,200}(\.[^.{}\\]{1,200})*$/;

interface Scanned {
  readonly text: string;
  readonly fields: readonly { readonly field: string; readonly span: Span }[];
  /** The first one. */
  readonly problem?: { readonly span: Span; readonly message: string };
}

function scanTemplate({ text: written, span }: TextSyntax): Scanned {
  // Behind the quote.
  const at = (start: number, end: number): Span => ({ start: span.start + 1 + start, end: span.start + 1 + end });
  let text = '';
  /** Of each UTF-16 unit of the text where it is written. */
  const places: number[] = [];
  for (const match of written.matchAll(PIECE)) {
    const [piece] = match;
    const meant = piece.startsWith('\\') ? unescaped(piece) : piece;
    if (meant === undefined) {
      const message = `\`${piece}\` is no escape: there are \`\\n\`, \`\\t\`, \`\\\\\` and \`\\u0022\``;
      return { text, fields: [], problem: { span: at(match.index, match.index + piece.length), message } };
    }
    for (let i = 0; i < meant.length; i++) places.push(match.index + (meant === piece ? i : 0));
    text += meant;
  }
  places.push(written.length);
  const parsed = parseTemplate(text);
  if ('problem' in parsed) {
    const placed = at(places[parsed.at]!, places[Math.min(text.length, parsed.at + parsed.length)]!);
    return { text, fields: [], problem: { span: placed, message: parsed.problem } };
  }
  const fields = parsed.parts.flatMap((part) => {
    if (!('field' in part)) return [];
    const start = written.indexOf(part.field, places[part.at]);
    return [{ field: part.field, span: at(start, start + part.field.length) }];
  });
  return { text, fields };
}

const PIECE = /\\(?:u[0-9a-fA-F]{4}|[^]|$)|[^\\]+/g;

/** A brace that is written by its number is a brace of the text. */
function unescaped(piece: string): string | undefined {
  if (piece.length < 6) return ESCAPES[piece];
  const character = String.fromCharCode(parseInt(piece.slice(2), 16));
  return character === '{' || character === '}' ? character.repeat(2) : character;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\n': '\n', '\\t': '\t', '\\\\': '\\' };
