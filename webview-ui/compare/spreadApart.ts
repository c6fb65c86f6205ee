/** Moves heights that are closer than `height` apart, each as little as the others allow, between top and bottom. */
export function spreadApart(wanted: readonly number[], height: number, top: number, bottom: number): readonly number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]!);
  const placed: number[] = [];
  for (const i of order) placed.push(Math.max(wanted[i]!, (placed.at(-1) ?? top - height) + height));
  for (let i = placed.length - 1, limit = bottom; i >= 0; i--) {
    placed[i] = Math.min(placed[i]!, limit);
    limit = placed[i]! - height;
  }
  const places: number[] = [];
  for (const [rank, i] of order.entries()) places[i] = placed[rank]!;
  return places;
}
