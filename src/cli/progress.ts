/** A progress line with the time left, on standard error, shown only where that is a terminal. */
export interface Progress {
  /** Sets how many of the steps are done. */
  update(done: number): void
  /** Wipes the line. */
  end(): void
}

/** Starts a progress line for `total` steps of equal length. */
export function startProgress(title: string, total: number): Progress {
  const { stderr } = process
  if (!stderr.isTTY) return { update() {}, end() {} }
  const start = performance.now()
  let shown = 0
  return {
    update(done) {
      const now = performance.now()
      if (now - shown < 100 && done < total) return
      shown = now
      const left = done > 0 ? `, ${duration(((now - start) / done) * (total - done))} left` : ''
      const filled = Math.round((20 * done) / Math.max(total, 1))
      stderr.write(`\r\x1b[K${title} ${'█'.repeat(filled)}${'░'.repeat(20 - filled)} ${done}/${total}${left}`)
    },
    end() {
      stderr.write('\r\x1b[K')
    },
  }
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
