/** The embedding's rows of some tokens: table [vocabulary, width], ids [n] → [n, width]. */
export function lookUpRows(table: Float32Array, ids: Int32Array, width: number): Float32Array {
  const rows = new Float32Array(ids.length * width);
  for (const [row, id] of ids.entries()) rows.set(table.subarray(id * width, (id + 1) * width), row * width);
  return rows;
}

/** The gradient of {@link lookUpRows}: row i of `rows` is added to row ids[i] of the table. */
export function addRows(table: Float32Array, ids: Int32Array, rows: Float32Array, width: number): void {
  for (let row = 0; row < ids.length; row++) {
    const [to, from] = [ids[row]! * width, row * width];
    for (let column = 0; column < width; column++) table[to + column]! += rows[from + column]!;
  }
}
