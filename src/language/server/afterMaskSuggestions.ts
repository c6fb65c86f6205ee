import { CompletionItemKind } from 'vscode-languageserver';
import { OWN_MASK } from '../../experiment/planned.ts';
import { RECOVERY_METHOD_NAMES, RECOVERY_METHODS } from '../../experiment/recovery.ts';
import { UPDATE_METHODS, UPDATES } from '../../experiment/updates.ts';
import type { Updated } from '../check/afterMask.ts';
import { describeRecovery, describeUpdate } from './describe.ts';
import { markdown } from './suggestion.ts';
import type { Suggestion } from './suggestion.ts';

/** What can be written behind a mask, and in the place of one. */

export const THEN: Suggestion = {
  label: 'then',
  insert: 'then $0',
  kind: CompletionItemKind.Keyword,
  detail: 'what becomes of the weights that stay',
  // Before the properties that could come next.
  sortText: '',
};

/** SparseGPT by itself. */
export function ownMaskSuggestions(): Suggestion[] {
  return updateSuggestions('weights').filter(({ label }) => label === OWN_MASK);
}

export function updateSuggestions(of: Updated): Suggestion[] {
  return UPDATE_METHODS.filter((name) => of === 'any' || UPDATES[name].of === of).map((name) => ({
    label: name,
    insert: name,
    kind: CompletionItemKind.EnumMember,
    detail: UPDATES[name].title,
    documentation: markdown(describeUpdate(name)),
  }));
}

export function recoverySuggestions(): Suggestion[] {
  return RECOVERY_METHOD_NAMES.map((name) => ({
    label: name,
    insert: name,
    kind: CompletionItemKind.EnumMember,
    detail: RECOVERY_METHODS[name].title,
    documentation: markdown(describeRecovery(name)),
  }));
}
