import * as vscode from 'vscode';
import { toErrorData } from '../../base/errors.ts';
import type { RequestParams } from '../../protocol/requests.ts';
import { holdsPassword, readQueueAddress, withoutPassword } from '../../queue/queueAddress.ts';
import type { QueueAddress } from '../../queue/queueAddress.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { KeptSecrets } from '../keptSecrets.ts';
import { tellInformation } from '../messages.ts';
import { chooseQueue, chosenQueue, QUEUE_SETTING } from './queueConfiguration.ts';

const SERVERS_KEY = 'espalier.queue.servers';
/** Milliseconds that a setting rests before a password is taken out of it: the editor keeps each stop in typing. */
const REST = 2000;

/** A queue as it is asked from here. */
export interface AskedQueue {
  /** What goes, by message alone, to the process that asks: it is kept nowhere. */
  readonly grant: NonNullable<RequestParams<'search'>['queue']>;
  /** Its address as it may be shown. */
  readonly shown: string;
}

export interface QueueAccessParts {
  readonly context: Pick<vscode.ExtensionContext, 'secrets' | 'globalState'>;
  readonly tell: (what: string, error: unknown) => void;
  /** The setting says another queue than before, or none. */
  readonly onChange: (shown: string | undefined) => void;
  readonly clock?: Clock;
}

/** The machine's queue: its address from the settings, its password from the keychain. A password in the setting is moved there. */
export class QueueAccess implements vscode.Disposable {
  readonly passwords: KeptSecrets;
  private readonly parts: QueueAccessParts;
  private readonly listening: vscode.Disposable;
  private moving: Promise<void> | undefined;
  private undoWait: (() => void) | undefined;
  private last: string | undefined;

  constructor(parts: QueueAccessParts) {
    const { context, clock = SYSTEM_CLOCK } = parts;
    this.parts = parts;
    this.passwords = new KeptSecrets('espalier.queue.password', {
      secrets: context.secrets,
      index: {
        get: () => context.globalState.get<readonly string[]>(SERVERS_KEY, []),
        set: (servers) => context.globalState.update(SERVERS_KEY, servers),
      },
    });
    this.last = this.shown;
    this.listening = vscode.workspace.onDidChangeConfiguration((event) => {
      if (!event.affectsConfiguration(QUEUE_SETTING)) return;
      this.undoWait?.();
      this.undoWait = clock.after(REST, () => void this.changed());
    });
    void this.changed();
  }

  /** Address of the queue, without a password; undefined where there is none, or none that can be read. */
  get shown(): string | undefined {
    try {
      return this.read()?.shown;
    } catch {
      return undefined;
    }
  }

  /**
   * What is to be asked over a queue: where, and with what password. Undefined where everything is computed on this machine.
   *
   * @throws EspalierError `queue/address` for a setting that is no address; it repeats nothing of it
   */
  readonly asked = async (): Promise<AskedQueue | undefined> => {
    await this.movePassword();
    const address = this.read();
    if (!address) return undefined;
    const password = await this.passwords.get(address.shown);
    const grant = { address: chosenQueue(), ...(password !== undefined && { password }) };
    return { grant, shown: address.shown };
  };

  /**
   * Makes an address the setting; a password in it goes to the keychain.
   *
   * @param text empty for this machine
   * @throws EspalierError `queue/address`
   */
  async choose(text: string): Promise<void> {
    if (text.trim() === '') await chooseQueue('');
    else await this.keep(text, readQueueAddress(text));
  }

  dispose(): void {
    this.undoWait?.();
    this.listening.dispose();
  }

  private read(): QueueAddress | undefined {
    const text = chosenQueue();
    return text === '' ? undefined : readQueueAddress(text);
  }

  private async changed(): Promise<void> {
    await this.movePassword().catch((error: unknown) => {
      this.parts.tell('The password could not be taken out of the setting espalier.queue', error);
    });
    const { shown, last } = this;
    this.last = shown;
    if (shown !== last) this.parts.onChange(shown);
  }

  /** Once at a time: what asks meanwhile waits for it. */
  private async movePassword(): Promise<void> {
    this.moving ??= this.move().finally(() => {
      this.moving = undefined;
    });
    await this.moving;
  }

  /** Takes a password out of the setting, which is a file that others may read, and says so. */
  private async move(): Promise<void> {
    const text = chosenQueue();
    if (!holdsPassword(text)) return;
    let address: QueueAddress;
    try {
      address = readQueueAddress(text);
    } catch (error) {
      // Whose it is cannot be said. It does not stay there all the same.
      await chooseQueue(withoutPassword(text));
      const { actual } = toErrorData(error, 'reading the setting espalier.queue');
      void tellInformation(
        `The setting espalier.queue held a password and is no address (${actual}): the password was removed. Correct the address, then run “Espalier: Set the Queue's Password…”.`,
      );
      return;
    }
    await this.keep(text, address);
    void tellInformation(
      `The password in the setting espalier.queue was moved to the keychain: it is sent to ${address.shown} alone, and stands in no file any more.`,
    );
  }

  private async keep(text: string, { shown, password }: QueueAddress): Promise<void> {
    if (password !== undefined) await this.passwords.set(shown, password);
    await chooseQueue(holdsPassword(text) ? withoutPassword(text) : text.trim());
  }
}
