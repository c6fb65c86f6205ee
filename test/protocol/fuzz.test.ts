import { asRanked } from '../../src/experiment/planned.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/base/rng.ts';
import { PROTOCOL_VERSION, REQUESTS } from '../../src/protocol/requests.ts';
import { serve } from '../../src/protocol/server.ts';
import type { RequestHandlers } from '../../src/protocol/server.ts';
import { memoryTransport } from './memoryTransport.ts';
import { recoveryPlan, recoveryProblem } from '../search/recovery/simulation.ts';
import {
  idleStructureHandlers,
  sampleInspection,
  sampleMaskPlan,
  samplePreflight,
  sampleOpening,
  samplePlan,
  sampleRatePlan,
  sampleResult,
  sampleSearchPlan,
  sampleStructureOpening,
  sampleSummary,
} from './samples.ts';

// A peer that sends nonsense gets coded errors; handlers see nothing but valid parameters, and a good request afterwards is
// served as ever. Whatever would escape as an exception fails the run (Vitest reports unhandled errors).

const handlers: RequestHandlers = {
  evaluate: (plan) => {
    expect(plan.model).toBeTypeOf('string');
    expect(Number.isInteger(plan.settings.length)).toBe(true);
    return Promise.resolve([sampleResult()]);
  },
  preflight: (plan) => {
    expect(plan.model).toBeTypeOf('string');
    return Promise.resolve(samplePreflight());
  },
  inspect: ({ plan, tensor }) => {
    expect(plan.model).toBeTypeOf('string');
    expect(tensor === null || typeof tensor === 'string').toBe(true);
    return Promise.resolve(sampleInspection());
  },
  open: (plan) => {
    if (plan.kind === 'metrics') {
      expect(plan.search.population).toBeGreaterThan(1);
      return Promise.resolve(sampleOpening());
    }
    if (plan.kind === 'recovery') {
      expect(plan.recovery.steps).toBeGreaterThan(0);
      return Promise.resolve(recoveryProblem().opening);
    }
    expect(['rates', 'masks']).toContain(plan.kind);
    expect(plan.sparsity).toMatchObject({ share: expect.any(Number) as number });
    return Promise.resolve(sampleStructureOpening());
  },
  probe: ({ expressions }) => {
    expect(expressions.every(({ kind }) => typeof kind === 'string')).toBe(true);
    return Promise.resolve([]);
  },
  measure: ({ candidates, on }) => {
    if (on.kind === 'samples') expect(on.tokens).toBeGreaterThan(1);
    else if (on.kind === 'documents') expect(on.documents.length).toBeGreaterThan(0);
    else expect([on.begin, on.end].every((place) => Number.isInteger(place) && place >= 0)).toBe(true);
    for (const candidate of candidates) {
      if (candidate.kind === 'metric') expect(candidate.expression.kind).toBeTypeOf('string');
      else if (candidate.kind === 'rates') expect(candidate.rates.every((rate) => rate >= 0 && rate <= 1)).toBe(true);
      else expect(candidate.mask.every((bits) => /^[0-9a-f]*$/.test(bits.groups + bits.channels))).toBe(true);
    }
    return Promise.resolve([]);
  },
  ...idleStructureHandlers(),
  componentScores: (score) => {
    expect(score.kind === 'method' ? score.method : score.expression.kind).toBeTypeOf('string');
    return Promise.resolve({ groups: '', channels: '' });
  },
  search: ({ folder, workers, llm, queue }) => {
    expect(folder).toBeTypeOf('string');
    expect(workers === undefined || workers > 0).toBe(true);
    expect(llm?.key).not.toBe('');
    expect(queue?.address).not.toBe('');
    return Promise.resolve('finished');
  },
  devices: () => Promise.resolve([]),
  describe: ({ model }) => Promise.resolve(sampleSummary(model)),
  identify: ({ models, files }) => {
    expect([...models, ...files].every((name) => typeof name === 'string')).toBe(true);
    return Promise.resolve({ models: [], files: [] });
  },
  shutdown: () => Promise.resolve({}),
};

interface Reply {
  id?: unknown;
  method?: unknown;
  error?: { data?: { code?: unknown; remedy?: unknown } };
}

const VALID = [
  { jsonrpc: '2.0', id: 1, method: 'evaluate', params: { token: 1, ...samplePlan() } },
  { jsonrpc: '2.0', id: 9, method: 'preflight', params: { token: 4, ...samplePlan() } },
  { jsonrpc: '2.0', id: 8, method: 'inspect', params: { token: 3, plan: samplePlan(), tensor: null } },
  { jsonrpc: '2.0', id: 5, method: 'open', params: { token: 2, ...sampleSearchPlan() } },
  {
    jsonrpc: '2.0',
    id: 6,
    method: 'probe',
    params: { expressions: [asRanked(samplePlan().evaluations[0]!, 'testing').expression] },
  },
  {
    jsonrpc: '2.0',
    id: 7,
    method: 'measure',
    params: {
      candidates: [{ kind: 'metric', expression: asRanked(samplePlan().evaluations[0]!, 'testing').expression }],
      on: { kind: 'blocks', begin: 0, end: 2 },
    },
  },
  { jsonrpc: '2.0', id: 10, method: 'open', params: { token: 5, ...sampleRatePlan() } },
  { jsonrpc: '2.0', id: 11, method: 'open', params: { token: 6, ...sampleMaskPlan() } },
  {
    jsonrpc: '2.0',
    id: 20,
    method: 'open',
    params: { token: 7, ...recoveryPlan({}, { model: '/m', text: '/t', train: '/u' }) },
  },
  { jsonrpc: '2.0', id: 21, method: 'train', params: { from: 0, to: 20, folder: '/run' } },
  { jsonrpc: '2.0', id: 22, method: 'validate', params: { step: 20, folder: '/run' } },
  {
    jsonrpc: '2.0',
    id: 12,
    method: 'measure',
    params: { candidates: [{ kind: 'rates', rates: [0.2, 0.4] }], on: { kind: 'blocks', begin: 0, end: 2 } },
  },
  {
    jsonrpc: '2.0',
    id: 13,
    method: 'measure',
    params: {
      candidates: [{ kind: 'mask', mask: [{ groups: 'f', channels: '0a', dropped: true }] }],
      on: { kind: 'samples', offsets: [0, 9], tokens: 8 },
    },
  },
  {
    jsonrpc: '2.0',
    id: 14,
    method: 'componentScores',
    params: { token: 7, kind: 'method', method: 'wanda-sp' },
  },
  {
    jsonrpc: '2.0',
    id: 16,
    method: 'search',
    params: { token: 8, folder: '/r', workers: 2, llm: { endpoint: 'http://localhost/v1', key: 'k' } },
  },
  { jsonrpc: '2.0', id: 2, method: 'identify', params: { models: ['/m'], files: ['/f'] } },
  { jsonrpc: '2.0', id: 3, method: 'devices', params: {} },
  { jsonrpc: '2.0', id: 4, method: 'initialize', params: { protocol: PROTOCOL_VERSION, version: '1' } },
  { jsonrpc: '2.0', method: '$/cancelRequest', params: { id: 1 } },
  { jsonrpc: '2.0', id: 5, result: {} },
  { jsonrpc: '2.0', id: null, error: { code: -1, message: 'no' } },
  { jsonrpc: '2.0', method: 'progress', params: { token: 1 } },
];

/** Sends all, then a request that must still be answered; returns everything that came back. */
async function converse(messages: readonly unknown[]): Promise<Reply[]> {
  const { client, server } = memoryTransport();
  serve(server.reader, server.writer, handlers, { version: '1', pid: 1, log: () => undefined });
  const replies: Reply[] = [];
  const last = new Promise<void>((resolve) => {
    client.tap((message) => {
      replies.push(message as Reply);
      if ((message as Reply).id === 'last') resolve();
    });
  });
  client.raw({
    jsonrpc: '2.0',
    id: 'first',
    method: 'initialize',
    params: { protocol: PROTOCOL_VERSION, version: '1' },
  });
  for (const message of messages) client.raw(message);
  client.raw({ jsonrpc: '2.0', id: 'last', method: 'devices', params: {} });
  await last;
  return replies;
}

function expectCoded(replies: readonly Reply[]): void {
  for (const reply of replies) {
    if (reply.error === undefined) continue;
    expect(['protocol/malformed', 'protocol/unknown-request', 'protocol/version', 'cancelled']).toContain(
      reply.error.data?.code,
    );
    expect(reply.error.data?.remedy).not.toBe('');
  }
}

describe('broken messages', () => {
  it('answers 5 000 mutations of valid messages with coded errors and goes on', async () => {
    const rng = new Rng(2);
    const mutants = Array.from({ length: 5000 }, () => mutate(structuredClone(VALID[rng.integer(VALID.length)]), rng));
    for (let begin = 0; begin < mutants.length; begin += 500) {
      const replies = await converse(mutants.slice(begin, begin + 500));
      expectCoded(replies);
      // Most mutants are refused, or the mutator mutates nothing.
      expect(replies.filter((reply) => reply.error !== undefined).length).toBeGreaterThan(100);
    }
  });

  it('answers arbitrary JSON', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 20 }), async (messages) => {
        expectCoded(await converse(messages));
      }),
      { seed: 3, numRuns: 100 },
    );
  });

  it('answers every request with arbitrary parameters exactly once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.constantFrom(...Object.keys(REQUESTS), 'other', '__proto__'), fc.jsonValue({ maxDepth: 3 })),
          { maxLength: 20 },
        ),
        async (requests) => {
          const messages = requests.map(([method, params], index) => ({ jsonrpc: '2.0', id: index, method, params }));
          const replies = await converse(messages);
          expectCoded(replies);
          expect(
            replies
              .filter(({ id }) => typeof id === 'number')
              .map(({ id }) => id)
              .sort(),
          ).toEqual(messages.map(({ id }) => id).sort());
        },
      ),
      { seed: 4, numRuns: 100 },
    );
  });
});

const JUNK: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e300,
  '',
  '\u0000',
  'x'.repeat(70_000),
  [],
  {},
  [[]],
  { id: 1 },
  '2.0',
  '__proto__',
];

/** A copy: what is mutated further must not change what others are made of. */
function junk(rng: Rng): unknown {
  return structuredClone(JUNK[rng.integer(JUNK.length)]);
}

/** Replaces, removes or adds something at a random place, up to three times. */
function mutate(message: unknown, rng: Rng): unknown {
  let mutant = message;
  for (let count = 1 + rng.integer(3); count > 0; count--) mutant = mutateOnce(mutant, rng);
  return mutant;
}

function mutateOnce(value: unknown, rng: Rng): unknown {
  if (typeof value !== 'object' || value === null || rng.uniform() < 0.1) return junk(rng);
  const fields = value as Record<string, unknown>;
  const keys = Object.keys(fields);
  const key = keys[rng.integer(keys.length)];
  const dice = rng.uniform();
  if (key === undefined || dice < 0.1) fields[`extra${rng.integer(9)}`] = junk(rng);
  else if (dice < 0.25) {
    if (Array.isArray(value)) value.splice(Number(key), 1);
    else Reflect.deleteProperty(fields, key);
  } else fields[key] = mutateOnce(fields[key], rng);
  return value;
}
