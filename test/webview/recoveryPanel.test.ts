import { describe, expect, it } from 'vitest';
import type { RecoveryEvent } from '../../src/search/recovery/events.ts';
import { foldRecoveryEvent, newRecoveryState } from '../../src/search/recovery/state.ts';
import { recoveryAsCsv } from '../../src/extension/search/exportRun.ts';
import { panelItems } from '../../src/view/panelItems.ts';
import { emptyPanel, receive } from '../../webview-ui/panel/common/panelData.ts';
import type { PanelData } from '../../webview-ui/panel/common/panelData.ts';
import { progressOf } from '../../webview-ui/panel/common/progress.ts';
import { bannerWords } from '../../webview-ui/panel/common/stateBanner.ts';
import type { RunPlan } from '../../src/search/kinds.ts';
import type { RunActivity } from '../../src/view/panelMessages.ts';
import { syntheticRecovery, syntheticRecoveryPlan } from '../support/syntheticRecovery.ts';
import type { SyntheticRecovery } from '../support/syntheticRecovery.ts';
import type { Timed } from '../support/syntheticStructure.ts';

const plan = syntheticRecoveryPlan();

async function eventsOf(of: Partial<SyntheticRecovery> = {}): Promise<readonly Timed<RecoveryEvent>[]> {
  return syntheticRecovery(plan, { seed: 3, ...of });
}

function fed(events: readonly Timed<RecoveryEvent>[], portion: number, state: RunActivity): PanelData<RunPlan> {
  const run = { folder: '/run', id: 'run', plan, methodTitle: 'LoRA', createdAt: 0 };
  let data = receive(emptyPanel(), { kind: 'run', run });
  data = receive(data, { kind: 'state', state });
  for (let i = 0; i < events.length; i += portion) {
    const items = structuredClone(panelItems(events.slice(i, i + portion)));
    data = receive(data, { kind: 'events', items, complete: i + portion >= events.length });
  }
  return data;
}

describe('the panel of a recovery', () => {
  it.each([1, 7, 100_000])('folds a journal that comes in portions of %i to the same', async (portion) => {
    const events = await eventsOf();
    const whole = newRecoveryState();
    for (const { event, at } of events) foldRecoveryEvent(whole, event, at);
    expect(fed(events, portion, { kind: 'finished' }).search).toEqual(whole);
  });

  it('says how far it is, and how long still', async () => {
    const running = progressOf(fed(await eventsOf({ until: 200 }), 50, { kind: 'running' }));
    expect(running).toMatchObject({ where: 'step 200 / 600', hasBegun: true, isFinished: false });
    expect(running!.share).toBeCloseTo(1 / 3);
    expect(running!.left).toBe('2 min left');
    const finished = progressOf(fed(await eventsOf(), 50, { kind: 'finished' }));
    expect(finished).toMatchObject({ share: 1, isFinished: true });
  });

  it.each<readonly [string, Partial<SyntheticRecovery>, tone: string, title: string, text: RegExp]>([
    [
      'patience',
      { seed: 7 },
      'info',
      'Stopped after',
      /^\d+ looks at the held-out text in a row were no better .* Kept is the state after \d+ steps\.$/,
    ],
    [
      'a loss that ran away',
      { trouble: 'diverged' },
      'failed',
      'Stopped after',
      /rose from 4\.937 to .*lower learning rate/,
    ],
    [
      'a loss that is not finite',
      { trouble: 'nan' },
      'failed',
      'Stopped after 0 steps',
      /step 1 is not finite\. The model is kept as it was before\./,
    ],
  ])('says why it ended: %s', async (_, of, tone, title, text) => {
    const [shownTone, shownTitle, shownText] = bannerWords(fed(await eventsOf(of), 50, { kind: 'finished' }))!;
    expect([shownTone, shownTitle]).toEqual([tone, expect.stringContaining(title)]);
    expect(shownText).toMatch(text);
  });

  it('says nothing more of one that came to its last step', async () => {
    const events = await syntheticRecovery(syntheticRecoveryPlan({ steps: 100 }), { seed: 3 });
    expect(bannerWords(fed(events, 50, { kind: 'finished' }))).toBeUndefined();
  });

  it('is a table with a row for each step', async () => {
    const events = await eventsOf({ until: 40 });
    const state = newRecoveryState();
    for (const { event, at } of events) foldRecoveryEvent(state, event, at);
    const trained = events.flatMap(({ event }) => (event.kind === 'trained' ? [event] : []));
    const rows = recoveryAsCsv(trained, state).trimEnd().split('\r\n');
    expect(rows).toHaveLength(42);
    expect(rows[0]).toBe('step,loss,held-out loss,held-out perplexity,best so far');
    expect(rows[1]).toMatch(/^0,,4\.93\d+,139\.\d+,yes$/);
    expect(rows[2]).toMatch(/^1,4\.\d+,,,$/);
    expect(rows[21]).toMatch(/^20,4\.\d+,4\.\d+,1\d\d\.\d+,yes$/);
  });
});
