import type { RunKind } from '../search/kinds.ts';

/**
 * What runs of format 1 said in other words. A run of that format goes on in format 2, so each line is read by itself: the words of the two
 * formats differ wherever their meaning does.
 */

type Fields = Readonly<Record<string, unknown>>;

/** Events of format 1 by their kind: what they are now. Those that are not listed are as they were. */
const EVENTS: Readonly<Record<RunKind, Readonly<Record<string, (event: Fields) => Fields>>>> = {
  metrics: {
    baseline: named,
    finalist: named,
  },
  rates: {
    'structure-opened': as('opened'),
    'rate-baseline': as('baseline'),
    // There was one rung, the whole text.
    'configuration-measured': (event) => ({ ...event, kind: 'measured', rung: 0 }),
    configuration: as('candidate'),
    iteration: (event) => ({ ...counted(event), kind: 'generation' }),
    'structure-finalist': as('finalist'),
    'rates-finished': (event) => ({ ...counted(event), kind: 'finished' }),
  },
  masks: {
    'structure-opened': as('opened'),
    'structure-finalist': as('finalist'),
    'masks-finished': as('finished'),
  },
  // Came with format 2.
  recovery: {},
};

/** @param event of a journal, of either format, as it was parsed */
export function eventOfFormat1(kind: RunKind, event: unknown): unknown {
  if (!isFields(event) || typeof event['kind'] !== 'string') return event;
  const table = EVENTS[kind];
  return Object.hasOwn(table, event['kind']) ? table[event['kind']]!(event) : event;
}

/** A search for metrics said nothing of its kind. */
export function planOfFormat1(plan: unknown): unknown {
  return isFields(plan) && !Object.hasOwn(plan, 'kind') ? { kind: 'metrics', ...plan } : plan;
}

function as(kind: string): (event: Fields) => Fields {
  return (event) => ({ ...event, kind });
}

/** Metrics had their name under `metric`. */
function named(event: Fields): Fields {
  if (!Object.hasOwn(event, 'metric')) return event;
  const { metric, ...rest } = event;
  return { ...rest, name: metric };
}

function counted(event: Fields): Fields {
  const { counts } = event;
  if (!isFields(counts) || !Object.hasOwn(counts, 'configurations')) return event;
  const { configurations, ...rest } = counts;
  return { ...event, counts: { candidates: configurations, ...rest } };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
