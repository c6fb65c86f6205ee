import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { bundleFetching, expectSound, expectWhole, startFetching, stepByStep } from './fetchingProcesses.ts';
import { HubServer } from './hubServer.ts';
import { MODEL } from './hubSession.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'espalier-hub-'));
let bundle: string;
beforeAll(async () => {
  bundle = await bundleFetching(folder);
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Caches that are filled so; more with `ESPALIER_CASES`. */
const ROUNDS = Number(process.env['ESPALIER_CASES'] ?? 6);

/** Of the requests and pieces that a model of half a megabyte takes. */
const STEPS = 48;

it('killed again and again at any moment, two at a time, the cache stays sound, and the last one ends it', async () => {
  const rng = new Rng(1);
  const server = await HubServer.start({ 'models/o/m': { files: MODEL } });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const cache = path.join(folder, `cache-${round}`);
      for (let kill = 0; kill < 3; kill++) {
        const both = [startFetching(bundle, server, cache), startFetching(bundle, server, cache)];
        const moments = both.map(() => 1 + rng.integer(STEPS));
        const late = both.map(() => rng.integer(20));
        server.fault = stepByStep((step) => {
          for (const [i, { child }] of both.entries()) {
            // A little later: between a reply and what is made of it.
            if (step === moments[i]) setTimeout(() => child.kill('SIGKILL'), late[i]);
          }
        });
        await Promise.all(both.map(({ said }) => said));
        expectSound(cache);
      }
      server.fault = undefined;
      expect(await startFetching(bundle, server, cache).said).toHaveProperty('place');
      expectWhole(cache);
      rmSync(cache, { recursive: true });
    }
  } finally {
    await server.stop();
  }
});
