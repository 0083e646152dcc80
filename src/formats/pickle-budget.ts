/**
 * What reading a pickle may cost. A pickle may use what it holds many times over, so that a few bytes could ask for any
 * amount of work; data that a program wrote never make more out of the file than a multiple of its bytes.
 */
export class PickleBudget {
  #opcodes = maxOpcodes
  #work: number

  constructor(bytes: number) {
    // A dictionary of numbers as text takes the most: four steps for a key and a value of two bytes each.
    this.#work = 1000 + 2 * bytes
  }

  /** One more opcode. */
  step(): void {
    if (--this.#opcodes < 0) throw new RangeError('too many parts')
  }

  /** So many numbers, lists or bytes are made of what is there. */
  spend(units: number): void {
    this.#work -= units
    if (!(this.#work >= 0)) throw new RangeError('more than its bytes can stand for')
  }
}

/** Properties of a case have some hundred parts; a million fits into 100 MB. */
const maxOpcodes = 1_000_000
