import type * as vscode from 'vscode';
import type { FromPanel } from '../../view/panelMessages.ts';
import { cancelledError } from '../../base/errors.ts';
import { QueueAccess } from './queueAccess.ts';
import type { AskedQueue, QueueAccessParts } from './queueAccess.ts';
import { openQueueSetting } from './queueConfiguration.ts';
import { forgetQueuePassword, setQueuePassword } from './setUpQueue.ts';
import { copyWorkerCommand, showQueue } from './showQueue.ts';
import { workerCommand } from './workerCommand.ts';

export interface MachineQueueParts extends QueueAccessParts {
  readonly log: (line: string) => void;
}

/** The machine's queue as a person in the editor meets it: set up, looked at, and asked. */
export class MachineQueue implements vscode.Disposable {
  /** What is to be asked over a queue: where, and with what password; undefined where this machine computes. See {@link QueueAccess.asked}. */
  readonly asked: () => Promise<AskedQueue | undefined>;
  private readonly access: QueueAccess;
  private readonly parts: MachineQueueParts;

  constructor(parts: MachineQueueParts) {
    this.parts = parts;
    this.access = new QueueAccess(parts);
    this.asked = this.access.asked;
  }

  /** Its address without a password; undefined where there is none. */
  get shown(): string | undefined {
    return this.access.shown;
  }

  /** What a page may want. */
  readonly actions: Readonly<Record<Extract<FromPanel, { kind: 'queue' }>['wanted'], () => unknown>> = {
    command: async () => {
      const asked = await this.asked();
      if (!asked) throw cancelledError('copying a command');
      await copyWorkerCommand(workerCommand(asked.grant.address));
    },
    setting: openQueueSetting,
    password: () => this.setPassword(),
  };

  show(): Promise<void> {
    return this.attempt('The queue could not be looked at', showQueue);
  }

  setPassword(): Promise<void> {
    return this.attempt('The password could not be kept', setQueuePassword);
  }

  forgetPassword(): Promise<void> {
    return this.attempt('The password could not be deleted', forgetQueuePassword);
  }

  dispose(): void {
    this.access.dispose();
  }

  private async attempt(what: string, act: (parts: SetUp) => Promise<void>): Promise<void> {
    const { tell, log } = this.parts;
    await act({ access: this.access, tell, log }).catch((error: unknown) => {
      tell(what, error);
    });
  }
}

type SetUp = Parameters<typeof showQueue>[0];
