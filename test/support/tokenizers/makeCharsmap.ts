/**
 * A `precompiled_charsmap` as sentencepiece writes it: a double array of the texts (Darts-clone's units: label in the low byte,
 * bit 8 that a text ends there, the offset to the children above bit 9), and behind it what they become, in base64.
 */
export function makeCharsmap(pairs: readonly (readonly [text: string, becomes: string])[]): string {
  const texts = Buffer.from(pairs.map(([, becomes]) => `${becomes}\0`).join(''));
  const root = new Node();
  let value = 0;
  for (const [text, becomes] of pairs) {
    root.add(Buffer.from(text), value);
    value += Buffer.byteLength(becomes) + 1;
  }
  const units = new Map<number, number>([[0, 0]]);
  place(root, 0, units);
  const size = Math.max(...units.keys()) + 256;
  const blob = Buffer.alloc(4 + 4 * size);
  blob.writeUInt32LE(4 * size);
  for (const [at, unit] of units) blob.writeUInt32LE(unit >>> 0, 4 + 4 * at);
  return Buffer.concat([blob, texts]).toString('base64');
}

class Node {
  readonly children = new Map<number, Node>();
  value: number | undefined;

  add(key: Uint8Array, value: number): void {
    const [first, ...rest] = key;
    if (first === undefined) {
      this.value ??= value;
      return;
    }
    const child = this.children.get(first) ?? new Node();
    this.children.set(first, child);
    child.add(Uint8Array.from(rest), value);
  }
}

/** Finds an offset at which all children have a free place, and goes on with each. */
function place(node: Node, at: number, units: Map<number, number>): void {
  const labels = [...node.children.keys(), ...(node.value === undefined ? [] : [0])];
  let offset = 1;
  while (labels.some((label) => units.has(at ^ offset ^ label))) offset++;
  units.set(at, units.get(at)! | (offset << 10) | (node.value === undefined ? 0 : 1 << 8));
  if (node.value !== undefined) units.set(at ^ offset, node.value | (1 << 31));
  for (const label of node.children.keys()) units.set(at ^ offset ^ label, label);
  for (const [label, child] of node.children) place(child, at ^ offset ^ label, units);
}
