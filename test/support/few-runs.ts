import { createRequire } from 'node:module'

// Not an import: mutation tests resolve fast-check to this module.
const fastCheck: typeof import('fast-check') = createRequire(import.meta.url)('fast-check')
type Assert = (property: unknown, parameters?: { readonly numRuns?: number }) => unknown
const all = fastCheck.assert as Assert
const assert: Assert = (property, parameters) =>
  all(property, { ...parameters, numRuns: Math.min(parameters?.numRuns ?? 100, 40) })

/** fast-check with at most 40 runs a property: a mutation test repeats each property for each changed line. */
export default { ...fastCheck, assert }
