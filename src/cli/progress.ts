import { isQuiet } from './print.ts'

/** A progress line with the time left, on standard error, shown only where that is a terminal. */
export interface Progress {
  /** Says how many steps an earlier process did: they cost this one no time. Called before the first update. */
  resume(done: number): void
  /** Sets how many of the steps are done. */
  update(done: number): void
  /** The time left in words (`3 min 20 s`), at the pace so far; undefined before the first step. */
  left(): string | undefined
  /** Wipes the line. */
  end(): void
}

/** Starts a progress line for `total` steps of equal length. */
export function startProgress(title: string, total: number): Progress {
  const { stderr } = process
  const start = Date.now()
  let [before, current, shown] = [0, 0, 0]
  const left = () => {
    const own = current - before
    return own > 0 ? duration(((Date.now() - start) / own) * (total - current)) : undefined
  }
  return {
    left,
    resume(done) {
      before = done
    },
    update(done) {
      current = done
      const now = Date.now()
      if (!stderr.isTTY || isQuiet() || (now - shown < 100 && done < total)) return
      shown = now
      const time = left()
      const filled = Math.round((20 * done) / Math.max(total, 1))
      const bar = `${'█'.repeat(filled)}${'░'.repeat(20 - filled)}`
      stderr.write(`\r\x1b[K${title} ${bar} ${done}/${total}${time ? `, ${time} left` : ''}`)
    },
    end() {
      if (stderr.isTTY) stderr.write('\r\x1b[K')
    },
  }
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
