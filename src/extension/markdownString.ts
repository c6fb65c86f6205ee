import * as vscode from 'vscode';

/**
 * Markdown for the editor: the one place that makes it. Nothing in it is trusted. Texts of somebody else's in it go through
 * `base/markdown.ts`.
 *
 * @param commands that links in it may run, and no others; only Markdown that says them itself may have some
 */
export function markdownString(value: string, commands: readonly string[] = []): vscode.MarkdownString {
  const made = new vscode.MarkdownString(value, false);
  made.isTrusted = commands.length === 0 ? false : { enabledCommands: commands };
  made.supportHtml = false;
  return made;
}
