import { strip, stripStart } from '../base/pythonText.ts';
import type { TaskName } from '../experiment/tasks.ts';
import { checkedTexts, fieldOf, isRecord, presentField, textField, textsField, wrongField } from './document.ts';
import type { Document } from './document.ts';
import { goldAmong, goldPlace, labelField } from './gold.ts';
import { cleanHellaSwag, hellaSwagContext } from './hellaswag.ts';
import type { Question } from './question.ts';

/**
 * A document of each task as its question, from the fields of the authors' files or those of the Hugging Face data set, as
 * lm-evaluation-harness v0.4.12 writes it (`lm_eval/tasks/*`).
 *
 * @throws EspalierError `tasks/document`, `tasks/unlabelled`, `tasks/too-large`
 */
export const QUESTIONS: Readonly<Record<TaskName, (document: Document) => Question>> = {
  winogrande,
  hellaswag,
  boolq,
  arc_easy: arc,
  arc_challenge: arc,
  openbookqa,
  piqa,
  rte,
  mmlu,
  gsm8k,
};

/** Partial evaluation (Trinh and Le 2018): what follows the option is scored, behind either. */
function winogrande(document: Document): Question {
  const sentence = textField(document, 'sentence');
  const blank = sentence.indexOf('_');
  if (blank < 0) throw wrongField(document, 'sentence', 'a sentence with a blank, written _,', sentence);
  const before = sentence.slice(0, blank);
  return {
    contexts: [before + textField(document, 'option1'), before + textField(document, 'option2')],
    continuations: [strip(sentence.slice(blank + 1))],
    gold: goldAmong(document, 'answer', ['1', '2'], String(labelField(document, 'answer'))),
  };
}

function hellaswag(document: Document): Question {
  const [activity, first, second] = ['activity_label', 'ctx_a', 'ctx_b'].map((name) => textField(document, name));
  const endings = textsField(document, 'endings').map(cleanHellaSwag);
  return choiceQuestion(document, 'endings', {
    contexts: [hellaSwagContext(activity!, first!, second!)],
    continuations: endings,
    gold: goldPlace(document, 'label', endings.length),
  });
}

function boolq(document: Document): Question {
  const question = textField(document, 'question');
  return {
    contexts: [`${textField(document, 'passage')}\nQuestion: ${question}?\nAnswer:`],
    continuations: ['no', 'yes'],
    gold: goldPlace(document, presentField(document, ['label', 'answer']), 2, { false: 0, true: 1 }),
  };
}

function arc(document: Document): Question {
  const { stem, ...question } = labelled(document);
  return { ...question, contexts: [`Question: ${stem}\nAnswer:`] };
}

function openbookqa(document: Document): Question {
  const { stem, ...question } = labelled(document);
  return { ...question, contexts: [stem] };
}

function piqa(document: Document): Question {
  return choiceQuestion(document, 'sol1 and sol2', {
    contexts: [`Question: ${textField(document, 'goal')}\nAnswer:`],
    continuations: [textField(document, 'sol1'), textField(document, 'sol2')],
    gold: goldPlace(document, 'label', 2),
  });
}

function rte(document: Document): Question {
  const [first, second] = [
    ['sentence1', 'premise'],
    ['sentence2', 'hypothesis'],
  ].map((names) => textField(document, presentField(document, names)));
  return {
    contexts: [`${first!}\nQuestion: ${second!} True or False?\nAnswer:`],
    continuations: ['True', 'False'],
    gold: goldPlace(document, 'label', 2, { entailment: 0, not_entailment: 1 }),
  };
}

const LETTERS = ['A', 'B', 'C', 'D'];

function mmlu(document: Document): Question {
  const isTable = fieldOf(document, 'choices') === undefined && fieldOf(document, 'A') !== undefined;
  const choices = isTable ? LETTERS.map((letter) => textField(document, letter)) : textsField(document, 'choices');
  if (choices.length !== LETTERS.length)
    throw wrongField(document, 'choices', 'four texts', choices, `${choices.length}`);
  const listed = choices.map((choice, i) => `\n${LETTERS[i]!}. ${choice}`).join('');
  return {
    contexts: [`${strip(textField(document, 'question'))}${listed}\nAnswer:`],
    continuations: LETTERS,
    gold: goldPlace(document, 'answer', LETTERS.length, { A: 0, B: 1, C: 2, D: 3 }),
    ...(fieldOf(document, 'subject') !== undefined && { subject: textField(document, 'subject') }),
  };
}

/** Generated: the one choice is what an example shows, and what the answer is compared with. */
function gsm8k(document: Document): Question {
  return {
    contexts: [`Question: ${textField(document, 'question')}\nAnswer:`],
    continuations: [textField(document, 'answer')],
    gold: 0,
  };
}

/**
 * ARC and OpenBookQA: choices as AI2 has them, `[{text, label}]`, in the question beside its stem, or as Hugging Face has them,
 * `{text: […], label: […]}`.
 */
function labelled(document: Document): Omit<Question, 'contexts'> & { readonly stem: string } {
  const inside = isRecord(fieldOf(document, 'question')) ? 'question.' : '';
  const name = `${inside}choices`;
  const { texts, labels } = labelledChoices(document, name);
  const stem = textField(document, presentField(document, [`${inside}stem`, 'question_stem', 'question']));
  const gold = goldAmong(document, 'answerKey', labels, stripStart(String(labelField(document, 'answerKey'))));
  const { continuations } = choiceQuestion(document, name, { contexts: [], continuations: texts, gold });
  return { stem, continuations, gold };
}

/** Texts and labels of choices in either form. @throws EspalierError `tasks/document`, `tasks/too-large` */
export function labelledChoices(
  document: Document,
  name: string,
): { readonly texts: readonly string[]; readonly labels: readonly string[] } {
  const value = fieldOf(document, name);
  const column = (of: 'text' | 'label'): unknown =>
    Array.isArray(value)
      ? value.map((item: unknown) => (isRecord(item) ? item[of] : undefined))
      : isRecord(value)
        ? value[of]
        : value;
  const texts = checkedTexts(document, Array.isArray(value) ? name : `${name}.text`, column('text'));
  const labels = checkedTexts(document, Array.isArray(value) ? name : `${name}.label`, column('label'));
  if (texts.length === labels.length) return { texts, labels };
  throw wrongField(document, name, 'a label for each text', value, `${labels.length} for ${texts.length}`);
}

/** An empty text has no length that its likelihood could be divided by. */
export function choiceQuestion(document: Document, name: string, question: Question): Question {
  const empty = question.continuations.indexOf('');
  if (empty < 0) return question;
  throw wrongField(document, name, 'choices with text', '', `an empty text for choice ${empty + 1}`);
}
