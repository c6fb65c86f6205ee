/**
 * Moves what would overlap apart, each as little as the others allow: the places of labels of lines that end close to each other.
 *
 * @param wanted places along one direction
 * @param distance of neighbours, at least
 * @param first the lowest and the highest place that there is; what does not fit between them leaves it at the lower end
 * @returns places in the order of `wanted`
 */
export function spreadApart(wanted: readonly number[], distance: number, first: number, last: number): number[] {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a]! - wanted[b]! || a - b);
  const places = new Array<number>(wanted.length);
  let limit = first;
  for (const i of order) {
    places[i] = Math.max(wanted[i]!, limit);
    limit = places[i] + distance;
  }
  limit = last;
  for (const i of order.reverse()) {
    places[i] = Math.min(places[i]!, limit);
    limit = places[i] - distance;
  }
  return places;
}
