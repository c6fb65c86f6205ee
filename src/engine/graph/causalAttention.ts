import { causalMask } from './attentionMask.ts';
import {
  backwardSize,
  causalStrips,
  type Strip,
  type StripPart,
  type StripSize,
  stripSize,
} from './attentionStrips.ts';
import { capped, slopeOfCap } from './cappedScores.ts';
import { EndingRanges } from './endingRanges.ts';
import type { Value } from './graph.ts';
import type { GraphBuilder } from './graphBuilder.ts';

/** Of each unit, a sequence's group of heads that share keys and values, one matrix. */
export interface CausalInputs {
  /** [units, tokens · share, dim]: the heads of a token stand together. */
  readonly queries: Value;
  /** [units, tokens, dim] */
  readonly keys: Value;
  readonly values: Value;
}

export interface CausalShape {
  readonly window: number | undefined;
  /** Of what is worked off together, there and back, where it is not chosen here. */
  readonly strip?: StripSize | undefined;
  readonly scale: number;
  readonly cap: number | undefined;
  /** What is added to the scores of each head [units, 1, share, tokens], in two parts that are added up: by the key's position (ALiBi). */
  readonly added: { readonly high: Value; readonly low: Value } | undefined;
}

/**
 * Softmax(q · kᵀ) · v over the keys that a token sees → [units, tokens · share, dim]. In strips of queries, each against the keys that one of
 * them sees: about half of the products of the full square, and the scores of one strip are all that is ever held. A strip's rows are whole, so that
 * the runtime's softmax takes its maximum and its sum as it goes; running ones over tiles of keys would take four passes over the scores where
 * it takes one, and a program of as many tiles as the length has squares.
 *
 * The gradient is that of FlashAttention (Dao et al. 2022, appendix B.2): a strip's weights P are computed again, and with D = rowsum(dO ∘ O)
 *
 *     dV += Pᵀ · dO        dS = P ∘ (dO · Vᵀ − D)        dQ = dS · K        dK += dSᵀ · Q
 *
 * A strip begins when the one before it is done: the runtime computes what it can in an order of its own, and would hold the weights of all.
 */
export function writeCausal(graph: GraphBuilder, inputs: CausalInputs, shape: CausalShape): Value {
  const { queries, keys, values } = inputs;
  const { window, strip: size } = shape;
  const [units, tokens] = keys.shape as [number, number];
  const share = queries.shape[1]! / tokens;
  const masks = new Map<string, Value>();
  const groupsOf = (size: number): StripWriter[] =>
    Array.from({ length: Math.ceil(units / size) }, (_, i) => {
      const part = (x: Value): Value => graph.slice(x, 0, i * size, Math.min(units, (i + 1) * size));
      return new StripWriter(graph, part, inputs, shape, share, masks);
    });
  const joined = (parts: readonly Value[]): Value => graph.concat(parts, 0);

  const there = size ?? stripSize(units, tokens, share, window);
  const forward = groupsOf(there.units);
  const strips = causalStrips(tokens, there.rows, window).map((strip) =>
    joined(forward.map((group) => group.mixed(strip))),
  );
  const mixed = graph.concat(strips, 1);
  graph.joint(mixed, [queries, keys, values], (cotangent) => {
    const products = graph.reduceSum(graph.mul(cotangent, mixed), [2]);
    const back = size ?? backwardSize(units, tokens, share, window);
    const groups = groupsOf(back.units).map((group) => new BackwardStrips(graph, group, cotangent, products));
    let before: readonly Value[] = [];
    // From the last to the first: what is added up gets shorter on the way.
    for (const strip of causalStrips(tokens, back.rows, window).toReversed()) {
      for (const group of groups) before = group.add(strip, before);
    }
    return [
      joined(groups.map((group) => group.ofQueries())),
      joined(groups.map((group) => group.ofKeys.whole())),
      joined(groups.map((group) => group.ofValues.whole())),
    ];
  });
  return mixed;
}

/** Some units that are worked off together. */
class StripWriter {
  readonly shape: CausalShape;
  readonly inputs: CausalInputs;
  /** Their part of what all units have [units, …]. */
  readonly part: (x: Value) => Value;
  private readonly graph: GraphBuilder;
  private readonly share: number;
  /** By what they depend on: strips of one height share them. */
  private readonly masks: Map<string, Value>;

  constructor(
    graph: GraphBuilder,
    part: (x: Value) => Value,
    { queries, keys, values }: CausalInputs,
    shape: CausalShape,
    share: number,
    masks: Map<string, Value>,
  ) {
    this.graph = graph;
    this.part = part;
    this.inputs = { queries: part(queries), keys: part(keys), values: part(values) };
    this.shape = { ...shape, added: shape.added && { high: part(shape.added.high), low: part(shape.added.low) } };
    this.share = share;
    this.masks = masks;
  }

  /** Of the queries of a strip. */
  mixed(strip: Strip): Value {
    const { graph } = this;
    const { queries, keys, values } = this.inputs;
    const [first, last] = rangeOf(strip);
    const { placed } = this.scores(strip, this.rows(queries, strip), (part) =>
      graph.slice(keys, 1, part.first, part.end),
    );
    return graph.matMul(graph.softmax(placed), graph.slice(values, 1, first, last));
  }

  /** Of the queries of a strip [units, rows · share, keys]: what is heard of each key, and with what hides some and is added. */
  scores(
    strip: Strip,
    query: Value,
    keysOf: (part: StripPart) => Value,
  ): { readonly heard: Value; readonly placed: Value } {
    const { graph, share } = this;
    const { scale, cap } = this.shape;
    const [units, count] = query.shape as [number, number];
    const added = this.added(strip);
    const [start] = rangeOf(strip);
    const parts = strip.parts.map((part) => {
      const products = graph.matMul(query, keysOf(part), { transposeB: true, scale });
      const heard = capped(graph, products, cap);
      const columns = part.end - part.first;
      let placed = graph.reshape(heard, [units, count / share, share, columns]);
      if (part.masked) placed = graph.add(placed, this.mask(strip, part));
      if (added) placed = graph.add(placed, graph.slice(added, 3, part.first - start, part.end - start));
      return { heard, placed: graph.reshape(placed, heard.shape) };
    });
    const joined = (of: 'heard' | 'placed'): Value =>
      graph.concat(
        parts.map((part) => part[of]),
        2,
      );
    return { heard: joined('heard'), placed: joined('placed') };
  }

  /** The rows of a strip's queries in [units, tokens · share, …]. */
  rows(x: Value, { begin, end }: Strip): Value {
    return this.graph.slice(x, 1, begin * this.share, end * this.share);
  }

  /** [1, rows, 1, columns]: 0 where a query sees a key, else `HIDDEN`. */
  private mask({ begin, end }: Strip, part: StripPart): Value {
    const { window } = this.shape;
    const [rows, columns, offset] = [end - begin, part.end - part.first, part.first - begin];
    const key = `${rows}×${columns} ${offset}`;
    let mask = this.masks.get(key);
    if (!mask) {
      const data = causalMask({ begin: 0, rows }, { first: offset, columns }, window);
      mask = this.graph.constant(data, [1, rows, 1, columns], this.inputs.queries.type);
      this.masks.set(key, mask);
    }
    return mask;
  }

  /**
   * Of each head [units, 1, share, keys of the strip], less that of the key in the middle of the strip's own: softmax does not see it, and what is
   * added near the queries is small then, where float32 has its digits.
   */
  private added(strip: Strip): Value | undefined {
    const { added } = this.shape;
    if (!added) return undefined;
    const { graph } = this;
    const [first, last] = rangeOf(strip);
    const middle = (strip.begin + strip.end) >> 1;
    const difference = (x: Value): Value =>
      graph.sub(graph.slice(x, 3, first, last), graph.slice(x, 3, middle, middle + 1));
    return graph.cast(graph.add(difference(added.high), difference(added.low)), this.inputs.queries.type);
  }
}

/** The gradients of some units, strip by strip from the last to the first. */
class BackwardStrips {
  readonly ofKeys: EndingRanges;
  readonly ofValues: EndingRanges;
  private readonly byQueries: Value[] = [];
  private readonly graph: GraphBuilder;
  private readonly group: StripWriter;
  private readonly cotangent: Value;
  private readonly products: Value;

  /** @param products of what is mixed and its cotangent, summed over the features: D */
  constructor(graph: GraphBuilder, group: StripWriter, cotangent: Value, products: Value) {
    this.graph = graph;
    this.group = group;
    this.cotangent = group.part(cotangent);
    this.products = group.part(products);
    this.ofKeys = new EndingRanges(graph, 1);
    this.ofValues = new EndingRanges(graph, 1);
  }

  /** @param before what is there before any of it is computed. @returns what is there when all of it is */
  add(strip: Strip, before: readonly Value[]): readonly Value[] {
    const { graph, group } = this;
    const { scale, cap } = group.shape;
    const { queries, keys, values } = group.inputs;
    const [first, last] = rangeOf(strip);
    const [query, dy] = [group.rows(queries, strip), group.rows(this.cotangent, strip)];
    const key = graph.slice(keys, 1, first, last, before);
    const { heard, placed } = group.scores(strip, query, (part) =>
      strip.parts.length === 1 ? key : graph.slice(keys, 1, part.first, part.end, before),
    );
    const weights = graph.softmax(placed);
    const value = graph.slice(values, 1, first, last, [weights]);
    const ofWeights = graph.matMul(dy, value, { transposeB: true });
    const ofPlaced = graph.mul(weights, graph.sub(ofWeights, group.rows(this.products, strip)));
    const ofScores = cap === undefined ? ofPlaced : graph.mul(ofPlaced, slopeOfCap(graph, heard, cap));
    const ofQuery = graph.matMul(ofScores, key, { scale });
    this.byQueries.unshift(ofQuery);
    const ofKeys = this.ofKeys.add(first, last, graph.matMul(ofScores, query, { transposeA: true, scale }));
    const ofValues = this.ofValues.add(first, last, graph.matMul(weights, dy, { transposeA: true }));
    return [ofQuery, ofKeys, ofValues];
  }

  ofQueries(): Value {
    return this.graph.concat(this.byQueries, 1);
  }
}

/** The keys that a strip sees, from the first to behind the last. */
function rangeOf({ parts }: Strip): readonly [first: number, end: number] {
  return [parts[0]!.first, parts.at(-1)!.end];
}
