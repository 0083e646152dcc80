import { existsSync } from 'node:fs'
import { imageEnding } from './outputs.ts'

/** Options that take several values, separated by spaces, and what their values look like. */
const lists: Readonly<Record<string, (word: string) => boolean>> = {
  '--sigma': isLength,
  '-s': isLength,
  '--labels': isName,
  '--outputs': isName,
  '--tolerance': isNumber,
}

/**
 * The words of a command line, files before the list options that they follow: `--sigma 2 FILE` would otherwise take
 * the file for a second σ.
 */
export function filesBeforeLists(words: readonly string[]): string[] {
  const result: string[] = []
  // Lists that follow each other have their files before the first of them.
  let [start, end] = [-1, -1]
  for (let i = 0; i < words.length; i++) {
    if (!Object.hasOwn(lists, words[i])) {
      result.push(words[i])
      continue
    }
    const next = words.findIndex((word, at) => at > i && word.startsWith('-'))
    const rest = words.slice(i + 1, next < 0 ? words.length : next)
    // The first value is the option's, whatever it looks like: a wrong one is then refused by name.
    const other = rest.findIndex((word, at) => at > 0 && !lists[words[i]](word))
    const values = other < 0 ? rest : rest.slice(0, other)
    if (end !== result.length) start = result.length
    result.push(words[i], ...values)
    const files = rest.slice(values.length)
    result.splice(start, 0, ...files)
    start += files.length
    end = result.length
    i += rest.length
  }
  return result
}

function isNumber(word: string): boolean {
  return /^[\d.,]+$/.test(word)
}

function isLength(word: string): boolean {
  return /^[\d.,]+(mm|vx)?$/.test(word)
}

/** Whether a word is a label or a name and not a path: numbers always are, whatever folder is called the same. */
function isName(word: string): boolean {
  if (/^[\d+,]+$/.test(word)) return true
  return imageEnding(word) === undefined && !/[/\\]/.test(word) && !existsSync(word)
}
