import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleFetching, expectSound, expectWhole, startFetching, stepByStep } from './fetchingProcesses.ts';
import { commitOf, HubServer } from './hubServer.ts';
import { MODEL, temporaryFolder } from './hubSession.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-hub-'));
let bundle: string;
let server: HubServer;
beforeAll(async () => {
  bundle = await bundleFetching(folder);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => server.stop());

describe('several processes', () => {
  it.each([
    ['before the first byte', 5],
    ['in the first file', 14],
    ['in the second', 34],
    ['near the end', 44],
  ])('killed %s, the next one ends it', async (_, moment) => {
    server = await HubServer.start({ 'models/o/m': { files: MODEL } });
    const cache = temporaryFolder(onTestFinished);
    const first = startFetching(bundle, server, cache);
    server.fault = stepByStep((step) => {
      if (step === moment) first.child.kill('SIGKILL');
    });
    expect(await first.said).toBeUndefined();
    expectSound(cache);
    server.fault = undefined;
    const second = startFetching(bundle, server, cache);
    expect(await second.said).toEqual({ place: path.join(cache, 'models--o--m', 'snapshots', commitOf(MODEL)) });
    expectWhole(cache);
  });

  it('at once fetch each file once, and both have it', async () => {
    server = await HubServer.start({ 'models/o/m': { files: MODEL } });
    const cache = temporaryFolder(onTestFinished);
    server.fault = stepByStep(() => undefined, 4096);
    const both = [1, 2].map(() => startFetching(bundle, server, cache));
    const place = path.join(cache, 'models--o--m', 'snapshots', commitOf(MODEL));
    expect(await Promise.all(both.map(({ said }) => said))).toEqual([{ place }, { place }]);
    expectWhole(cache);
    const large = server.seen.filter(({ host }) => host === 'cdn').map((each) => each.path);
    expect(large).toHaveLength(new Set(large).size);
  });
});
