import type { Node } from '../graph.ts';
import { DATA_TYPES, type Emitter } from './emitter.ts';
import type { LoweringTarget } from './lowering.ts';

/**
 * Causal attention in chunks of queries, each against the keys that it may see: about half of the products of the full square, and
 * scores of one chunk are all that is ever held. Query heads that share a key-value head are one matrix.
 *
 * ONNX Runtime's fused GroupQueryAttention is not used: on the CPU it took 1.6 times as long (8 heads of 32, 256 tokens), and its flash
 * kernel for WebGPU was off by 5 % on a software device.
 */
export function lowerAttention(
  { parameters, inputs }: Node<'attention'>,
  [query, key, value, cosines, sines]: readonly string[],
  output: string,
  emit: Emitter,
  { provider }: LoweringTarget,
): void {
  const { heads, kvHeads, rotary, window } = parameters;
  const [batch, tokens, width] = inputs[0]!.shape as [number, number, number];
  const type = inputs[0]!.type;
  const dim = width / heads;
  const share = heads / kvHeads;
  const reshape = (x: string, shape: readonly number[]): string => emit.node('Reshape', [x, emit.integers(shape)]);
  const slice = (x: string, axis: number, begin: number, end: number, size: number): string =>
    end - begin === size
      ? x
      : emit.node('Slice', [x, emit.integers([begin]), emit.integers([end]), emit.integers([axis])]);
  const rotate = (x: string, count: number): string => {
    if (!rotary) return x;
    const start = emit.constant('int64', [1], [0]);
    const attributes = { num_heads: count, interleaved: 0 };
    return emit.node('RotaryEmbedding', [x, start, cosines!, sines!], attributes, { domain: 'com.microsoft' });
  };
  const perHead = (x: string): string =>
    emit.node('Transpose', [reshape(x, [batch, tokens, kvHeads, dim])], { perm: [0, 2, 1, 3] });

  const grouped = reshape(rotate(query!, heads), [batch, tokens, kvHeads, share, dim]);
  const queries = emit.node('Transpose', [grouped], { perm: [0, 2, 3, 1, 4] }); // [batch, kv, share, tokens, dim]
  const keys = perHead(rotate(key!, kvHeads)); // [batch, kv, tokens, dim]
  const values = perHead(value!);

  const chunks = queryChunks(tokens, window).map(({ begin, end, first }) => {
    const [rows, columns] = [end - begin, end - first];
    const q = reshape(slice(queries, 3, begin, end, tokens), [batch, kvHeads, share * rows, dim]);
    const products = scaledProducts(emit, provider, q, slice(keys, 2, first, end, tokens), 1 / Math.sqrt(dim), type);
    const mask = emit.constant('float32', [rows, columns], causalMask(begin, end, first, window));
    const typedMask = type === 'float32' ? mask : emit.node('Cast', [mask], { to: DATA_TYPES[type] });
    const scores = emit.node('Add', [reshape(products, [batch, kvHeads, share, rows, columns]), typedMask]);
    const weights = reshape(emit.node('Softmax', [scores], { axis: -1 }), [batch, kvHeads, share * rows, columns]);
    const mixed = emit.node('MatMul', [weights, slice(values, 2, first, end, tokens)]);
    return reshape(mixed, [batch, kvHeads, share, rows, dim]);
  });
  const mixed = chunks.length === 1 ? chunks[0]! : emit.node('Concat', chunks, { axis: 3 });
  const byToken = emit.node('Transpose', [mixed], { perm: [0, 3, 1, 2, 4] });
  emit.node('Reshape', [byToken, emit.integers([batch, tokens, width])], {}, { output });
}

interface QueryChunk {
  /** Queries `begin … end − 1` see keys `first … end − 1` at most. */
  readonly begin: number;
  readonly end: number;
  readonly first: number;
}

/** About eight chunks: finer ones save few products more and cost a run of small operators each. */
function queryChunks(tokens: number, window = tokens): QueryChunk[] {
  const size = Math.min(Math.max(64, Math.ceil(tokens / 8)), 256);
  return Array.from({ length: Math.ceil(tokens / size) }, (_, i) => {
    const begin = i * size;
    return { begin, end: Math.min(begin + size, tokens), first: Math.max(0, begin - window + 1) };
  });
}

/** 0 where a query sees a key, else a number that leaves nothing of it after the softmax (in float16 too). */
function causalMask(begin: number, end: number, first: number, window = Infinity): number[] {
  const mask: number[] = [];
  for (let query = begin; query < end; query++) {
    for (let key = first; key < end; key++) mask.push(key <= query && key > query - window ? 0 : -60_000);
  }
  return mask;
}

/** scale · q · kᵀ: one operator on the CPU, which WebGPU does not have. */
function scaledProducts(
  emit: Emitter,
  provider: LoweringTarget['provider'],
  q: string,
  k: string,
  scale: number,
  type: Node['output']['type'],
): string {
  if (provider === 'cpu') {
    const attributes = { transB: 1, alpha: { float: scale } };
    return emit.node('FusedMatMul', [q, k], attributes, { domain: 'com.microsoft' });
  }
  const factor = emit.constant('float32', [], [scale]);
  const typed = type === 'float32' ? factor : emit.node('Cast', [factor], { to: DATA_TYPES[type] });
  const transposed = emit.node('Transpose', [k], { perm: [0, 1, 3, 2] });
  return emit.node('MatMul', [emit.node('Mul', [q, typed]), transposed]);
}
