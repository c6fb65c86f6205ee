import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** Where the bundles of the views lie inside the extension. */
const FOLDER = ['dist', 'webview'];

export function webviewRoots(extension: vscode.Uri): vscode.Uri[] {
  return [vscode.Uri.joinPath(extension, ...FOLDER)];
}

/**
 * The page of a view: an empty body, its bundle and its style sheet, and a policy under which nothing else is loaded or run.
 * Everything that is shown comes as messages.
 *
 * @param name of the bundle: `panel` is dist/webview/panel.js and panel.css
 */
export function webviewHtml(webview: vscode.Webview, extension: vscode.Uri, name: string, title: string): string {
  const nonce = randomBytes(16).toString('base64url');
  const file = (extensionOfFile: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(extension, ...FOLDER, `${name}.${extensionOfFile}`)).toString();
  const policy = [
    "default-src 'none'",
    // The bundle alone: no inline script, no eval.
    `script-src 'nonce-${nonce}'`,
    // The view's own sheet; what a chart sets on its canvas goes through the object model, which needs no permission.
    `style-src ${webview.cspSource}`,
    // These are not among what the first line covers.
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${file('css')}">
</head>
<body>
<script nonce="${nonce}" src="${file('js')}"></script>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
