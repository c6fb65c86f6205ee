import path from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { commitOf, HubServer } from '../../hub/hubServer.ts';
import { MODEL, temporaryFolder } from '../../hub/hubSession.ts';
import { failureOf } from '../../support/expectCoded.ts';

/** What the person in the editor sees, answers and does. */
const editor = vi.hoisted(() => ({
  isTrusted: true,
  answer: 'Download',
  asked: [] as string[],
  told: [] as string[],
  cancel: undefined as undefined | (() => void),
  cancelAt: Infinity,
  open: 0,
}));

vi.mock('vscode', () => ({
  ProgressLocation: { Notification: 15 },
  workspace: {
    get isTrusted() {
      return editor.isTrusted;
    },
  },
  window: {
    showWarningMessage: (text: string, { detail }: { detail: string }) => {
      editor.asked.push(`${text}\n${detail}`);
      return Promise.resolve(editor.answer);
    },
    withProgress: async (
      { title }: { title: string },
      task: (progress: object, token: object) => Promise<unknown>,
    ): Promise<unknown> => {
      editor.told.push(title);
      editor.open++;
      let steps = 0;
      let cancel = (): void => undefined;
      const report = ({ message }: { message: string }): void => {
        editor.told.push(message);
        if (++steps === editor.cancelAt) cancel();
      };
      await task({ report }, { onCancellationRequested: (listener: () => void) => (cancel = listener) });
      editor.open--;
      return undefined;
    },
  },
}));

let server: HubServer;
let cache: string;
let fetched = 0;
beforeEach(async () => {
  server = await HubServer.start({
    'models/o/m': { files: MODEL, tags: ['license:llama3.2'], gated: 'manual' },
  });
  cache = path.join(temporaryFolder(onTestFinished), 'hub');
  vi.stubEnv('HF_ENDPOINT', server.endpoint);
  vi.stubEnv('HF_HUB_CACHE', cache);
  vi.stubEnv('HF_TOKEN', '');
  vi.stubEnv('HF_HOME', path.join(cache, '..', 'home'));
  fetched = 0;
  Object.assign(editor, { isTrusted: true, answer: 'Download', asked: [], told: [], cancelAt: Infinity, open: 0 });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
});

const PLAN = { model: 'hf:o/m', text: '/a/text', settings: {} };
const place = (): string => path.join(cache, 'models--o--m', 'snapshots', commitOf(MODEL));

async function access() {
  const { HubAccess } = await import('../../../src/extension/hub/hubAccess.ts');
  return new HubAccess(() => {
    fetched++;
  });
}

it('asks with what it is, how large, from where to where, and under which licence; then tells how far it is', async () => {
  const hub = await access();
  expect(await hub.cached(PLAN)).toEqual(PLAN);
  expect(await hub.located(PLAN)).toEqual({ ...PLAN, model: place() });
  expect(editor.asked).toEqual([
    [
      'Download hf:o/m?',
      `7 files, 500 kB, from ${server.endpoint}`,
      `to ${cache}, the cache that Python’s library shares.`,
      'Licence: llama3.2.',
      `It is gated: its licence has to be accepted at ${server.endpoint}/o/m, and a token to be set (HF_TOKEN).`,
    ].join('\n'),
  ]);
  expect(editor.told[0]).toBe('Downloading hf:o/m');
  expect(editor.told.at(-1)).toMatch(/^500 kB of 500 kB: /);
  await Promise.resolve();
  expect({ fetched, open: editor.open }).toEqual({ fetched: 1, open: 0 });

  expect(await hub.cached(PLAN)).toEqual({ ...PLAN, model: place() });
  expect(await hub.located(PLAN)).toEqual({ ...PLAN, model: place() });
  expect({ fetched, asked: editor.asked.length }).toEqual({ fetched: 1, asked: 1 });
});

it('a no is a cancellation, and fetches nothing', async () => {
  editor.answer = '';
  const hub = await access();
  expect((await failureOf(() => hub.located(PLAN))).code).toBe('cancelled');
  expect(server.seen.filter(({ path: asked }) => asked.includes('safetensors') && !asked.includes('index'))).toEqual(
    [],
  );
  expect({ fetched, told: editor.told }).toEqual({ fetched: 0, told: [] });
});

it('a model that is looked at alone is one of the cache, and nothing is fetched for it', async () => {
  const hub = await access();
  expect((await failureOf(() => hub.modelHere('hf:o/m'))).code).toBe('hub/not-agreed');
  expect(server.seen).toEqual([]);
  await hub.located(PLAN);
  expect(await hub.modelHere('hf:o/m')).toBe(place());
  expect(await hub.modelHere('/a/folder')).toBe('/a/folder');
});

it('is stopped from the notification', async () => {
  editor.cancelAt = 2;
  const hub = await access();
  expect((await failureOf(() => hub.located(PLAN))).code).toBe('cancelled');
  await Promise.resolve();
  expect(editor.open).toBe(0);
});

it('without trust nobody is asked, the hub neither', async () => {
  editor.isTrusted = false;
  const hub = await access();
  expect(await hub.cached(PLAN)).toEqual(PLAN);
  expect((await failureOf(() => hub.located(PLAN))).data).toMatchObject({
    code: 'hub/not-agreed',
    actual: 'one in restricted mode',
  });
  expect({ seen: server.seen, asked: editor.asked }).toEqual({ seen: [], asked: [] });
});

it('a plan of paths passes as it is', async () => {
  editor.isTrusted = false;
  const plan = { model: '/m', text: '/t' };
  expect(await (await access()).located(plan)).toBe(plan);
});
