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
  const [first, second, third] = ROWS;
  let [beforeLast, last, row] = [first!, second!, third!];
  let leastOfLast = 0;
  for (let j = 0; j <= b.length; j++) last[j] = j;
  for (let i = 1; i <= a.length; i++) {
    row[0] = i;
    let leastOfRow = i;
    for (let j = 1; j <= b.length; j++) {
      const change = last[j - 1]! + letterDistance(a, i - 1, b, j - 1);
      let least = Math.min(change, last[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, beforeLast[j - 2]! + 1);
      row[j] = least;
      leastOfRow = Math.min(leastOfRow, least);
    }
    if (leastOfRow >= bound && leastOfLast >= bound) return bound;
    leastOfLast = leastOfRow;
    [beforeLast, last, row] = [last, row, beforeLast];
  }
  return last[b.length]!;
}

/** Used again: a name that is unknown is compared with all of a file, at each keystroke. A candidate is at most half as long again. */
const ROWS = Array.from({ length: 3 }, () => new Float64Array(2 * MAX_NAME));

function letterDistance(a: string, i: number, b: string, j: number): number {
  if (a.charCodeAt(i) === b.charCodeAt(j)) return 0;
  return a[i]!.toLowerCase() === b[j]!.toLowerCase() ? 0.1 : 1;
}
