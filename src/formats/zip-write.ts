import { deflated } from './gzip-write.ts'

/** A file to be written into an archive. */
export interface ZipInput {
  readonly name: string
  /** Its bytes; they are compressed slab by slab. */
  readonly slabs: Iterable<Uint8Array>
  readonly size: number
}

interface Written extends ZipInput {
  readonly offset: number
  readonly storedSize: number
  readonly checksum: number
}

/** From here on a size needs 64 bits; 0xffffffff itself means "see the zip64 field". */
const zip64From = 0xffffffff
/** 1980-01-01, the earliest date a zip archive can hold: the same arrays give the same bytes. */
const date = 0x0021

/** A zip archive of deflated files, zip64 where it is needed (APPNOTE.TXT 4.3). */
export async function* zip(files: readonly ZipInput[]): AsyncGenerator<Uint8Array> {
  const done: Written[] = []
  let offset = 0
  for (const file of files) {
    const start = offset
    // Deflate may enlarge what it cannot compress, by less than 1 in 1000.
    const wide = file.size >= zip64From * 0.999
    const local = record(0x04034b50, 30, (view) => {
      common(view, 4, wide)
      view.setUint16(26, encode(file.name).length, true)
      view.setUint16(28, wide ? 20 : 0, true)
    })
    yield local
    yield encode(file.name)
    // Zeros: sizes follow the data. The field's presence says that they have 64 bits there.
    if (wide) yield zip64Field([0, 0])
    offset += local.length + encode(file.name).length + (wide ? 20 : 0)
    const before = offset
    const pieces = deflated(file.slabs)
    let piece = await pieces.next()
    for (; !piece.done; piece = await pieces.next()) {
      offset += piece.value.length
      yield piece.value
    }
    const written = { ...file, offset: start, storedSize: offset - before, checksum: piece.value.checksum }
    const descriptor = record(0x08074b50, wide ? 24 : 16, (view) => {
      view.setUint32(4, written.checksum, true)
      setSize(view, 8, written.storedSize, wide)
      setSize(view, wide ? 16 : 12, file.size, wide)
    })
    yield descriptor
    offset += descriptor.length
    done.push(written)
  }
  const directory = offset
  for (const file of done) {
    for (const part of directoryEntry(file)) {
      offset += part.length
      yield part
    }
  }
  yield* endRecords(done.length, directory, offset)
}

function* directoryEntry(file: Written): Generator<Uint8Array> {
  const large = [file.size, file.storedSize, file.offset].filter((value) => value >= zip64From)
  yield record(0x02014b50, 46, (view) => {
    view.setUint16(4, large.length > 0 ? 45 : 20, true)
    common(view, 6, large.length > 0)
    view.setUint32(16, file.checksum, true)
    view.setUint32(20, Math.min(file.storedSize, zip64From), true)
    view.setUint32(24, Math.min(file.size, zip64From), true)
    view.setUint16(28, encode(file.name).length, true)
    view.setUint16(30, large.length > 0 ? 4 + 8 * large.length : 0, true)
    view.setUint32(42, Math.min(file.offset, zip64From), true)
  })
  yield encode(file.name)
  if (large.length > 0) yield zip64Field(large)
}

function* endRecords(count: number, directory: number, end: number): Generator<Uint8Array> {
  const wide = directory >= zip64From || count >= 0xffff
  if (wide) {
    yield record(0x06064b50, 56, (view) => {
      setSize(view, 4, 44, true)
      view.setUint16(12, 45, true)
      view.setUint16(14, 45, true)
      setSize(view, 24, count, true)
      setSize(view, 32, count, true)
      setSize(view, 40, end - directory, true)
      setSize(view, 48, directory, true)
    })
    yield record(0x07064b50, 20, (view) => {
      setSize(view, 8, end, true)
      view.setUint32(16, 1, true)
    })
  }
  yield record(0x06054b50, 22, (view) => {
    view.setUint16(8, Math.min(count, 0xffff), true)
    view.setUint16(10, Math.min(count, 0xffff), true)
    view.setUint32(12, end - directory, true)
    view.setUint32(16, Math.min(directory, zip64From), true)
  })
}

/** The fields that local headers and directory entries share: version needed, flags, method, date. */
function common(view: DataView, at: number, wide: boolean): void {
  view.setUint16(at, wide ? 45 : 20, true)
  view.setUint16(at + 2, 0x0808, true) // sizes follow the data; names in UTF-8
  view.setUint16(at + 4, 8, true) // deflate
  view.setUint16(at + 8, date, true)
}

function zip64Field(values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 8 * values.length))
  view.setUint16(0, 1, true)
  view.setUint16(2, 8 * values.length, true)
  for (const [n, value] of values.entries()) setSize(view, 4 + 8 * n, value, true)
  return new Uint8Array(view.buffer)
}

function record(signature: number, length: number, set: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(length))
  view.setUint32(0, signature, true)
  set(view)
  return new Uint8Array(view.buffer)
}

function setSize(view: DataView, at: number, value: number, wide: boolean): void {
  if (wide) view.setBigUint64(at, BigInt(value), true)
  else view.setUint32(at, value, true)
}

function encode(name: string): Uint8Array {
  return new TextEncoder().encode(name)
}
