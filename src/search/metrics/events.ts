import type * as z from 'zod';
import type { Immutable } from '../../base/immutable.ts';
import type { proposalCountsSchema, rejectedSchema } from './proposals/schema.ts';
import type { metricCountsSchema, metricEventSchema, probeOutcomeSchema } from './schema.ts';

export type MetricEvent = Immutable<z.infer<typeof metricEventSchema>>;
export type ProbeOutcome = Immutable<z.infer<typeof probeOutcomeSchema>>;
export type MetricCounts = Immutable<z.infer<typeof metricCountsSchema>>;
export type MetricCandidate = Omit<Extract<MetricEvent, { kind: 'candidate' }>, 'kind'>;
export type VariationOperator = MetricCandidate['operator'];
export type CandidateOutcome = MetricCandidate['outcome'];
export type MetricBaseline = Extract<MetricEvent, { kind: 'baseline' }>;
export type ProposedEvent = Extract<MetricEvent, { kind: 'proposed' }>;
export type Rejected = Immutable<z.infer<typeof rejectedSchema>>;
export type ProposalCounts = Immutable<z.infer<typeof proposalCountsSchema>>;
/** What a search without generations takes one by one. */
export type Acknowledged = Extract<MetricEvent, { kind: 'workers' | 'probed' | 'measured' }>;
export type MetricFinalist = Extract<MetricEvent, { kind: 'finalist' }>;
export type MetricGeneration = Extract<MetricEvent, { kind: 'generation' }>;
