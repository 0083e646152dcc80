import { dirname, resolve } from 'node:path'
import { InputError } from '../volume/errors.ts'
import { quoted } from './legible.ts'

/** No series of slices is longer; a numbered pattern could ask for billions. */
const maxFiles = 1_000_000

/**
 * The data files that a detached header (NRRD, MetaImage) names, in the order of its slowest axis: one name, `LIST`
 * with the names on the lines that follow, or a numbered pattern such as `slice%03d.raw 1 40 1`. Names are relative to
 * the header's folder.
 *
 * @throws InputError where the list is empty or the pattern makes no sense
 */
export function dataFiles(value: string, lines: readonly string[], headerPath: string): string[] {
  const names = namesOf(value, lines, headerPath)
  if (names.length === 0) throw new InputError(headerPath, 'lists no data files; write it again')
  return names.map((name) => resolve(dirname(headerPath), name))
}

function namesOf(value: string, lines: readonly string[], headerPath: string): string[] {
  if (/^LIST(\s+\d+D?)?$/i.test(value)) return lines.map((line) => line.trim()).filter((line) => line !== '')
  const pattern = /^(.*?%.*?)\s+(-?\d+)\s+(-?\d+)(?:\s+(-?\d+))?(?:\s+\d+)?$/.exec(value)
  if (!pattern) return [value]
  const [first, last, step] = [pattern[2], pattern[3], pattern[4] ?? '1'].map(Number)
  const count = Math.floor((last - first) / step) + 1
  const place = /^([^%]*)%(0?)(\d{0,2})[di]([^%]*)$/.exec(pattern[1])
  if (!place || !(count >= 1 && count <= maxFiles)) {
    throw new InputError(headerPath, `names its data files by ${quoted(value)}, which makes no sense; list their names`)
  }
  const [, before, zeros, width, after] = place
  const spell = (n: number) => {
    const digits = String(Math.abs(n)).padStart(zeros ? Number(width) - (n < 0 ? 1 : 0) : 0, '0')
    return `${before}${`${n < 0 ? '-' : ''}${digits}`.padStart(Number(width))}${after}`
  }
  return Array.from({ length: count }, (_, n) => spell(first + n * step))
}
