/**
 * Bad usage or bad input: the message names what is wrong and what to do about it. The command line prints it as one
 * line `halfdice: SUBJECT: FAULT` and exits with 2; every other error is a defect of ours or of the machine.
 *
 * @example
 * const error = new InputError('a.nii', 'is empty; write it again')
 * error.message // 'a.nii: is empty; write it again'
 */
export class InputError extends Error {
  override readonly name = 'InputError'
  /** What was at fault: a file path, an option or a parameter name. */
  readonly subject: string
  /** The fault and its remedy, in one sentence each, without the subject. */
  readonly fault: string

  constructor(subject: string, fault: string) {
    super(`${subject}: ${fault}`)
    this.subject = subject
    this.fault = fault
  }
}

/**
 * The machine refused an output (disk full, input/output error): neither the input nor our code is at fault. The
 * command line prints it as one line too, and exits with 2.
 *
 * @example
 * new OutputError('a.nii', 'the disk is full; free some space').subject // 'a.nii'
 */
export class OutputError extends Error {
  override readonly name = 'OutputError'
  /** What could not be written: a file path. */
  readonly subject: string
  /** The fault and its remedy, without the subject. */
  readonly fault: string

  constructor(subject: string, fault: string) {
    super(`${subject}: ${fault}`)
    this.subject = subject
    this.fault = fault
  }
}

/**
 * A run that failed though usage and input were right: training that diverged, memory that ran out. The command line
 * prints `halfdice: SUBJECT: FAULT` and exits with 1.
 *
 * @example
 * new RunError('liver', 'training diverged; lower the rate').message // 'liver: training diverged; lower the rate'
 */
export class RunError extends Error {
  override readonly name = 'RunError'

  constructor(subject: string, fault: string) {
    super(`${subject}: ${fault}`)
  }
}
