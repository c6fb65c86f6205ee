import type { Graph, Node, Value } from './graph.ts';

/** A program in two: what the second takes of the first has the same name here and there. */
export interface SplitGraph {
  readonly first: Graph;
  readonly second: Graph;
  /** Outputs of the first that are inputs of the second. */
  readonly handed: readonly { readonly name: string; readonly value: Value }[];
}

/**
 * Cuts a program behind the outputs that are wanted first (a block's y), so that the rest (its gradients) can be computed later, when what it needs
 * from outside (∂L/∂y) is known. The first part hands over what the second reads of it. Computed again are other shapes of the same elements, which
 * cost nothing, and what has a row for each that data have chosen: programs hand over tensors whose sizes are known.
 *
 * @param isFirst whether an output is one of those
 */
export function splitGraph(graph: Graph, isFirst: (output: string) => boolean): SplitGraph {
  const outputs = graph.outputs.filter(({ name }) => isFirst(name));
  const rest = graph.outputs.filter(({ name }) => !isFirst(name));
  const early = needed(
    graph.nodes,
    outputs.map(({ value }) => value),
  );
  const made = new Set([...early].map(({ output }) => output));
  const chosen = ofChosenRows(graph.nodes);
  // Reversed: what reads a value stands before what made it, and a shape that is made again asks for its source.
  const wanted = new Set(rest.map(({ value }) => value));
  const late: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    const isHanded = made.has(node.output) && node.primitive !== 'reshape' && !chosen.has(node.output);
    if (!wanted.has(node.output) || isHanded) continue;
    late.push(node);
    for (const input of node.inputs) wanted.add(input);
  }
  const again = new Set(late.map(({ output }) => output));
  const handed = [...made]
    .filter((value) => wanted.has(value) && !again.has(value))
    .map((value) => ({ name: `kept:${value.id}`, value }));
  const part = (nodes: readonly Node[], extra: Graph['inputs'], outputsOf: Graph['outputs'], name: string): Graph => {
    const read = new Set([...nodes.flatMap(({ inputs }) => inputs), ...outputsOf.map(({ value }) => value)]);
    return {
      name,
      inputs: [...graph.inputs, ...extra].filter(({ value }) => read.has(value)),
      outputs: outputsOf,
      constants: graph.constants.filter(({ value }) => read.has(value)),
      nodes,
    };
  };
  return {
    first: part([...early], [], [...outputs, ...handed], `${graph.name}, kept`),
    second: part(late.reverse(), handed, rest, `${graph.name}, backwards`),
    handed,
  };
}

/** Values with as many rows as data choose. */
function ofChosenRows(nodes: readonly Node[]): ReadonlySet<Value> {
  const found = new Set<Value>();
  for (const { primitive, inputs, output } of nodes) {
    if (primitive === 'takeRows' || (primitive !== 'addRows' && inputs.some((input) => found.has(input)))) {
      found.add(output);
    }
  }
  return found;
}

/** The nodes that values come from, in their order. */
function needed(nodes: readonly Node[], values: readonly Value[]): ReadonlySet<Node> {
  const wanted = new Set(values);
  const found = nodes.toReversed().filter((node) => {
    if (!wanted.has(node.output)) return false;
    for (const input of node.inputs) wanted.add(input);
    return true;
  });
  return new Set(found.reverse());
}
