import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/base/errors.ts';
import type { SeenWorker } from '../../src/experiment/seenWorker.ts';
import type { PanelQueue, PanelRun } from '../../src/view/panelMessages.ts';
import { emptyPanel, receive } from '../../webview-ui/panel/common/panelData.ts';
import { bannerWords, offeredFor } from '../../webview-ui/panel/common/stateBanner.ts';
import { countWords, nobodyWords, paceWords, workerRows } from '../../webview-ui/panel/common/workerWords.ts';
import { syntheticPlan } from '../support/syntheticSearch.ts';

const worker = (name: string, state: SeenWorker['state'], changes: Partial<SeenWorker> = {}): SeenWorker => ({
  ...{ id: name, name, device: 'cpu', state, answered: 4, perMinute: 2, silent: 3 },
  ...changes,
});
const run: PanelRun = { folder: '/run', id: 'run', plan: syntheticPlan(), methodTitle: 'Pruner-Zero', createdAt: 0 };
const queue: PanelQueue = { address: 'redis://h:6379/0', command: 'c', hasPassword: false, workers: [] };

describe('the workers of a queue', () => {
  it.each<[string, SeenWorker[], counts: string, pace: string, nobody: string | undefined]>([
    ['none', [], '0 workers: ', '', 'Nobody is there yet: start workers with'],
    ['one', [worker('a', 'ours')], '1 worker at work', '2.0 questions a minute', undefined],
    [
      'of every kind',
      (['idle', 'ours', 'opening', 'lost', 'refused', 'elsewhere', 'ours'] as const).map((state, i) =>
        worker(String(i), state),
      ),
      '7 workers: 2 at work, 1 loading the model, 1 waiting, 1 at work for other runs, 1 lost, 1 refusing this run',
      // What those of other runs do is no help here.
      '4.0 questions a minute',
      undefined,
    ],
    [
      'none that answers',
      [worker('a', 'lost'), worker('b', 'refused')],
      '2 workers: 1 lost, 1 refusing this run',
      '',
      'Nobody who is there answers this run: start workers that can with',
    ],
    ['one that waits', [worker('a', 'idle'), worker('b', 'lost')], '2 workers: 1 waiting, 1 lost', '', undefined],
    ['fast ones', [worker('a', 'ours', { perMinute: 240.4 })], '1 worker at work', '240 questions a minute', undefined],
  ])('%s, in a line', (_, workers, counts, pace, nobody) => {
    expect([countWords(workers), paceWords(workers), nobodyWords(workers)]).toEqual([counts, pace, nobody]);
  });

  it('are listed with those in trouble first, then by names as a person counts', () => {
    const rows = workerRows([
      worker('n10', 'ours'),
      worker('n9', 'idle'),
      worker('n2', 'lost', { silent: 75 }),
      worker('n1', 'refused', { detail: 'expected cpu, has cuda', device: '' }),
    ]);
    expect(rows.map(({ name, words, reason, device, seen }) => [name, words, reason, device, seen])).toEqual([
      ['n1', 'refuses this run', 'expected cpu, has cuda', '–', 'now'],
      ['n2', 'not seen', '', 'cpu', '75 s ago'],
      ['n9', 'waits for questions', '', 'cpu', 'now'],
      ['n10', 'works for this run', '', 'cpu', 'now'],
    ]);
    // Told apart without colour.
    expect(new Set(rows.map(({ mark }) => mark)).size).toBe(4);
  });

  it.each([
    [14, 'now'],
    [15, '15 s ago'],
    [119, '119 s ago'],
    [150, '3 min ago'],
    [7300, '2 h ago'],
  ])('that were silent for %i s were seen %s', (silent, seen) => {
    expect(workerRows([worker('a', 'lost', { silent })])[0]!.seen).toBe(seen);
  });
});

describe('the panel of a run that is asked over a queue', () => {
  it('knows who computes it, until that is nobody, or another run is shown', () => {
    const asked = receive(receive(emptyPanel(), { kind: 'run', run }), { kind: 'queue', queue });
    expect(asked.queue).toEqual(queue);
    expect(receive(asked, { kind: 'queue', queue: null }).queue).toBeNull();
    expect(receive(asked, { kind: 'run', run }).queue).toBeNull();
  });

  it('says what it waits for while it runs', () => {
    const running = {
      kind: 'state',
      state: { kind: 'running', detail: 'the queue is gone and is waited for' },
    } as const;
    const data = receive(receive(emptyPanel(), { kind: 'run', run }), running);
    expect(bannerWords(data)).toEqual(['info', 'Running', 'The queue is gone and is waited for']);
  });

  it.each<[ErrorCode, readonly string[]]>([
    ['queue/refused', ['password', 'setting', 'log']],
    ['queue/unreachable', ['setting', 'log']],
    ['queue/address', ['setting', 'log']],
    ['device/failed', ['log']],
  ])('offers what mends %s', (code, offered) => {
    const error = { code, operation: 'a', expected: 'b', actual: 'c.', remedy: 'd' };
    const data = receive(receive(emptyPanel(), { kind: 'run', run }), {
      kind: 'state',
      state: { kind: 'failed', error },
    });
    expect(offeredFor(data)).toEqual(offered);
    expect(bannerWords(data)![2]).toBe('a: expected b, got c. d');
  });
});
