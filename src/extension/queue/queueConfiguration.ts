import * as vscode from 'vscode';

const SECTION = 'espalier';
const KEY = 'queue';

/** What a change of the settings is asked about. */
export const QUEUE_SETTING = `${SECTION}.${KEY}`;

/** The address of the machine's queue as somebody wrote it; empty where searches are computed on this machine. */
export function chosenQueue(): string {
  return vscode.workspace.getConfiguration(SECTION).get<string>(KEY, '').trim();
}

/** @param address without a password; empty for this machine */
export async function chooseQueue(address: string): Promise<void> {
  await vscode.workspace
    .getConfiguration(SECTION)
    .update(KEY, address === '' ? undefined : address, vscode.ConfigurationTarget.Global);
}

export function openQueueSetting(): Thenable<unknown> {
  return vscode.commands.executeCommand('workbench.action.openSettings', QUEUE_SETTING);
}
