/**
 * The word that was probably meant: the one with the fewest letters to change, where that is few enough. A word that
 * was cut short counts as its beginning (`tresh` is one letter from `thresh…`).
 */
export function nearestWord(typed: string, words: readonly string[]): string | undefined {
  const scored = words.map((word) => {
    const starts = [typed.length, typed.length + 1].map((length) => editDistance(typed, word.slice(0, length)))
    return { word, distance: Math.min(editDistance(typed, word), ...starts) }
  })
  const best = scored.reduce((a, b) => (b.distance < a.distance ? b : a), {
    word: '',
    distance: Number.POSITIVE_INFINITY,
  })
  return best.distance <= Math.min(2, typed.length / 2) ? best.word : undefined
}

/** Levenshtein's distance: letters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + Number(a[i - 1] !== b[j - 1])))
    }
    row = next
  }
  return row[b.length]
}
