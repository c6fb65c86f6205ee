import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { createRun, JOURNAL_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { summariseRun } from '../../src/runs/runSummary.ts';
import type { RunEvent } from '../../src/search/kinds.ts';
import type { MeasuredEvent } from '../../src/search/lifecycle/events.ts';
import { measurable } from '../../src/search/rates/configuration.ts';
import type { RateCandidate } from '../../src/search/rates/events.ts';
import type { EvoPressSettings } from '../../src/search/rates/evopress/settings.ts';
import { evoPressPlan, noisyProblem } from '../search/rates/simulation.ts';
import { driveScripted, eventsOf, storyOf } from './drivenRun.ts';
import { textOf } from './scriptedWorker.ts';
import type { Script } from './scriptedWorker.ts';

const PROBLEM = noisyProblem(4, 8, 6);
/** No round sees the whole text: a new parent is measured there beside. */
const SELECTION = { offspring: 7, rounds: [1, 2, 4], survivors: [4, 2, 1], generations: 3, finalists: 2 };

const root = await mkdtemp(path.join(tmpdir(), 'espalier-evopress-'));
afterAll(() => rm(root, { recursive: true, force: true }));

let second = 0;
function newRun(search: Partial<EvoPressSettings>): Promise<RunFolder> {
  const plan = evoPressPlan({ ...SELECTION, ...search });
  const absolute = { ...plan, model: path.join(root, 'model'), text: path.join(root, 'text.txt') };
  return createRun(absolute, { root, createdAt: new Date(1763804575000 + 1000 * second++), versions: {} });
}

/** A script, and all that its workers were asked to measure: what, and on which blocks. */
function counted(script: Script = {}): { readonly script: Script; readonly asked: string[] } {
  const asked: string[] = [];
  const react: Script['react'] = (request, about, on) => {
    if (on?.kind === 'blocks') asked.push(...about.map((one) => `${one} on ${on.begin}–${on.end}`));
    return script.react?.(request, about, on) ?? 'answer';
  };
  return { asked, script: { rates: PROBLEM, ...script, react } };
}

function measuredIn(events: readonly RunEvent[]): readonly MeasuredEvent[] {
  return events.flatMap((event) => (event.kind === 'measured' ? [event] : []));
}

function candidatesIn(events: readonly RunEvent[]): readonly RateCandidate[] {
  return events.flatMap((event) => (event.kind === 'candidate' && 'rates' in event ? [event] : []));
}

function expectNothingTwice(events: readonly RunEvent[]): void {
  const keys = measuredIn(events).map(({ id, rung }) => `${id}/${rung}`);
  expect(keys.length).toBe(new Set(keys).size);
}

describe.each<[what: string, search: Partial<EvoPressSettings>]>([
  ['rates', {}],
  ['layers', { drop: 'sublayers', starts: 9 }],
])('a search by EvoPress for %s comes to the same end', (_, search) => {
  let undisturbed: RunFolder;
  let story: readonly string[];
  let questions: readonly string[];
  beforeAll(async () => {
    undisturbed = await newRun(search);
    const { script, asked } = counted();
    expect((await driveScripted(undisturbed, script)).outcome.kind).toBe('finished');
    story = await storyOf(undisturbed);
    questions = asked;
  });

  it('which is a whole one: with rounds, new parents, and finalists that were evaluated', async () => {
    const events = await eventsOf(undisturbed);
    expectNothingTwice(events);
    expect(questions).toHaveLength(measuredIn(events).length);
    const candidates = candidatesIn(events);
    expect(new Set(candidates.map(({ outcome }) => outcome.kind))).toContain('stopped');
    expect(new Set(candidates.flatMap(({ parents }) => parents)).size).toBeGreaterThan(1);
    // Somebody was measured in several rounds.
    const rungsOf = (of: number): number => measuredIn(events).filter(({ id }) => id === of).length;
    expect(Math.max(...candidates.map(({ id }) => rungsOf(id)))).toBeGreaterThanOrEqual(4);
    // The old parent is measured again in the last round of each generation.
    const stride = SELECTION.rounds.length + 1;
    for (const { generation, parents } of candidates.filter(({ parents }) => parents.length > 0)) {
      const rung = generation * stride + stride - 2;
      expect(measuredIn(events).some((each) => each.id === parents[0] && each.rung === rung)).toBe(true);
    }
    const finished = events.at(-1)!;
    const best = finished.kind === 'finished' && 'best' in finished ? finished.best : [];
    expect(best).toHaveLength(2);
    const finalists = events.flatMap((event) => (event.kind === 'finalist' ? [event] : []));
    expect(finalists.flatMap(({ id }) => id ?? []).sort()).toEqual([...best].sort());
    expect(finalists.map(({ name }) => name)).toEqual(expect.arrayContaining(['uniform', 'owl']));
    for (const { result } of finalists) expect(result?.perplexity).toBeGreaterThan(20);
    expect(await summariseRun(undisturbed.folder)).toMatchObject({
      ...{ state: 'finished', generation: 3, best: { kind: 'rates', id: best[0] } },
    });
  });

  it.each([2, 3])('with %d workers that overtake each other, asked the same', async (workers) => {
    const run = await newRun(search);
    const rng = new Rng(workers);
    const { script, asked } = counted({ delay: () => rng.integer(5) });
    await driveScripted(run, script, { workers });
    expect(await storyOf(run)).toEqual(story);
    expect([...asked].sort()).toEqual([...questions].sort());
  });

  it.each([1, 5, 13])('paused after every %d events and resumed', async (every) => {
    const run = await newRun(search);
    const { script, asked } = counted();
    let pauses = 0;
    for (let ended = false; !ended;) {
      const pause = new AbortController();
      let events = 0;
      const { outcome } = await driveScripted(run, script, {
        signal: pause.signal,
        onEvent: ({ event }) => {
          if (!['resumed', 'paused'].includes(event.kind) && ++events === every) pause.abort();
        },
      });
      ended = outcome.kind === 'finished';
      if (!ended) pauses++;
      expect(pauses).toBeLessThan(story.length + questions.length);
    }
    expect(pauses).toBeGreaterThan(3);
    const events = await eventsOf(run);
    expectNothingTwice(events);
    expect(await storyOf(run)).toEqual(story);
    // What was under way is asked again; what is in the journal is not.
    expect(new Set(asked)).toEqual(new Set(questions));
  });

  it('resumed from every line of its journal, with nothing asked that is in it', async () => {
    const run = await newRun(search);
    await driveScripted(run, counted().script);
    const file = path.join(run.folder, JOURNAL_FILE);
    const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
    for (let cut = 1; cut < lines.length; cut++) {
      const kept = lines.slice(0, cut);
      // Every third time the last line is torn too.
      const torn = cut % 3 === 0 ? lines[cut]!.slice(0, lines[cut]!.length / 2) : '';
      await writeFile(file, kept.map((line) => `${line}\n`).join('') + torn);
      const known = kept.filter((line) => line.includes('"kind":"measured"')).length;
      const { script, asked } = counted();
      await driveScripted(run, script, { workers: 1 + (cut % 2) });
      expect(asked).toHaveLength(questions.length - known);
      expectNothingTwice(await eventsOf(run));
      expect(await storyOf(run)).toEqual(story);
    }
  });

  /** Its workers end at what stands first in this round of the second generation, each time. */
  const deadly = (): { readonly script: Script; readonly culprit: () => string } => {
    let culprit = '';
    let rounds = 0;
    let last = '';
    const react: Script['react'] = (request, about, on) => {
      if (request !== 'measure' || on?.kind !== 'blocks') return 'answer';
      const round = `${on.begin}–${on.end}`;
      if (round !== last && on.end - on.begin === 2) rounds++;
      last = round;
      if (rounds === 2 && culprit === '') culprit = about[0]!;
      return culprit !== '' && on.end - on.begin === 2 && about.includes(culprit) ? 'die' : 'answer';
    };
    return { script: counted({ react }).script, culprit: () => culprit };
  };

  it('but for a configuration that ends its workers: that one is not tried again, and the search goes on', async () => {
    const run = await newRun(search);
    const { script, culprit } = deadly();
    expect((await driveScripted(run, script)).outcome.kind).toBe('finished');
    const events = await eventsOf(run);
    const quarantined = events.flatMap((event) => (event.kind === 'quarantined' ? [event] : []));
    expect(quarantined).toHaveLength(1);
    const [{ id, error }] = quarantined as [(typeof quarantined)[0]];
    const candidate = candidatesIn(events).find((each) => each.id === id)!;
    expect(candidate.outcome).toEqual({ kind: 'invalid', detail: error.actual });
    expect(textOf(measurable(candidate, PROBLEM.opening.components))).toBe(culprit());
    // It had been measured in the first round, and is not in a later one.
    const own = measuredIn(events).filter((each) => each.id === id);
    expect(own.map(({ measure }) => measure.kind)).toEqual(['loss', 'invalid']);
    expectNothingTwice(events);
    const finished = events.at(-1)!;
    expect(finished).toMatchObject({ kind: 'finished', counts: { invalid: 1 } });
    expect(finished.kind === 'finished' && 'best' in finished ? finished.best : [id]).not.toContain(id);
    const generations = events.flatMap((event) => (event.kind === 'generation' ? [event.generation] : []));
    expect(generations).toEqual([0, 1, 2, 3]);

    // Nor is it when the search goes on from there.
    const told = await storyOf(run);
    const file = path.join(run.folder, JOURNAL_FILE);
    const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1);
    const at = lines.findIndex((line) => line.includes('"kind":"measured"') && line.includes('quarantined'));
    expect(at).toBeGreaterThan(0);
    await writeFile(file, `${lines.slice(0, at + 1).join('\n')}\n`);
    const { script: healthy, asked } = counted();
    await driveScripted(run, healthy);
    expect(await storyOf(run)).toEqual(told);
    expect(asked.filter((one) => one.startsWith(culprit()))).toEqual([]);
  });
});

it('a parent that ends its workers on other blocks stays found, and the search goes on with who is left', async () => {
  const run = await newRun({});
  let [culprit, whole] = ['', 0];
  const react: Script['react'] = (request, about, on) => {
    if (request !== 'measure' || on?.kind !== 'blocks') return 'answer';
    const blocks = on.end - on.begin;
    // Two baselines are measured on the whole text, then the first new parent; old ones join the last round.
    if (blocks === PROBLEM.opening.blocks && ++whole === 3) culprit = about[0]!;
    return blocks === 4 && about.includes(culprit) ? 'die' : 'answer';
  };
  await driveScripted(run, counted({ react }).script);
  const events = await eventsOf(run);
  const quarantined = events.flatMap((event) => (event.kind === 'quarantined' ? [event.id] : []));
  const [id] = quarantined as [number];
  expect(quarantined).toEqual([id]);
  const candidates = candidatesIn(events);
  expect(candidates.find((each) => each.id === id)!.outcome.kind).toBe('full');
  const parents = candidates.flatMap((each) => each.parents);
  expect(parents).toContain(id);
  expect(parents.at(-1)).not.toBe(id);
  expect(events.at(-1)).toMatchObject({ kind: 'finished', counts: { invalid: 0 } });
});
