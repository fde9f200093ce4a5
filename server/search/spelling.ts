/** How many signs may differ in a word of this length. */
export function allowedDistance(length: number): number {
  return length < 4 ? 0 : length < 6 ? 1 : length < 12 ? 2 : 3;
}

/**
 * Edits that turn one word into another: signs added, left out, replaced, or two neighbours exchanged (optimal string
 * alignment). More than `most` are not counted on.
 *
 * @returns `most + 1` when there are more
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1));
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isExchanged) edits = Math.min(edits, (before[j - 2] ?? 0) + 1);
      next.push(edits);
      least = Math.min(least, edits);
    }
    if (least > most) return most + 1;
    before = row;
    row = next;
  }
  return row[b.length] ?? most + 1;
}

/**
 * The words most like a misspelt one, all with the fewest edits; none where too many would be needed. The first sign is
 * taken to be right unless nothing else is found.
 */
export function nearestWords(misspelt: string, known: Iterable<string>): string[] {
  let most = allowedDistance(misspelt.length);
  let nearest: string[] = [];
  if (most === 0) return nearest;
  for (const word of known) {
    if (Math.abs(word.length - misspelt.length) > most) continue;
    const distance = editDistance(misspelt, word, most);
    if (distance > most || distance === 0) continue;
    if (distance < most) nearest = [];
    most = distance;
    nearest.push(word);
  }
  const sameFirst = nearest.filter((word) => word[0] === misspelt[0]);
  return sameFirst.length > 0 ? sameFirst : nearest;
}
