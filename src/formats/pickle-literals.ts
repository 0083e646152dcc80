import { type PickleBytes, spelled } from './pickle-bytes.ts'

type Literal = null | boolean | number | string | Uint8Array

/** Opcodes that push one plain value, and how its bytes are read. */
export const literalReaders: ReadonlyMap<string, (bytes: PickleBytes) => Literal> = new Map<
  string,
  (bytes: PickleBytes) => Literal
>([
  ['N', () => null],
  ['\x88', () => true],
  ['\x89', () => false],
  ['I', (bytes) => integerOrFlag(bytes.line())],
  ['L', (bytes) => spelled(bytes.line().replace(/L$/, ''))],
  ['F', (bytes) => bytes.number()],
  ['J', (bytes) => bytes.i32()],
  ['K', (bytes) => bytes.u8()],
  ['M', (bytes) => bytes.u16()],
  ['G', (bytes) => bytes.f64()],
  ['\x8a', (bytes) => bytes.long(bytes.u8())],
  ['\x8b', (bytes) => bytes.long(bytes.u32())],
  ['S', (bytes) => unquoted(bytes.line())],
  ['V', (bytes) => rawUnicode(bytes.line())],
  ['T', (bytes) => bytes.latin1(bytes.u32())],
  ['U', (bytes) => bytes.latin1(bytes.u8())],
  ['X', (bytes) => bytes.utf8(bytes.u32())],
  ['\x8c', (bytes) => bytes.utf8(bytes.u8())],
  ['\x8d', (bytes) => bytes.utf8(bytes.u64())],
  ['B', (bytes) => bytes.take(bytes.u32())],
  ['C', (bytes) => bytes.take(bytes.u8())],
  ['\x8e', (bytes) => bytes.take(bytes.u64())],
  ['\x96', (bytes) => bytes.take(bytes.u64())],
])

function integerOrFlag(line: string): number | boolean {
  return line === '01' ? true : line === '00' ? false : spelled(line)
}

function unquoted(line: string): string {
  if (!/^(['"]).*\1$/.test(line)) throw new RangeError('a string without its quotes')
  return line.slice(1, -1).replace(/\\(['"\\])/g, '$1')
}

/** Python's raw-unicode-escape: Latin-1 with \\u0041 and \\U00000041 for what it lacks. */
function rawUnicode(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/gi, (_, four, eight) => {
    const code = Number.parseInt(four ?? eight, 16)
    return code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code)
  })
}
