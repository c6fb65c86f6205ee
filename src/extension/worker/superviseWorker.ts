import path from 'node:path';
import * as vscode from 'vscode';
import { VERSION } from '../../base/version.ts';
import { forkWorker } from '../../protocol/workerProcess.ts';
import { SYSTEM_CLOCK } from '../../base/clock.ts';
import { Supervisor } from './supervisor.ts';

/** A supervisor of the worker that ships. @param label what its lines in the log begin with */
export function superviseWorker(
  context: vscode.ExtensionContext,
  label: string,
  log: (message: string) => void,
): Supervisor {
  return new Supervisor({
    spawn: () => {
      // Every way here asks before; this is for the one that forgets to.
      if (!vscode.workspace.isTrusted) throw new Error('the workspace is not trusted');
      return forkWorker({
        file: context.asAbsolutePath('dist/worker.cjs'),
        cacheFolder: path.join(context.globalStorageUri.fsPath, 'hashes'),
        log: (line) => {
          log(`[${label}] ${line}`);
        },
      });
    },
    version: VERSION,
    clock: SYSTEM_CLOCK,
    log,
  });
}
