import { RunError } from '../volume/errors.ts'
import { tell } from './print.ts'

/**
 * Tells the faults of a run over several cases, a line each and then how many there were.
 *
 * @throws RunError where there are any: the exit code is then 1
 */
export function finishCases(command: string, failures: readonly Error[], total: number): void {
  if (failures.length === 0) return
  for (const { message } of failures) tell(message)
  throw new RunError(
    command,
    failures.length === total
      ? `all ${total} cases failed`
      : `${failures.length} of ${total} cases failed; the others are done`,
  )
}
