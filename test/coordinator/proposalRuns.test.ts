import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import type { SearchRunOptions } from '../../src/coordinator/coordinator.ts';
import { estimateTokens, LanguageModelError } from '../../src/llm/languageModel.ts';
import type { LanguageModel } from '../../src/llm/languageModel.ts';
import { createRun, JOURNAL_FILE, openRun, RUN_FILE } from '../../src/runs/runFolder.ts';
import type { RunFolder } from '../../src/runs/runFolder.ts';
import type { LlmSettings } from '../../src/search/llm/settings.ts';
import type { ProposingPlan } from '../../src/search/metrics/plan.ts';
import type { MetricEvent } from '../../src/search/metrics/events.ts';
import type { RunEvent } from '../../src/search/kinds.ts';
import { proposingPlan } from '../search/metrics/simulation.ts';
import { failureOf } from '../support/expectCoded.ts';
import { formulaReply, FORMULA_STYLES } from '../support/formulaReplies.ts';
import { ScriptedLlm } from '../support/scriptedLlm.ts';
import type { Fault } from '../support/scriptedLlm.ts';
import { driveScripted, eventsOf, storyOf } from './drivenRun.ts';
import type { Driven } from './drivenRun.ts';
import type { Script } from './scriptedWorker.ts';

const KEY = 'sk-marker-of-a-key-0123';
const root = await mkdtemp(path.join(tmpdir(), 'espalier-proposals-'));
afterAll(() => rm(root, { recursive: true, force: true }));

let second = 0;
function newRun(
  llm: Partial<LlmSettings>,
  search: Partial<ProposingPlan['search']> = {},
): Promise<RunFolder<ProposingPlan>> {
  const plan = proposingPlan({ generations: 4, finalists: 2, ...search }, { timeout: 5, ...llm });
  const absolute = { ...plan, model: path.join(root, 'model'), text: path.join(root, 'text.txt') };
  return createRun(absolute, { root, createdAt: new Date(1763804575000 + 1000 * second++), versions: {} });
}

const drive = (run: RunFolder, options: Partial<SearchRunOptions> = {}, script: Script = {}): Promise<Driven> =>
  driveScripted(run, script, options);

/** The editor's language model; equal questions have equal answers. */
function editorModel(answer: (call: number) => 'answer' | 'hang' | 'fail' = () => 'answer'): {
  readonly asked: string[];
  readonly languageModel: { host: () => LanguageModel };
} {
  const asked: string[] = [];
  const complete: LanguageModel['complete'] = ({ prompt, generation, idempotencyKey }, signal) => {
    asked.push(idempotencyKey);
    const how = answer(asked.length - 1);
    const style = FORMULA_STYLES[generation % 3]!;
    const usage = { promptTokens: 100, replyTokens: 10 };
    if (how === 'answer')
      return Promise.resolve({ text: formulaReply(prompt, new Rng(prompt.length), style), usage, model: 'm' });
    if (how === 'fail') {
      const said = { expected: 'an answer', actual: 'none', remedy: 'Wait.' };
      return Promise.reject(
        new LanguageModelError({ code: 'llm/refused', ...said, usage: { ...usage, replyTokens: 0 } }),
      );
    }
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  };
  return { asked, languageModel: { host: () => ({ complete }) } };
}

const EDITOR: Partial<LlmSettings> = { provider: 'vscode' };
const linesOf = async (run: RunFolder): Promise<string[]> =>
  (await readFile(path.join(run.folder, JOURNAL_FILE), 'utf8')).split('\n').slice(0, -1);
const cutAfter = (run: RunFolder, lines: readonly string[]): Promise<void> =>
  writeFile(path.join(run.folder, JOURNAL_FILE), lines.map((line) => `${line}\n`).join(''));
const kindsOf = async (run: RunFolder, kind: MetricEvent['kind']): Promise<readonly RunEvent[]> =>
  (await eventsOf(run)).filter((event) => event.kind === kind);

/** What a run has found, whoever was asked. */
const findingsOf = async (run: RunFolder): Promise<readonly string[]> =>
  (await storyOf(run))
    .filter((line) => /"kind":"(?:candidate|generation|proposed|finished)"/.test(line))
    .map(withoutCosts);
const withoutCosts = (line: string): string => line.replace(/"cost":[\d.e-]+/g, '"cost":0');

async function expectNoKey(run: RunFolder): Promise<void> {
  for (const name of await readdir(run.folder)) {
    expect(await readFile(path.join(run.folder, name), 'utf8'), name).not.toContain(KEY);
  }
}

describe('a search in which a language model proposes', () => {
  it('comes to the same end however many workers there are and whoever dies', async () => {
    const stories: (readonly string[])[] = [];
    for (const workers of [1, 3]) {
      const run = await newRun(EDITOR);
      const rng = new Rng(workers);
      const hit = new Set<string>();
      const script: Script = {
        delay: () => rng.integer(4),
        react: (request, about) => {
          if (workers === 1 || request === 'evaluate' || rng.uniform() > 0.1 || hit.size > 2) return 'answer';
          if (about.some((one) => hit.has(one))) return 'answer';
          for (const one of about) hit.add(one);
          return 'die';
        },
      };
      const { languageModel } = editorModel();
      expect((await drive(run, { workers, languageModel }, script)).outcome.kind).toBe('finished');
      stories.push((await storyOf(run)).map((line) => line.replaceAll(run.record.id, 'RUN')));
    }
    expect(stories[1]).toEqual(stories[0]);
    expect(stories[0]!.filter((line) => line.includes('"operator":"proposed"')).length).toBeGreaterThan(5);
  });

  it('resumed from every cut of its journal comes to the same end, with no reply asked for twice', async () => {
    const whole = await newRun(EDITOR);
    const first = editorModel();
    await drive(whole, { languageModel: first.languageModel });
    const expected = await storyOf(whole);
    expect(first.asked).toHaveLength(4);
    const lines = await linesOf(whole);
    for (let cut = 1; cut < lines.length; cut += 13) {
      const kept = lines.slice(0, cut);
      if ((JSON.parse(kept.at(-1)!) as { event: RunEvent }).event.kind === 'llm-asked') kept.pop();
      await cutAfter(whole, kept);
      const had = kept.filter((line) => line.includes('"llm-replied"')).length;
      const again = editorModel();
      await drive(whole, { workers: 2, languageModel: again.languageModel });
      expect(again.asked).toEqual(first.asked.slice(had));
      expect(await storyOf(whole)).toEqual(expected);
    }
  });

  it('counts a request as lost that was under way when its process ended, and sends it to nobody again', async () => {
    const run = await newRun(EDITOR);
    await drive(run, { languageModel: editorModel().languageModel });
    const lines = await linesOf(run);
    await cutAfter(run, lines.slice(0, 1 + lines.findIndex((line) => line.includes('"kind":"llm-asked","call":2'))));
    const again = editorModel();
    await drive(run, { languageModel: again.languageModel });
    expect(again.asked).toEqual([`${run.record.id}-3`]);
    const replies = await kindsOf(run, 'llm-replied');
    expect(replies[2]).toMatchObject({ call: 2, reply: { kind: 'lost' } });
    expect(await kindsOf(run, 'fallback')).toContainEqual(
      expect.objectContaining({
        generation: 2,
        role: 'propose',
        count: 6,
        reason: expect.stringContaining('lost') as string,
      }),
    );

    const replayed = await newRun({ provider: 'replay', replay: run.record.id });
    await drive(replayed);
    expect(await findingsOf(replayed)).toEqual(await findingsOf(run));
  });

  it('gives a request up at once when it is paused, and goes on later', async () => {
    const run = await newRun(EDITOR);
    const pause = new AbortController();
    const { languageModel, asked } = editorModel((call) => (call === 1 ? 'hang' : 'answer'));
    const driven = drive(run, { languageModel, signal: pause.signal });
    await expect.poll(() => asked.length).toBe(2);
    pause.abort();
    expect((await driven).outcome.kind).toBe('paused');
    expect((await eventsOf(run)).map(({ kind }) => kind).slice(-3)).toEqual(['llm-asked', 'llm-replied', 'paused']);
    expect((await drive(run, editorModel())).outcome.kind).toBe('finished');
  });

  it('goes on by variation where every request fails', async () => {
    const run = await newRun({ ...EDITOR, promptPrice: 10 });
    await drive(
      run,
      editorModel(() => 'fail'),
    );
    const replies = await kindsOf(run, 'llm-replied');
    expect(replies).toHaveLength(4);
    for (const event of replies)
      expect(event).toMatchObject({
        reply: { kind: 'failed', error: { code: 'llm/refused' }, cost: (100 * 10) / 1e6 },
      });
    const [finished] = await kindsOf(run, 'finished');
    expect(finished).toMatchObject({
      counts: { llm: { calls: 0, failedCalls: 4, fallbacks: 7 + 6 + 6 + 6, formulasUsed: 0 } },
    });
    expect(await kindsOf(run, 'finalist')).not.toEqual([]);
  });

  it('asks nothing beyond its cap, which the run may go on with raised', async () => {
    const uncapped = await newRun(EDITOR, { generations: 1 });
    await drive(uncapped, { languageModel: editorModel().languageModel });
    const [asked] = await kindsOf(uncapped, 'llm-asked');
    // Room for the first prompt, and not for what it took with a second one.
    const tokenCap = estimateTokens(asked?.kind === 'llm-asked' ? asked.prompt : '') + 1;
    const run = await newRun({ ...EDITOR, tokenCap });
    const first = editorModel();
    await drive(run, { languageModel: first.languageModel });
    expect(first.asked).toHaveLength(1);
    expect(await kindsOf(run, 'llm-asked')).toHaveLength(1);
    const refused = (await kindsOf(run, 'llm-replied')).slice(1);
    expect(refused).toHaveLength(3);
    for (const event of refused) expect(event).toMatchObject({ reply: { kind: 'failed', error: { code: 'llm/cap' } } });
    expect(await kindsOf(run, 'finished')).toMatchObject([{ counts: { llm: { calls: 1, failedCalls: 0 } } }]);

    const lines = await linesOf(run);
    await cutAfter(run, lines.slice(0, 1 + lines.findIndex((line) => line.includes('llm/cap'))));
    const file = path.join(run.folder, RUN_FILE);
    await writeFile(file, (await readFile(file, 'utf8')).replace(`"tokenCap": ${tokenCap}`, '"tokenCap": 100000'));
    const again = editorModel();
    await drive(await openRun(run.folder), { languageModel: again.languageModel });
    expect(again.asked).toEqual([2, 3].map((call) => `${run.record.id}-${call}`));
  });

  it('asks a server that is wrong in every way, which ends nothing, is paid for once and can be replayed', async () => {
    const llm = await ScriptedLlm.start({ seed: 4, share: 0.5 });
    try {
      const plan = { provider: 'openai', endpoint: llm.url, llm: 'tiny', timeout: 60, retries: 1 } as const;
      const run = await newRun(plan, { generations: 8 });
      const { outcome } = await drive(run, { languageModel: { grant: { endpoint: llm.url, key: KEY } } });
      expect(outcome.kind).toBe('finished');
      expect(llm.requests.length).toBeGreaterThanOrEqual(8);
      expect(llm.askedTwice).toEqual([]);
      expect(llm.requests.every(({ authorization }) => authorization === `Bearer ${KEY}`)).toBe(true);
      await expectNoKey(run);

      const replayed = await newRun({ provider: 'replay', replay: run.record.id }, { generations: 8 });
      const { length } = llm.requests;
      await drive(replayed);
      expect(llm.requests.length).toBe(length);
      expect(await findingsOf(replayed)).toEqual(await findingsOf(run));
    } finally {
      await llm.close();
    }
  });

  it.each<[fault: Fault, code: string]>([
    ['hang', 'llm/timeout'],
    ['silent', 'llm/timeout'],
    ['status-429', 'llm/rate-limited'],
    ['status-500', 'llm/unreachable'],
    ['reset', 'llm/unreachable'],
    ['garbage', 'llm/bad-reply'],
    ['html', 'llm/bad-reply'],
    ['refuse', 'llm/refused'],
  ])('is not stopped by a server that can only %s', async (fault, code) => {
    const llm = await ScriptedLlm.start({ fault: () => fault });
    try {
      const about = { provider: 'openai', endpoint: llm.url, llm: 'tiny', timeout: 0.2, retries: 0 } as const;
      const run = await newRun(about, { generations: 2 });
      const { outcome } = await drive(run, { languageModel: { grant: { endpoint: llm.url, key: KEY } } });
      expect(outcome.kind).toBe('finished');
      for (const event of await kindsOf(run, 'llm-replied'))
        expect(event).toMatchObject({ reply: { kind: 'failed', error: { code } } });
      expect(await kindsOf(run, 'fallback')).toHaveLength(2);
      await expectNoKey(run);
    } finally {
      await llm.close();
    }
  });

  it('tells nobody the key that a server repeats in its errors and replies', async () => {
    const llm = await ScriptedLlm.start({ fault: ({ index }) => (index % 2 === 0 ? 'echo-key' : 'echo-key-in-reply') });
    try {
      const run = await newRun({ provider: 'openai', endpoint: llm.url, llm: 'tiny' });
      const told: string[] = [];
      await drive(run, {
        languageModel: { grant: { endpoint: llm.url, key: KEY } },
        onEvent: (record) => told.push(JSON.stringify(record)),
        log: (line) => told.push(line),
      });
      await expectNoKey(run);
      expect(told.join('\n')).toContain('[key]');
      expect(told.join('\n')).not.toContain(KEY);
    } finally {
      await llm.close();
    }
  });

  it.each<[string, Partial<LlmSettings>, string]>([
    ['no key for OpenAI', { provider: 'openai', llm: 'x' }, 'llm/no-key'],
    [
      'an endpoint that nobody has agreed to',
      { provider: 'openai', llm: 'x', endpoint: 'http://elsewhere.example/v1' },
      'llm/not-agreed',
    ],
    ['no editor', { provider: 'vscode' }, 'llm/unreachable'],
    ['no run to replay', { provider: 'replay', replay: 'none' }, 'runs/not-found'],
  ])('is refused before a model is loaded where there is %s', async (_, llm, code) => {
    const run = await newRun(llm);
    const opened: unknown[] = [];
    const languageModel =
      llm.endpoint === undefined && llm.provider === 'openai'
        ? { grant: { endpoint: 'https://api.openai.com/v1' } }
        : {};
    const error = await failureOf(() => drive(run, { languageModel, onProgress: (progress) => opened.push(progress) }));
    expect(error.code).toBe(code);
    expect(opened).toEqual([]);
    expect(await kindsOf(run, 'opened')).toEqual([]);
  });
});
