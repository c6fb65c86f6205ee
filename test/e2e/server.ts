import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

export interface Server {
  readonly url: string;
  /** The user's settings.json; the window takes changes over as they are written. */
  writeSettings(settings: Readonly<Record<string, unknown>>): void;
  /** Ends the server; what it has started must end by itself. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Where the real VS Code is installed. */
  readonly vscode: string;
  /** Folder for settings, state and extensions of this run; emptied first. */
  readonly folder: string;
  readonly vsix: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of the environment. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Installs the VSIX as a user would, into an editor without any history, and starts that editor. */
export async function startServer({ vscode, folder, vsix, settings, variables }: ServerOptions): Promise<Server> {
  rmSync(folder, { recursive: true, force: true });
  const user = path.join(folder, 'user');
  mkdirSync(path.join(user, 'User'), { recursive: true });
  const writeSettings = (changed: Readonly<Record<string, unknown>>): void => {
    writeFileSync(path.join(user, 'User/settings.json'), JSON.stringify({ ...settings, ...changed }, undefined, 2));
  };
  writeSettings({});
  const entry = path.join(vscode, 'node_modules/code-server/out/node/entry.js');
  const folders = [
    '--user-data-dir',
    user,
    '--extensions-dir',
    path.join(folder, 'extensions'),
    '--config',
    path.join(folder, 'config.yaml'),
  ];
  // Nothing of this machine's user enters.
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, ...variables };
  const installed = spawnSync(process.execPath, [entry, ...folders, '--install-extension', vsix], {
    encoding: 'utf8',
    env,
  });
  if (installed.status !== 0) throw new Error(`installing the VSIX failed: ${installed.stdout}${installed.stderr}`);

  const port = await freePort();
  const child = spawn(
    process.execPath,
    [
      entry,
      ...folders,
      '--auth',
      'none',
      '--bind-addr',
      `127.0.0.1:${port}`,
      '--disable-telemetry',
      '--disable-update-check',
      '--disable-getting-started-override',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env },
  );
  let log = '';
  await new Promise<void>((resolve, reject) => {
    const onData = (data: Buffer): void => {
      log += String(data);
      if (log.includes('HTTP server listening')) resolve();
    };
    child.stdout.on('data', onData);
    child.stderr.on('data', onData);
    child.once('exit', () => {
      reject(new Error(`the editor did not start: ${log}`));
    });
  });
  return {
    url: `http://127.0.0.1:${port}/`,
    writeSettings,
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', () => {
          resolve();
        });
        child.kill('SIGTERM');
      }),
  };
}

/** Process ids of everything that runs a file of the installed extension, by the bundle's name. */
export function processesOf(bundle: string, folder: string): number[] {
  const extensions = path.join(folder, 'extensions');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return words.some((word) => word.startsWith(extensions) && word.endsWith(`/dist/${bundle}`));
      } catch {
        // It has ended meanwhile.
        return false;
      }
    })
    .map(Number);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  });
}
