import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { eventually } from './steps.ts';

/** Where Node listens once it is asked to by a signal. */
const INSPECTOR = 'http://127.0.0.1:9229/json/list';

/** How long the extension host does nothing else at a stretch, from now on: measured inside of it, by Node's own means. */
export interface HostDelay {
  /** Milliseconds of the longest stretch since the last time that it was asked. */
  longest(): Promise<number>;
  close(): Promise<void>;
}

/** @param folder that the editor was started with as its home. @param page of the browser, which has what it takes to talk to an inspector */
export async function watchHost(folder: string, page: Page): Promise<HostDelay> {
  const pid = hostOf(folder);
  process.kill(pid, 'SIGUSR1');
  const address = await eventually('the inspector of the extension host', inspectorAddress, (found) => found !== '');
  const blank = await page.context().browser()!.newPage();
  const evaluate = (expression: string): Promise<unknown> =>
    blank.evaluate(
      ([to, asked]) =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket(to!);
          socket.onerror = () => {
            reject(new Error(`nobody listens at ${to}`));
          };
          socket.onopen = () => {
            const params = { expression: asked, returnByValue: true };
            socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
          };
          socket.onmessage = ({ data }: MessageEvent<string>) => {
            const reply = JSON.parse(data) as { id?: number; result?: { result?: { value?: unknown } } };
            if (reply.id !== 1) return;
            socket.close();
            resolve(reply.result?.result?.value);
          };
        }),
      [address, expression],
    );
  const found = await evaluate('process.pid');
  if (found !== pid) throw new Error(`another process listens at ${INSPECTOR}: ${String(found)}, not ${pid}`);
  await evaluate(
    `globalThis.delayOfHost = process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution: 5 }); delayOfHost.enable()`,
  );
  return {
    longest: async () =>
      Number(await evaluate('(() => { const { max } = delayOfHost; delayOfHost.reset(); return max / 1e6; })()')),
    close: () => blank.close(),
  };
}

function hostOf(folder: string): number {
  const found = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      return words.includes('--type=extensionHost') && variables.includes(`HOME=${folder}`);
    } catch {
      // It has ended meanwhile, or is somebody else's.
      return false;
    }
  });
  if (found.length !== 1) throw new Error(`expected one extension host, found ${found.length}`);
  return Number(found[0]);
}

async function inspectorAddress(): Promise<string> {
  try {
    const [first] = (await (await fetch(INSPECTOR)).json()) as readonly { readonly webSocketDebuggerUrl: string }[];
    return first?.webSocketDebuggerUrl ?? '';
  } catch {
    return '';
  }
}
