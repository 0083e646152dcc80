import { afterEach, expect, test, vi } from 'vitest'
import { startProgress } from './progress.ts'

afterEach(() => vi.useRealTimers())

test('the time left is that of the steps to come, at the pace of this process', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const fresh = startProgress('training', 100)
  expect(fresh.left()).toBeUndefined()
  vi.advanceTimersByTime(10_000)
  fresh.update(10)
  expect(fresh.left()).toBe('1 min 30 s')

  const resumed = startProgress('training', 100)
  resumed.resume(80)
  resumed.update(80)
  expect(resumed.left()).toBeUndefined()
  vi.advanceTimersByTime(10_000)
  resumed.update(81)
  expect(resumed.left()).toBe('3 min 10 s')
})
