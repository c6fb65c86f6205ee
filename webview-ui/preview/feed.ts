import { runMethod } from '../../src/search/runMethod.ts';
import type { RunEvent, RunKind, RunPlan } from '../../src/search/kinds.ts';
import { fitnessIn } from '../../src/search/lifecycle/objective.ts';
import { panelItems } from '../../src/view/panelItems.ts';
import type { FromPanel, RunPoint, RunActivity, ToPanel } from '../../src/view/panelMessages.ts';
import { syntheticPlan, syntheticProposingPlan, syntheticSearch } from '../../test/support/syntheticSearch.ts';
import {
  syntheticMaskPlan,
  syntheticMasks,
  syntheticRatePlan,
  syntheticRates,
} from '../../test/support/syntheticStructure.ts';
import type { Timed } from '../../test/support/syntheticStructure.ts';
import { syntheticRecovery, syntheticRecoveryPlan } from '../../test/support/syntheticRecovery.ts';
import { syntheticEvoPress, syntheticEvoPressPlan } from '../../test/support/syntheticEvoPress.ts';
import { answerExchange, answerSpeed } from './answers.ts';
import { queueOf } from './workers.ts';
import { applyTheme } from './themes.ts';
import type { ThemeName } from './themes.ts';

/**
 * Stands in for the extension in a plain browser page, so that the panel can be worked on and looked at without an editor.
 * The address says what to show: `#run=rates&state=running&theme=light&generations=20&until=12&blocks=32&random=1`; `trouble=refused`
 * leaves every request to the language model unanswered, `trouble=nan` leaves nothing finite; `proposals=1` lets a language model
 * propose metrics, `objective=kl` a search measure by divergence; `run=rates&drop=sublayers` (or
 * `off`) is a search by EvoPress; `run=recovery` a recovery, `trouble=diverged` one whose learning rate is too high; `workers=3` asks over a
 * queue (or `trouble`, `stuck`, `hostile`, `null` before anything was heard), `trouble=queue` one that lets nobody in.
 */
const query = new URLSearchParams(location.hash.slice(1));
const generations = Number(query.get('generations') ?? 20);
const population = Number(query.get('population') ?? 50);
const kind = (query.get('state') ?? 'running') as RunActivity['kind'];
const until = kind === 'finished' ? undefined : Number(query.get('until') ?? 12);

applyTheme((query.get('theme') ?? 'dark') as ThemeName);

/** A run that was, where there is one (see panelPreview.mjs). */
const { recorded } = globalThis as { recorded?: { plan: RunPlan; events: readonly Timed<RunEvent>[] } };
const made = recorded
  ? Promise.resolve(recorded)
  : run((query.get('run') ?? 'metrics') as RunKind)
      .then(troubled)
      .then(byObjective);
const randomEvents = syntheticSearch(syntheticPlan({ generations, population, method: 'random' }), { seed: 3 });

(globalThis as unknown as Record<string, unknown>)['acquireVsCodeApi'] = () => ({
  postMessage: (message: FromPanel) => {
    console.info(JSON.stringify(message).slice(0, 300));
    if (message.kind === 'ready') void made.then(feed);
    if (message.kind === 'speed') answerSpeed(message.of, send);
    if (message.kind === 'exchange')
      void made.then(({ events }) => {
        answerExchange(message.call, events, send);
      });
    if (message.kind === 'curves') {
      answerCurves(
        message.over,
        message.metrics.map(({ label }) => label),
      );
    }
  },
  getState: () => undefined,
  setState: () => undefined,
});

async function run(of: RunKind): Promise<Made> {
  const blocks = Number(query.get('blocks') ?? 6);
  const part = { seed: 7, ...(until !== undefined && { until }) };
  const begins = kind === 'starting';
  const drop = query.get('drop') as 'off' | 'sublayers' | null;
  if (of === 'rates' && drop !== null) {
    const levels = syntheticEvoPressPlan({ generations, drop, offspring: Math.min(population, 16), starts: 16 });
    return { plan: levels, events: begins ? [] : syntheticEvoPress(levels, { ...part, blocks }) };
  }
  if (of === 'rates') {
    const provider = query.get('llm') === 'none' ? 'none' : 'openai';
    // As many as a browser makes in a moment.
    const few = generations > 100 ? { mutations: 1, crossovers: 1 } : {};
    const rates = syntheticRatePlan({ generations, population: Math.min(population, 30), ...few });
    const asked = { ...rates, llm: { ...rates.llm, provider } } as const;
    const refused = query.get('trouble') === 'refused';
    return { plan: asked, events: begins ? [] : syntheticRates(asked, { ...part, blocks, refused }) };
  }
  if (of === 'masks') {
    const masks = syntheticMaskPlan({
      steps: Number(query.get('steps') ?? 1000),
      components: (query.get('components') ?? 'heads-channels') as 'layers',
    });
    const channels = Number(query.get('channels') ?? 688);
    return { plan: masks, events: begins ? [] : syntheticMasks(masks, { ...part, blocks, channels }) };
  }
  if (of === 'recovery') {
    const recovery = syntheticRecoveryPlan({ steps: Number(query.get('steps') ?? 600) });
    const trouble = query.get('trouble') as 'diverged' | 'nan' | null;
    const asked = { ...part, ...(trouble && { trouble }) };
    return { plan: recovery, events: begins ? [] : await syntheticRecovery(recovery, asked) };
  }
  const own = query.has('proposals')
    ? syntheticProposingPlan({ generations, population })
    : syntheticPlan({ generations, population });
  const metrics = query.get('protocol') === null ? own : { ...own, protocol: 'wanda' as const };
  return { plan: metrics, events: begins ? [] : syntheticSearch(metrics, part) };
}

interface Made {
  readonly plan: RunPlan;
  readonly events: readonly Timed<RunEvent>[];
}

function troubled(made: Made): Made {
  return query.get('trouble') === 'nan' ? { ...made, events: made.events.map(notFinite) } : made;
}

/** The same search, as if it had been measured by divergence. */
function byObjective({ plan, events }: Made): Made {
  if (query.get('objective') !== 'kl' || plan.kind === 'recovery') return { plan, events };
  const search = { ...plan.search, objective: 'kl' };
  return {
    plan: { ...plan, search } as RunPlan,
    events: events.map(({ event, ...timed }) => ({
      ...timed,
      event: (event.kind === 'opened' ? { ...event, objective: 'kl' } : divergences(event)) as RunEvent,
    })),
  };
}

/** Perplexities of results stay what they are. */
function divergences(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(divergences);
  if (typeof value !== 'object' || value === null || 'provenance' in value) return value;
  const entries = Object.entries(value).map(([name, of]) =>
    name === 'perplexity' && typeof of === 'number' ? ['kl', Math.log(of / 80)] : [name, divergences(of)],
  );
  return Object.fromEntries(entries);
}

function notFinite({ event, ...timed }: Timed<RunEvent>): Timed<RunEvent> {
  if (event.kind === 'candidate' && 'rates' in event)
    return { ...timed, event: { ...event, outcome: { kind: 'invalid', detail: 'its loss is not finite' } } };
  if (event.kind === 'generation')
    return { ...timed, event: { ...event, best: null, mean: null, worst: null, bestSoFar: null } };
  if (event.kind === 'step')
    return { ...timed, event: { ...event, losses: event.losses.map(() => null), baseline: null } };
  if (event.kind === 'probabilities') return { ...timed, event: { ...event, perplexity: null } };
  return { ...timed, event };
}

function send(message: ToPanel): void {
  dispatchEvent(new MessageEvent('message', { data: structuredClone(message) }));
}

function feed({ plan, events }: Made): void {
  performance.mark('fed');
  send({
    kind: 'run',
    run: {
      ...{ folder: '/run', id: 'run', plan, methodTitle: runMethod(plan).title },
      ...{ createdAt: events[0]?.at ?? Date.now(), document: 'metrics.prune' },
    },
  });
  send({ kind: 'state', state: stateOf() });
  const workers = query.get('workers');
  if (workers !== null) send({ kind: 'queue', queue: queueOf(workers) });
  if (query.has('random')) {
    const points = pointsOf(randomEvents).slice(0, query.get('random') === 'part' ? 6 : generations);
    send({
      kind: 'random',
      line: {
        label: 'random search',
        objective: plan.kind === 'recovery' ? 'perplexity' : plan.search.objective,
        points,
      },
      state: { kind: query.get('random') === 'part' ? 'running' : 'finished' },
    });
  }
  const items = panelItems(events);
  const size = Math.max(1, Math.ceil(items.length / 8));
  for (let i = 0; i < Math.max(1, items.length); i += size)
    send({ kind: 'events', items: items.slice(i, i + size), complete: i + size >= items.length });
}

function stateOf(): RunActivity {
  if (kind === 'failed' && query.get('trouble') === 'queue')
    return {
      kind,
      error: {
        code: 'queue/refused',
        operation: 'connecting to the queue rediss://lab@queue.example.org:6379/0',
        expected: 'to be let in',
        actual: 'WRONGPASS invalid username-password pair or user is disabled.',
        remedy:
          "Check user, database and certificate in the setting espalier.queue, and the password with “Espalier: Set the Queue's Password…”.",
      },
    };
  if (kind === 'failed')
    return {
      kind,
      error: {
        code: 'device/failed',
        operation: 'running a program on webgpu',
        expected: 'a device that works',
        actual: 'the device was lost',
        remedy: 'Choose the CPU, or update the driver, then resume.',
      },
    };
  return { kind };
}

function pointsOf(all: readonly Timed<RunEvent>[]): RunPoint[] {
  return all.flatMap(({ event }) =>
    event.kind === 'generation' && event.bestSoFar
      ? [
          {
            generation: event.generation,
            fitness: fitnessIn(event.bestSoFar)!,
            candidates: event.counts.candidates,
            evaluations: event.counts.evaluations,
          },
        ]
      : [],
  );
}

function answerCurves(over: 'sparsity' | 'samples', labels: readonly string[]): void {
  const places = over === 'sparsity' ? [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7] : [1, 4, 16, 64, 128];
  send({
    kind: 'curves',
    curves: {
      over,
      state: 'done',
      share: 1,
      detail: `${places.length * labels.length} evaluations in 41.2 s`,
      densePerplexity: 143.3,
      lines: labels.map((label, i) => ({
        label,
        points: places.map((at) => ({
          at,
          perplexity: over === 'sparsity' ? 143.3 + (8 + 4 * i) * Math.exp(9 * (at - 0.5)) : 152 + 3 * i + 9 / (at + 1),
        })),
        errors: [],
      })),
    },
  });
}

(globalThis as unknown as Record<string, unknown>)['applyTheme'] = applyTheme;
