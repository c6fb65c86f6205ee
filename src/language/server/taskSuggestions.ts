import { CompletionItemKind, InsertTextFormat } from 'vscode-languageserver';
import type { CompletionItem, TextEdit } from 'vscode-languageserver';
import { KNOWN_TASK_NAMES, taskTitle } from '../../experiment/taskNames.ts';
import type { Property } from '../check/property.ts';
import { describeKnownTask } from './describeTask.ts';
import { markdown } from './suggestion.ts';
import type { Suggestion } from './suggestion.ts';

/** Groups, tasks, and the subjects of MMLU behind them. */
export function knownTaskSuggestions(): Suggestion[] {
  return KNOWN_TASK_NAMES.map((name, order) => ({
    label: name,
    insert: name,
    kind: CompletionItemKind.EnumMember,
    detail: taskTitle(name) === name ? 'seven tasks' : taskTitle(name),
    documentation: markdown(describeKnownTask(name)),
    sortText: String(order).padStart(3, '0'),
  }));
}

/** Whether the value of an argument is the name of a field. */
export function isFieldArgument({ name, setting }: Property): boolean {
  return setting?.of === 'task' && (name === 'gold' || name === 'choices');
}

/** In quotes where it is no name. */
export function fieldSuggestion(name: string): Suggestion {
  const written = /^[A-Za-z_]\w*$/.test(name) ? name : `"${name}"`;
  return { label: name, insert: written.replaceAll(/[\\$}]/g, '\\$&'), kind: CompletionItemKind.Field };
}

/** Between the braces of a template. */
export function fieldItem(name: string, textEdit: TextEdit): CompletionItem {
  return { label: name, kind: CompletionItemKind.Field, textEdit, insertTextFormat: InsertTextFormat.PlainText };
}
