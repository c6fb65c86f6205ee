import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import type { SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import type { LlmSettings } from '../../src/search/llm/settings.ts';
import type { MaskSearchPlan } from '../../src/search/masks/plan.ts';
import type { SelfPrunerPlan } from '../../src/search/rates/selfPruner/plan.ts';
import type { RunEvent } from '../../src/search/kinds.ts';
import { estimateTokens, LanguageModelError } from '../../src/llm/languageModel.ts';
import type { LanguageModel } from '../../src/llm/languageModel.ts';
import { createRun, JOURNAL_FILE, RUN_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import { summariseRun } from '../../src/runs/runSummary.ts';
import { maskPlan, maskProblem } from '../search/masks/simulation.ts';
import { ratePlan, rateProblem } from '../search/rates/simulation.ts';
import { failureOf } from '../support/expectCoded.ts';
import { replyTo, ScriptedLlm, TEXT_STYLES } from '../support/scriptedLlm.ts';
import type { Fault } from '../support/scriptedLlm.ts';
import { driveScripted, eventsOf, storyOf } from './drivenRun.ts';
import type { Driven } from './drivenRun.ts';
import { fullDisk } from './fullDisk.ts';
import type { Script } from './scriptedWorker.ts';
import type { EndOf } from '../../src/coordinator/searchRun.ts';
import type { RateGeneration } from '../../src/search/rates/events.ts';

const RATES = rateProblem(3);
const MASKS = maskProblem(5);
const KEY = 'sk-marker-of-a-key-0123';
const ELSEWHERE = 'http://elsewhere.example/v1';

const root = await mkdtemp(path.join(tmpdir(), 'espalier-structure-'));
afterAll(() => rm(root, { recursive: true, force: true }));

let second = 0;
function newRun<Plan extends SelfPrunerPlan | MaskSearchPlan>(plan: Plan): Promise<RunFolder<Plan>> {
  const absolute = { ...plan, model: path.join(root, 'model'), text: path.join(root, 'text.txt') };
  return createRun(absolute, { root, createdAt: new Date(1763804575000 + 1000 * second++), versions: {} });
}

const LLM: Partial<LlmSettings> = { provider: 'vscode', timeout: 5 };
const rates = (llm: Partial<LlmSettings> = {}, search: Partial<SelfPrunerPlan['search']> = {}): SelfPrunerPlan =>
  ratePlan({ population: 6, mutations: 3, crossovers: 2, generations: 3, finalists: 2, ...search }, llm);
const masks = (search: Partial<MaskSearchPlan['search']> = {}): MaskSearchPlan => ({
  ...maskPlan({ steps: 30, masks: 3, checkpoints: 3, initial: 'metric', ...search }),
  baselines: [
    {
      name: 'wanda-sp',
      structure: {
        kind: 'scored',
        score: { kind: 'method', method: 'wanda-sp' },
        rates: { kind: 'uniform' },
      },
    },
  ],
});

const drive = (run: RunFolder, script: Script = {}, options: Partial<SearchRunOptions> = {}): Promise<Driven> =>
  driveScripted(run, { rates: RATES, masks: MASKS, ...script }, options);

/** A language model that remembers what it was asked; equal questions have equal answers. */
function memoryModel(answer: (call: number) => 'answer' | 'hang' | 'fail' = () => 'answer'): {
  readonly asked: string[];
  readonly languageModel: { host: () => LanguageModel };
} {
  const asked: string[] = [];
  const model: LanguageModel = {
    complete: ({ prompt, idempotencyKey }, signal) => {
      asked.push(idempotencyKey);
      const text = replyTo(prompt, new Rng(prompt.length), asked.length % 3 === 0 ? 'wrong-length' : 'wrong-mean');
      const how = answer(asked.length - 1);
      if (how === 'answer') return Promise.resolve({ text, usage: { promptTokens: 100, replyTokens: 10 }, model: 'm' });
      if (how === 'fail') {
        const said = { expected: 'an answer', actual: 'none', remedy: 'Wait.' };
        const usage = { promptTokens: 70, replyTokens: 0 };
        return Promise.reject(new LanguageModelError({ code: 'llm/refused', ...said, usage }));
      }
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    },
  };
  return { asked, languageModel: { host: () => model } };
}

describe('a search for rates comes to the same end', () => {
  it.each([
    ['with classical operators', {}],
    ['with a language model', LLM],
  ])('%s, however many workers there are and whoever dies', async (_, llm) => {
    const stories: (readonly string[])[] = [];
    for (const workers of [1, 3]) {
      const run = await newRun(rates(llm));
      const rng = new Rng(workers);
      const { languageModel } = memoryModel();
      const hit = new Set<string>();
      const script: Script = {
        delay: () => rng.integer(4),
        react: (request, about) => {
          if (workers === 1 || request !== 'measure' || rng.uniform() > 0.15 || hit.size > 2) return 'answer';
          if (about.some((one) => hit.has(one))) return 'answer';
          for (const one of about) hit.add(one);
          return 'die';
        },
      };
      expect((await drive(run, script, { workers, languageModel })).outcome.kind).toBe('finished');
      stories.push((await storyOf(run)).map((line) => line.replaceAll(run.record.id, 'RUN')));
    }
    expect(stories[1]).toEqual(stories[0]);
  });

  it('resumed from every cut of its journal, with no reply asked for twice', async () => {
    const whole = await newRun(rates(LLM));
    const first = memoryModel();
    await drive(whole, {}, { languageModel: first.languageModel });
    const expected = await storyOf(whole);
    expect(expected.filter((line) => line.includes('llm-replied')).length).toBe(first.asked.length);
    const lines = (await readFile(path.join(whole.folder, JOURNAL_FILE), 'utf8')).split('\n').slice(0, -1);
    for (let cut = 1; cut < lines.length; cut += 11) {
      const kept = lines.slice(0, cut);
      const last = JSON.parse(kept.at(-1)!) as { event: RunEvent };
      if (last.event.kind === 'llm-asked') kept.pop();
      await writeFile(path.join(whole.folder, JOURNAL_FILE), kept.map((line) => `${line}\n`).join(''));
      const had = kept.filter((line) => line.includes('"llm-replied"')).length;
      const second = memoryModel();
      // Answers depend on how often this model was asked, so the same story needs it to be asked for what is missing alone.
      second.asked.push(...first.asked.slice(0, had));
      await drive(whole, {}, { workers: 2, languageModel: second.languageModel });
      expect(second.asked).toEqual(first.asked);
      expect(await storyOf(whole)).toEqual(expected);
    }
  });
});

describe('a request to the language model', () => {
  it('that was under way when its process ended is not sent again', async () => {
    const run = await newRun(rates(LLM));
    const first = memoryModel();
    await drive(run, {}, { languageModel: first.languageModel });
    const lines = (await readFile(path.join(run.folder, JOURNAL_FILE), 'utf8')).split('\n').slice(0, -1);
    const at = lines.findIndex((line) => line.includes('"kind":"llm-asked","call":2'));
    await writeFile(
      path.join(run.folder, JOURNAL_FILE),
      lines
        .slice(0, at + 1)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const second = memoryModel();
    await drive(run, {}, { languageModel: second.languageModel });
    const events = await eventsOf(run);
    const replied = events.filter((event) => event.kind === 'llm-replied');
    expect(replied.find(({ call }) => call === 2)?.reply).toEqual({ kind: 'lost' });
    expect(second.asked).not.toContain(`${run.record.id}-2`);
    expect(second.asked.length).toBeGreaterThan(0);
    // Somebody had to stand in for it, and it is said.
    expect(events.some((event) => event.kind === 'fallback')).toBe(true);
    expect(replied.map(({ call }) => call)).toEqual(replied.map((_, i) => i));

    // Replayed it is lost again, so that the search is the same.
    const again = await newRun(rates({ ...LLM, provider: 'replay', replay: run.record.id }));
    await drive(again);
    expect(await findingsOf(again)).toEqual(await findingsOf(run));
  });

  it('is given up at once when the run is paused, and that is in the journal', async () => {
    const run = await newRun(rates(LLM));
    const pause = new AbortController();
    const { languageModel, asked } = memoryModel((call) => (call === 1 ? 'hang' : 'answer'));
    const driven = drive(run, {}, { languageModel, signal: pause.signal });
    await expect.poll(() => asked.length).toBe(2);
    const began = performance.now();
    pause.abort();
    expect((await driven).outcome.kind).toBe('paused');
    expect(performance.now() - began).toBeLessThan(1000);
    const kinds = (await eventsOf(run)).map((event) => (event.kind === 'llm-replied' ? event.reply.kind : event.kind));
    expect(kinds.slice(-3)).toEqual(['llm-asked', 'lost', 'paused']);
    expect((await drive(run, {}, memoryModel())).outcome.kind).toBe('finished');
  });

  it('that fails is a reply, and classical operators stand in', async () => {
    const run = await newRun(rates({ ...LLM, promptPrice: 10 }));
    await drive(
      run,
      {},
      memoryModel(() => 'fail'),
    );
    const events = await eventsOf(run);
    const failed = events.filter((event) => event.kind === 'llm-replied').map(({ reply }) => reply);
    expect(failed.length).toBeGreaterThan(2);
    for (const reply of failed) {
      expect(reply).toMatchObject({ kind: 'failed', error: { code: 'llm/refused' }, cost: (70 * 10) / 1e6 });
    }
    const finished = events.find((event): event is EndOf<'rates'> => event.kind === 'finished');
    expect(finished?.counts).toMatchObject({ failedCalls: failed.length, promptTokens: 70 * failed.length });
    expect(finished?.counts.fallbacks).toBe(finished?.counts.candidates);
  });

  it('is not made beyond the cap, which a run may go on with raised', async () => {
    const run = await newRun(rates({ ...LLM, tokenCap: 850 }));
    const first = memoryModel();
    await drive(run, {}, { languageModel: first.languageModel });
    expect(first.asked).toHaveLength(2);
    const events = await eventsOf(run);
    // What a request takes at least is looked at before: the cap would have been reached by the prompt of the next one.
    const prompts = events.flatMap((event) => (event.kind === 'llm-asked' ? [estimateTokens(event.prompt)] : []));
    expect(prompts.map((tokens, i) => tokens + 110 * i < 850)).toEqual([true, true]);
    const capped = events.flatMap((event) =>
      event.kind === 'llm-replied' && event.reply.kind === 'failed' ? [event] : [],
    );
    expect(capped.length).toBeGreaterThan(0);
    expect(capped.every(({ reply }) => reply.kind === 'failed' && reply.error.code === 'llm/cap')).toBe(true);
    expect(events.filter((event) => event.kind === 'llm-asked')).toHaveLength(2);
    expect(events.find((event): event is EndOf<'rates'> => event.kind === 'finished')?.counts.failedCalls).toBe(0);

    // Cut after the first refusal by the cap, and allowed more.
    const lines = (await readFile(path.join(run.folder, JOURNAL_FILE), 'utf8')).split('\n').slice(0, -1);
    const at = lines.findIndex((line) => line.includes('llm/cap'));
    await writeFile(
      path.join(run.folder, JOURNAL_FILE),
      lines
        .slice(0, at + 1)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const file = path.join(run.folder, RUN_FILE);
    await writeFile(file, (await readFile(file, 'utf8')).replace('"tokenCap": 850', '"tokenCap": 100000'));
    const { openRun } = await import('../../src/runs/runFolder.ts');
    const second = memoryModel();
    await drive(await openRun(run.folder), {}, { languageModel: second.languageModel });
    expect(second.asked.length).toBeGreaterThan(0);
    expect(second.asked.some((key) => first.asked.includes(key))).toBe(false);
  });

  it('goes to a server that is wrong in every way, which ends nothing and is paid for once', async () => {
    const llm = await ScriptedLlm.start({ seed: 4, share: 0.6 });
    try {
      const plan = rates({ provider: 'openai', endpoint: llm.url, llm: 'tiny', timeout: 60, retries: 1, reasks: 1 });
      const run = await newRun(plan);
      const { outcome } = await drive(run, {}, { languageModel: { grant: { endpoint: llm.url, key: KEY } } });
      expect(outcome.kind).toBe('finished');
      expect(llm.requests.length).toBeGreaterThan(4);
      expect(llm.askedTwice).toEqual([]);
      expect(llm.requests.every(({ authorization }) => authorization === `Bearer ${KEY}`)).toBe(true);
      await expectNoKey(run);

      // Its replies, given again, make the same search, without any server.
      const again = await newRun({ ...plan, llm: { ...plan.llm, provider: 'replay', replay: run.record.id } });
      const requests = llm.requests.length;
      await drive(again);
      expect(llm.requests.length).toBe(requests);
      expect(await findingsOf(again)).toEqual(await findingsOf(run));

      // And no other one where that is interrupted between two questions of one kind.
      const lines = (await readFile(path.join(again.folder, JOURNAL_FILE), 'utf8')).split('\n').slice(0, -1);
      const cut = lines.findIndex((line) => line.includes('"llm-asked"') && line.includes('"attempt":1,'));
      expect(cut).toBeGreaterThan(0);
      await writeFile(path.join(again.folder, JOURNAL_FILE), `${lines.slice(0, cut).join('\n')}\n`);
      await drive(again);
      expect(await findingsOf(again)).toEqual(await findingsOf(run));
    } finally {
      await llm.close();
    }
  });

  it('uses every list of a model that answers in a style of its own, and asks once for each batch', async () => {
    const fault = ({ index }: { index: number }): Fault => TEXT_STYLES[index % TEXT_STYLES.length]!;
    const llm = await ScriptedLlm.start({ seed: 5, fault });
    try {
      const generations = Math.ceil(TEXT_STYLES.length / 2);
      const run = await newRun(
        rates({ provider: 'openai', endpoint: llm.url, llm: 'tiny', timeout: 60 }, { generations }),
      );
      const { outcome } = await drive(run, {}, { languageModel: { grant: { endpoint: llm.url, key: KEY } } });
      expect(outcome.kind).toBe('finished');
      expect(new Set(llm.requests.map((request) => request.fault))).toEqual(new Set(TEXT_STYLES));
      const events = await eventsOf(run);
      const { counts } = events.findLast((event): event is RateGeneration => event.kind === 'generation')!;
      expect(events.filter((event) => event.kind === 'fallback')).toEqual([]);
      expect(counts).toMatchObject({ calls: 1 + 2 * generations, failedCalls: 0, fallbacks: 0 });
      expect(counts.listsUsed + counts.listsRepaired).toBe(6 + 5 * generations);
    } finally {
      await llm.close();
    }
  });

  it('goes nowhere where the run names another endpoint by now than was agreed to', async () => {
    const [theirs, mine] = [await ScriptedLlm.start({}), await ScriptedLlm.start({})];
    try {
      const run = await newRun(rates({ provider: 'openai', endpoint: theirs.url, llm: 'tiny' }));
      const languageModel = { grant: { endpoint: mine.url, key: KEY } };
      const error = await failureOf(() => drive(run, {}, { languageModel }));
      expect([error.code, error.data.actual]).toEqual(['llm/not-agreed', theirs.url]);
      expect([theirs.requests, mine.requests]).toEqual([[], []]);
    } finally {
      await Promise.all([theirs.close(), mine.close()]);
    }
  });

  it('to a server that repeats the key in its errors and replies tells it to nobody', async () => {
    const llm = await ScriptedLlm.start({ fault: ({ index }) => (index % 2 === 0 ? 'echo-key' : 'echo-key-in-reply') });
    try {
      const run = await newRun(rates({ provider: 'openai', endpoint: llm.url, llm: 'tiny' }));
      const told: string[] = [];
      await drive(
        run,
        {},
        {
          languageModel: { grant: { endpoint: llm.url, key: KEY } },
          onEvent: (record) => told.push(JSON.stringify(record)),
          log: (line) => told.push(line),
        },
      );
      expect(llm.requests.length).toBeGreaterThan(1);
      await expectNoKey(run);
      expect(told.join('\n')).toContain('[key]');
      expect(told.join('\n')).not.toContain(KEY);
    } finally {
      await llm.close();
    }
  });

  it.each<[string, Partial<LlmSettings>, string]>([
    ['no key for OpenAI', { provider: 'openai', llm: 'x' }, 'llm/no-key'],
    ['an endpoint that nobody has agreed to', { provider: 'openai', llm: 'x', endpoint: ELSEWHERE }, 'llm/not-agreed'],
    ['no editor', { provider: 'vscode' }, 'llm/unreachable'],
    ['no run to replay', { provider: 'replay', replay: 'none' }, 'runs/not-found'],
  ])('that cannot be made at all (%s) ends the run before a model is loaded', async (_, llm, code) => {
    const run = await newRun(rates(llm));
    let spawned = 0;
    const spawn = (): never => {
      spawned++;
      throw new Error('not needed');
    };
    const languageModel = { grant: { endpoint: '' } };
    expect([(await failureOf(() => drive(run, {}, { spawn, languageModel }))).code, spawned]).toEqual([code, 0]);
  });
});

/** What a search for rates has come to, and where the language model did not help. */
async function findingsOf(run: RunFolder): Promise<readonly RunEvent[]> {
  return (await eventsOf(run)).filter(({ kind }) => kind === 'candidate' || kind === 'fallback');
}

async function expectNoKey({ folder }: RunFolder): Promise<void> {
  for (const name of await readdir(folder)) {
    const text = await readFile(path.join(folder, name), 'utf8');
    for (const spelling of [KEY, Buffer.from(KEY).toString('base64'), encodeURIComponent(KEY)]) {
      expect(text, name).not.toContain(spelling);
    }
  }
}

describe('a search for masks comes to the same end', () => {
  it.each([1, 2, 5])('with %d workers that overtake each other', async (workers) => {
    const run = await newRun(masks());
    const rng = new Rng(workers);
    expect((await drive(run, { delay: () => rng.integer(4) }, { workers })).outcome.kind).toBe('finished');
    expect(await storyOf(run)).toEqual(await undisturbed());
    const summary = await summariseRun(run.folder);
    expect(summary).toMatchObject({ state: 'finished', generation: 29, best: { kind: 'masks' } });
  });

  it('resumed from every cut of its journal', async () => {
    const run = await newRun(masks());
    await drive(run);
    const text = await readFile(path.join(run.folder, JOURNAL_FILE));
    for (let cut = 1; cut < text.length; cut += Math.ceil(text.length / 5)) {
      await writeFile(path.join(run.folder, JOURNAL_FILE), text.subarray(0, cut));
      await drive(run, {}, { workers: 2 });
      expect(await storyOf(run)).toEqual(await undisturbed());
    }
  });

  it('with a mask that ends its workers, which has no loss then and is not tried again', async () => {
    const run = await newRun(masks({ steps: 6, checkpoints: 1 }));
    let measured = 0;
    let culprit = '';
    const script: Script = {
      react: (request, about) => {
        if (request !== 'measure') return 'answer';
        // The second mask of the third step; before the first, the text was measured in four parts.
        if (++measured === 4 + 3 && culprit === '') culprit = about[1]!;
        return about.includes(culprit) ? 'die' : 'answer';
      },
    };
    await drive(run, script);
    const events = await eventsOf(run);
    expect(events.filter((event) => event.kind === 'quarantined')).toHaveLength(1);
    const nulls = events.flatMap((event) =>
      event.kind === 'step' ? event.losses.filter((loss) => loss === null) : [],
    );
    expect(nulls).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ kind: 'finished', leftOut: 1 });
  });

  it('with a disk that fills up: it stops, though it waits for none of its steps to be written', async () => {
    const run = await newRun(masks({ steps: 600, checkpoints: 1 }));
    let measured = 0;
    const react: Script['react'] = (request) => {
      if (request === 'measure') measured++;
      return 'answer';
    };
    const error = await failureOf(() => drive(run, { react }, { openFile: fullDisk(5000) }));
    expect(error.code).toBe('io/write');
    // However slow the disk is, no more than so many wait for it.
    expect(measured).toBeLessThan(300);
    expect((await eventsOf(run))[0]?.kind).toBe('opened');
  });

  it('with a baseline that cannot be evaluated, which is told', async () => {
    const run = await newRun(masks({ steps: 2, checkpoints: 1 }));
    const refused = {
      code: 'settings/invalid',
      operation: '',
      expected: '',
      actual: 'nothing removed',
      remedy: '',
    } as const;
    await drive(run, { refuse: (about) => (about.includes('wanda-sp') ? refused : undefined) });
    const finalists = (await eventsOf(run)).filter((event) => event.kind === 'finalist');
    expect(finalists.map(({ name, error }) => [name, error?.code])).toEqual([
      ['policy-gradient', undefined],
      ['wanda-sp', 'settings/invalid'],
    ]);
  });

  let story: Promise<readonly string[]> | undefined;
  function undisturbed(): Promise<readonly string[]> {
    story ??= (async () => {
      const run = await newRun(masks());
      expect((await drive(run)).outcome.kind).toBe('finished');
      return storyOf(run);
    })();
    return story;
  }
});
