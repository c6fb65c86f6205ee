import type { TaskTemplate } from '../experiment/taskSchema.ts';
import { checkedTexts, fieldOf, isRecord, quoted, tooMany, wrongField } from './document.ts';
import type { Document } from './document.ts';
import { labelField, numberOf } from './gold.ts';
import type { Question } from './question.ts';
import { choiceQuestion, labelledChoices } from './questions.ts';
import { readTemplate, renderTemplate, valueText } from './template.ts';

/** How documents of a task of one's own become questions. @throws EspalierError `tasks/template`; the function as {@link QUESTIONS}' do */
export function ownQuestion({ context, choices, gold }: TaskTemplate): (document: Document) => Question {
  const contextParts = readTemplate(context);
  const choiceParts = 'texts' in choices ? choices.texts.map(readTemplate) : undefined;
  return (document) => {
    const found: Choices =
      'texts' in choices
        ? { texts: choiceParts!.map((parts) => renderTemplate(parts, document)) }
        : listedChoices(document, choices.field);
    const name = 'texts' in choices ? 'choices' : choices.field;
    return choiceQuestion(document, name, {
      contexts: [renderTemplate(contextParts, document)],
      continuations: found.texts,
      gold: ownGold(document, gold, found),
    });
  };
}

interface Choices {
  readonly texts: readonly string[];
  /** What each is called, where the document says it. */
  readonly labels?: readonly string[];
}

/** A list of texts or whole numbers, or choices with labels as AI2 or Hugging Face write them; of `choices.text` the labels are beside. */
function listedChoices(document: Document, field: string): Choices {
  const value = fieldOf(document, field);
  if (isRecord(value) || (Array.isArray(value) && value.some(isRecord))) return labelledChoices(document, field);
  const owner = /^(.+)\.text$/.exec(field)?.[1];
  const around = owner === undefined ? undefined : fieldOf(document, owner);
  if (isRecord(around) && Array.isArray(around['label'])) return labelledChoices(document, owner!);
  if (!Array.isArray(value)) return { texts: checkedTexts(document, field, value) };
  if (value.length < 2) throw wrongField(document, field, 'two choices or more', value, `${value.length}`);
  if (value.length > 1024) throw tooMany(document, field, value.length);
  return { texts: value.map((item: unknown, i) => valueText(document, `${field}[${i}]`, item)) };
}

/**
 * The right choice, by label where choices have one, else by its text, its letter or its place counted from 0. What could mean two of these is
 * refused: a wrong guess would be counted.
 */
function ownGold(document: Document, field: string, { texts, labels }: Choices): number {
  const label = labelField(document, field);
  const meant = new Set(labels ? [labels.indexOf(String(label).trimStart())] : placesOf(label, texts));
  meant.delete(-1);
  const [place, other] = [...meant];
  if (place !== undefined && other === undefined) return place;
  const expected = labels
    ? `one of the labels ${quoted(labels.slice(0, 12).join(', '))}`
    : 'place, letter or text of a choice';
  const actual =
    other === undefined ? undefined : `${quoted(String(label))}, which could be choice ${place! + 1} or ${other + 1}`;
  throw wrongField(document, field, expected, label, actual);
}

function placesOf(label: string | number, texts: readonly string[]): readonly number[] {
  const inside = (place: number | undefined): number => (place !== undefined && place < texts.length ? place : -1);
  if (typeof label === 'number') return [inside(label < 0 ? undefined : label)];
  const letter = /^[A-Z]$/.test(label) ? label.charCodeAt(0) - 65 : undefined;
  return [texts.indexOf(label), inside(letter), inside(numberOf(label))];
}
