/**
 * The candidate that someone who wrote `name` most likely meant, or undefined where none is close: letters added, left
 * out, changed or swapped with a neighbour, at most a third of them. Upper and lower case differ by a tenth of a letter.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const bound = Math.max(1, Math.floor(name.length / 3));
  if (name.length > MAX_NAME) return undefined;
  let best: string | undefined;
  let bestDistance = bound + 0.5;
  for (const candidate of candidates) {
    if (candidate === name || Math.abs(candidate.length - name.length) > bestDistance) continue;
    const distance = editDistance(name, candidate, bestDistance);
    // A name of one or two letters is as near to any other: there only the case may differ.
    if (distance >= bestDistance || (name.length <= 2 && distance >= 1)) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Longer names are not compared: the time is the product of the lengths. */
const MAX_NAME = 64;

/** Optimal string alignment distance (Damerau and Levenshtein); `bound` or more once it cannot be less. */
function editDistance(a: string, b: string, bound: number): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + letterDistance(a[i - 1]!, b[j - 1]!);
      let least = Math.min(change, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, beforeLast[j - 2]! + 1);
      row.push(least);
    }
    if (Math.min(...row) >= bound && Math.min(...last) >= bound) return bound;
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}

function letterDistance(a: string, b: string): number {
  if (a === b) return 0;
  return a.toLowerCase() === b.toLowerCase() ? 0.1 : 1;
}
