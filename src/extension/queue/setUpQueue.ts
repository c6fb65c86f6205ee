import * as vscode from 'vscode';
import { toErrorData } from '../../base/errors.ts';
import { readQueueAddress, withoutPassword, holdsPassword } from '../../queue/queueAddress.ts';
import { QueueServer } from '../../queue/queueServer.ts';
import { plainItems, tellInformation, tellWarning, withNotification } from '../messages.ts';
import type { AskedQueue, QueueAccess } from './queueAccess.ts';
import { chosenQueue } from './queueConfiguration.ts';

const TITLE = 'Espalier: Queue';

export interface SetUpQueueParts {
  readonly access: QueueAccess;
  readonly tell: (what: string, error: unknown) => void;
  readonly log: (line: string) => void;
}

/** Asks where the queue is. @returns whether there is one then */
export async function askAddress({ access }: SetUpQueueParts): Promise<boolean> {
  const chosen = chosenQueue();
  const text = await vscode.window.showInputBox({
    title: TITLE,
    prompt: 'Redis, Valkey or PostgreSQL that workers of any machine share; empty to compute on this machine',
    placeHolder: 'redis://host:6379, rediss://user@host, postgres://user@host/database?sslmode=verify-full',
    value: holdsPassword(chosen) ? withoutPassword(chosen) : chosen,
    ignoreFocusOut: true,
    validateInput: problemOf,
  });
  if (text === undefined) return false;
  await access.choose(text);
  return text.trim() !== '';
}

/** *Set the Queue's Password…*: tried out before it is said to work. */
export async function setQueuePassword(parts: SetUpQueueParts): Promise<void> {
  const { access, tell } = parts;
  if (chosenQueue() === '' && !(await askAddress(parts))) return;
  const asked = await access.asked();
  if (!asked) return;
  const { shown, grant } = asked;
  const password = await vscode.window.showInputBox({
    title: 'Espalier: Password of the Queue',
    prompt: `For ${shown}. It is kept in the system’s keychain and sent to this server alone${isOpen(shown) ? ', unencrypted' : ''}.`,
    placeHolder: grant.password === undefined ? '' : 'another one than is kept',
    password: true,
    ignoreFocusOut: true,
    validateInput: (typed) => (typed === '' ? "To delete it, run “Espalier: Forget the Queue's Password”." : undefined),
  });
  if (password === undefined || password === '') return;
  try {
    await withNotification(
      `Connecting to ${shown}`,
      () => tryQueue({ ...asked, grant: { ...grant, password } }, parts),
      {
        cancellable: false,
      },
    );
  } catch (error) {
    tell('The queue cannot be used with this password', error);
    const keep = 'Keep It';
    const chosen = await tellWarning(`${shown} could not be used with this password.`, keep, 'Try Again');
    if (chosen === 'Try Again') return setQueuePassword(parts);
    if (chosen === keep) await access.passwords.set(shown, password);
    return;
  }
  await access.passwords.set(shown, password);
  void tellInformation(`${shown} lets us in. The password is kept in the keychain.`);
}

/** *Forget the Queue's Password*. */
export async function forgetQueuePassword({ access: { passwords } }: SetUpQueueParts): Promise<void> {
  const { names } = passwords;
  const chosen = await vscode.window.showQuickPick(plainItems(names.map((label) => ({ label, name: label }))), {
    title: "Espalier: Forget the Queue's Password",
    placeHolder: names.length === 0 ? 'No password is kept' : 'The password of this server is deleted',
  });
  if (!chosen) return;
  await passwords.remove(chosen.name);
  void tellInformation(`The password of ${chosen.name} is deleted.`);
}

/** Connects once. @throws EspalierError `queue/unreachable`, `queue/refused` */
async function tryQueue({ grant }: AskedQueue, { log }: SetUpQueueParts): Promise<void> {
  const server = await QueueServer.connect(readQueueAddress(grant.address, grant.password), { log });
  await server.close();
}

/** What is wrong with an address that is being typed. */
function problemOf(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    readQueueAddress(text);
    return undefined;
  } catch (error) {
    const { expected, actual } = toErrorData(error, TITLE);
    return `Expected ${expected}; this is ${actual}.`;
  }
}

/** Whether what is sent there can be read on its way. */
function isOpen(shown: string): boolean {
  const { tls, host } = readQueueAddress(shown);
  return !tls && !['localhost', '127.0.0.1', '::1'].includes(host);
}
