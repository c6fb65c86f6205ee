/** A merge table learned from words as Sennrich et al. (2016) do: again and again the most frequent pair becomes one symbol. */
export function trainMerges(words: readonly string[], count: number): [string, string][] {
  const merges: [string, string][] = [];
  let corpus = words.map((word) => Array.from(word));
  while (merges.length < count) {
    const best = mostFrequentPair(corpus);
    if (!best) break;
    merges.push(best);
    corpus = corpus.map((symbols) => mergePair(symbols, best));
  }
  return merges;
}

/** Ties go to the pair that comes first in code unit order, so that training is repeatable. */
function mostFrequentPair(corpus: readonly (readonly string[])[]): [string, string] | undefined {
  const counts = new Map<string, number>();
  for (const symbols of corpus) {
    for (let i = 1; i < symbols.length; i++) {
      const key = `${symbols[i - 1]!}\0${symbols[i]!}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const [best] = [...counts].filter(([, times]) => times > 1).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return best && (best[0].split('\0') as [string, string]);
}

function mergePair(symbols: readonly string[], [left, right]: readonly [string, string]): string[] {
  const merged: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    if (symbols[i] === left && symbols[i + 1] === right) {
      merged.push(left + right);
      i++;
    } else merged.push(symbols[i]!);
  }
  return merged;
}
