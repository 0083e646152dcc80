import { several } from '../datasets/image-folder.ts'
import { findLabelCases } from '../datasets/label-cases.ts'
import { describeMasks, type WrittenMask } from '../datasets/mask-labels.ts'
import { InputError, RunError } from '../volume/errors.ts'
import { protect } from './outputs.ts'
import { type Cell, printResult, table, tell, warn } from './print.ts'

/** A label map that a command works on. */
export interface LabelInput {
  /** The case's name; of an organ with a file of its own `CASE/ORGAN`. */
  readonly name: string
  readonly input: string
  /** Of an organ with a file of its own: `--labels` has chosen the file, and there is one label in it. */
  readonly organ?: string
}

/** What the noise of a label map depends on, beside the seed: organs with a file each move with their case. */
export function fieldName({ name }: LabelInput): string {
  return name.split('/')[0]
}

/** A table of numbers, each row called by its keys. */
export interface NumberTable {
  readonly keys: readonly string[]
  readonly columns: readonly { readonly title: string; readonly format: (value: number | undefined) => Cell }[]
  readonly rows: readonly { readonly keys: readonly Cell[]; readonly values: readonly (number | undefined)[] }[]
}

/** What a command made of one label map. */
export interface LabelOutcome {
  readonly json: object
  readonly title: string
  readonly table: NumberTable
  /** Lines below the table, of a single label map only. */
  readonly more?: readonly string[]
  /** Label maps that lie in a folder for them, which is told what their labels are called. */
  readonly written?: readonly WrittenMask[]
}

/**
 * The label maps that paths stand for, and whether it is one file that was named as such.
 *
 * @param labels `--labels`: of organs with a file each, those that it names
 * @throws InputError where one of them has no file in any case
 */
export async function labelInputs(
  paths: readonly string[],
  suffix?: string,
  labels?: readonly string[],
): Promise<{ readonly inputs: readonly LabelInput[]; readonly single: boolean }> {
  const { cases, warnings } = await findLabelCases(paths, { suffix })
  for (const warning of warnings) warn(warning)
  const inputs = cases.flatMap(({ name, input, organs }): LabelInput[] =>
    organs ? [...organs].map(([organ, file]) => ({ name: `${name}/${organ}`, input: file, organ })) : [{ name, input }],
  )
  if (labels !== undefined && inputs.some(({ organ }) => organ))
    return { inputs: chosenOrgans(inputs, labels), single: false }
  const single = inputs.length === 1 && paths.length === 1 && inputs[0].input === paths[0]
  return { inputs, single }
}

/** The files of the organs that were asked for, and all label maps of other cases. */
function chosenOrgans(inputs: readonly LabelInput[], labels: readonly string[]): LabelInput[] {
  const held = new Set(inputs.flatMap(({ organ }) => organ ?? []))
  const wanted = labels
    .flatMap((text) => (held.has(text.trim()) ? [text] : text.split(/[\s,]+/)))
    .map((text) => text.trim())
  const missing = wanted.find((name) => name !== '' && !held.has(name))
  if (missing !== undefined && inputs.every(({ organ }) => organ)) {
    throw new InputError('--labels', `no case has a mask of '${missing}'; there are ${several([...held].sort())}`)
  }
  return inputs.filter(({ organ }) => organ === undefined || wanted.includes(organ))
}

/** Works on label maps; the result of one that is at fault is its error. In their order. */
export type LabelMapsWork = (inputs: readonly LabelInput[]) => Promise<readonly (LabelOutcome | InputError)[]>

/** Works on label maps in this process, one after the other. */
export function oneByOne(work: (one: LabelInput) => Promise<LabelOutcome>): LabelMapsWork {
  return async (inputs) => {
    const outcomes: (LabelOutcome | InputError)[] = []
    for (const one of inputs) {
      try {
        outcomes.push(await work(one))
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        outcomes.push(error)
      }
    }
    return outcomes
  }
}

/**
 * Works on label maps and prints what came of them. One that is at fault does not cost the others: it is named, and the
 * run fails in the end. A single file's fault is the run's own.
 */
export async function overLabelMaps(
  command: string,
  { inputs, single }: Awaited<ReturnType<typeof labelInputs>>,
  json: boolean | undefined,
  work: LabelMapsWork,
): Promise<void> {
  if (single) {
    const [done] = await work(inputs)
    if (done instanceof InputError) throw done
    await describe([done])
    printResult(json, done.json, () => [done.title, '', shown(done.table), ...(done.more ?? [])].join('\n'))
    return
  }
  protect(inputs.map(({ input }) => input))
  const done: { name: string; outcome: LabelOutcome }[] = []
  const failed: { case: string; error: string }[] = []
  for (const [i, outcome] of (await work(inputs)).entries()) {
    const { name } = inputs[i]
    if (outcome instanceof InputError) {
      tell(outcome.message)
      failed.push({ case: name, error: outcome.message })
    } else done.push({ name, outcome })
  }
  if (done.length > 0) {
    await describe(done.map(({ outcome }) => outcome))
    const result = {
      cases: done.map(({ name, outcome }) => ({ case: name, ...outcome.json })),
      ...(failed.length > 0 && { failed }),
    }
    printResult(json, result, () => {
      const count = `${done.length} ${done.length === 1 ? 'case' : 'cases'}: ${several(done.map(({ name }) => name))}`
      return [count, '', manyShown(done)].join('\n')
    })
  }
  if (failed.length === 0) return
  const rest = done.length > 0 ? '; the others are done' : ''
  throw new RunError(command, `${failed.length} of ${inputs.length} cases failed${rest}`)
}

async function describe(done: readonly LabelOutcome[]): Promise<void> {
  for (const warning of await describeMasks(done.flatMap(({ written }) => written ?? []))) warn(warning)
}

function shown({ keys, columns, rows }: NumberTable): string {
  return table(
    [...keys, ...columns.map(({ title }) => title)],
    rows.map((row) => [...row.keys, ...row.values.map((value, i) => columns[i].format(value))]),
  )
}

/** All cases in one table, and the means over cases of rows with the same keys last. */
function manyShown(done: readonly { readonly name: string; readonly outcome: LabelOutcome }[]): string {
  const [{ outcome: first }] = done
  const { keys, columns } = first.table
  const groups = new Map<string, { keys: readonly Cell[]; values: (number | undefined)[][] }>()
  const rows = done.flatMap(({ name, outcome }) =>
    outcome.table.rows.map((row) => {
      const key = row.keys.join('\u0000')
      const group = groups.get(key) ?? { keys: row.keys, values: [] }
      groups.set(key, group)
      group.values.push([...row.values])
      return [name, ...row.keys, ...row.values.map((value, i) => columns[i].format(value))]
    }),
  )
  const means = [...groups.values()].map((group) => [
    `mean of ${group.values.length}`,
    ...group.keys,
    ...columns.map(({ format }, i) => {
      const values = group.values.flatMap((row) => row[i] ?? [])
      return format(values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length)
    }),
  ])
  return table(['case', ...keys, ...columns.map(({ title }) => title)], [...rows, ...means])
}
