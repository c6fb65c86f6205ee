import type { CompletionItem } from 'vscode-languageserver';

/** One thing that can be written at the cursor. */
export interface Suggestion extends Pick<CompletionItem, 'label' | 'kind' | 'detail' | 'documentation' | 'sortText'> {
  /** A snippet: `$0` is where the cursor goes. */
  readonly insert: string;
}

export function markdown(value: string): { kind: 'markdown'; value: string } {
  return { kind: 'markdown', value };
}
