/** The one of some known words that a mistyped one was meant to be; undefined when none is near. */
export function findNearest(wrong: string, known: readonly string[]): string | undefined {
  const near = known.map((word) => ({ word, distance: distance(word.toLowerCase(), wrong.toLowerCase()) }));
  near.sort((a, b) => a.distance - b.distance);
  const best = near[0];
  return best !== undefined && best.distance <= Math.max(2, wrong.length / 3) ? best.word : undefined;
}

/** Levenshtein, on words of a few characters. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
