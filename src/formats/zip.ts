import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream'
import { crc32, createInflateRaw } from 'node:zlib'
import { InputError } from '../volume/errors.ts'
import { type ByteSource, chunkBytes, maxDeflateRatio, streamSource } from './byte-source.ts'
import { inputFault } from './file-faults.ts'
import { openRegularFile } from './read-file.ts'

/** A file within a zip archive. */
export interface ZipEntry {
  readonly name: string
  readonly size: number
  readonly storedSize: number
  readonly method: number
  readonly encrypted: boolean
  readonly checksum: number
  readonly headerOffset: number
  /** The name as its bytes. */
  readonly rawName: Uint8Array
}

const utf8Decoder = new TextDecoder()
/** A directory is read whole; this bounds what a lying archive can ask for (some 500,000 entries). */
const maxDirectoryBytes = 1 << 26

/**
 * The entries of a zip archive, zip64 included, from its central directory (APPNOTE.TXT 4.3).
 *
 * @throws InputError where the archive is truncated or damaged
 */
export async function readZipDirectory(path: string): Promise<ZipEntry[]> {
  return withFile(path, async (file) => {
    const { size } = await file.stat()
    if (size === 0) throw new InputError(path, 'is empty; was it written completely?')
    const { offset, bytes, count } = await findDirectory(file, size, path)
    if (!(offset + bytes <= size && bytes <= maxDirectoryBytes)) throw damaged(path)
    const directory = await readAt(file, offset, bytes, path)
    const entries: ZipEntry[] = []
    for (let at = 0; at < bytes; ) {
      if (at + 46 > bytes || directory.getUint32(at, true) !== 0x02014b50) throw damaged(path)
      const entry = entryAt(directory, at, path)
      if (entry.headerOffset + entry.storedSize > size) throw damaged(path)
      entries.push(entry)
      at += 46 + [28, 30, 32].reduce((sum, field) => sum + directory.getUint16(at + field, true), 0)
    }
    // Entries that share their bytes multiply what the archive can hold: a zip bomb.
    const stored = entries.reduce((sum, entry) => sum + entry.storedSize, 0)
    if (entries.length !== count || stored > size) throw damaged(path)
    const names = new Set<string>()
    for (const { name } of entries) {
      if (names.has(name)) throw new InputError(path, `holds ${name} twice; write it again`)
      names.add(name)
    }
    return entries
  })
}

/** The decompressed bytes of an entry, whose length and checksum are verified when its end is reached. */
export async function openZipEntry(path: string, entry: ZipEntry): Promise<ByteSource> {
  const subject = `${path}/${entry.name}`
  if (entry.encrypted) throw new InputError(subject, 'is encrypted; save it without a password')
  if (entry.method !== 0 && entry.method !== 8) {
    throw new InputError(subject, `is compressed by method ${entry.method}; save it with numpy.savez_compressed`)
  }
  const start = await withFile(path, async (file) => {
    const local = await readAt(file, entry.headerOffset, 30, path)
    if (local.getUint32(0, true) !== 0x04034b50 || !agrees(local, entry)) throw damaged(path)
    const name = await readAt(file, entry.headerOffset + 30, entry.rawName.length, path)
    if (entry.rawName.some((byte, n) => byte !== name.getUint8(n))) throw damaged(path)
    return entry.headerOffset + 30 + local.getUint16(26, true) + local.getUint16(28, true)
  })
  if (entry.storedSize === 0) return verified(emptySource, entry, subject)
  const raw = createReadStream(path, { start, end: start + entry.storedSize - 1, highWaterMark: chunkBytes })
  if (entry.method === 0) return verified(streamSource(raw, subject, entry.storedSize), entry, subject)
  const inflated = pipeline(raw, createInflateRaw({ chunkSize: chunkBytes }), () => {})
  return verified(streamSource(inflated, subject, entry.storedSize * maxDeflateRatio), entry, subject)
}

/** Whether an entry's own header says what the directory does. Behind flag 8 its checksum and sizes follow the data. */
function agrees(local: DataView, entry: ZipEntry): boolean {
  const later = (local.getUint16(6, true) & 8) !== 0
  const wide = local.getUint32(22, true) === 0xffffffff
  return (
    local.getUint16(8, true) === entry.method &&
    local.getUint16(26, true) === entry.rawName.length &&
    (later || local.getUint32(14, true) === entry.checksum) &&
    (later || wide || local.getUint32(22, true) === entry.size)
  )
}

const emptySource: ByteSource = { bound: 0, exact: true, fill: async () => 0, close: async () => {} }

function verified(source: ByteSource, entry: ZipEntry, subject: string): ByteSource {
  let length = 0
  let checksum = 0
  return {
    bound: Math.min(source.bound, entry.size),
    exact: entry.size <= source.bound,
    async fill(target) {
      const filled = await source.fill(target)
      length += filled
      checksum = crc32(target.subarray(0, filled), checksum)
      if (length > entry.size || (filled < target.length && length !== entry.size)) throw damaged(subject)
      if (filled < target.length && checksum !== entry.checksum) {
        throw new InputError(subject, 'is damaged (its checksum is wrong); write or copy it again')
      }
      return filled
    },
    close: () => source.close(),
  }
}

interface Directory {
  readonly offset: number
  readonly bytes: number
  readonly count: number
}

/** Where the central directory lies, from the record at the archive's end. */
async function findDirectory(file: FileHandle, size: number, path: string): Promise<Directory> {
  // The record has 22 bytes and a comment of up to 65,535.
  const tailBytes = Math.min(size, 22 + 65535)
  const tail = await readAt(file, size - tailBytes, tailBytes, path)
  let at = tailBytes - 22
  while (at >= 0 && tail.getUint32(at, true) !== 0x06054b50) at--
  if (at < 0) throw new InputError(path, 'is no zip archive (.npz), or is truncated; write or copy it again')
  const [bytes, offset] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)]
  const count = tail.getUint16(at + 10, true)
  const isZip64 = at >= 20 && tail.getUint32(at - 20, true) === 0x07064b50
  if (!isZip64) return { offset, bytes, count }
  const record = await readAt(file, Number(tail.getBigUint64(at - 12, true)), 56, path)
  if (record.getUint32(0, true) !== 0x06064b50) throw damaged(path)
  const [wideCount, wideBytes, wideOffset] = [32, 40, 48].map((field) => Number(record.getBigUint64(field, true)))
  return { bytes: wideBytes, offset: wideOffset, count: wideCount }
}

function entryAt(view: DataView, at: number, path: string): ZipEntry {
  const nameBytes = view.getUint16(at + 28, true)
  const extraBytes = view.getUint16(at + 30, true)
  const extraAt = at + 46 + nameBytes
  if (extraAt + extraBytes > view.byteLength) throw damaged(path)
  // Control characters would break the one line of an error message.
  const rawName = new Uint8Array(view.buffer, view.byteOffset + at + 46, nameBytes)
  const name = utf8Decoder.decode(rawName).replace(/\p{C}/gu, '?')
  const fields = { size: 24, storedSize: 20, headerOffset: 42 }
  const entry = { size: 0, storedSize: 0, headerOffset: 0 }
  let wide = zip64At(view, extraAt, extraAt + extraBytes)
  for (const key of ['size', 'storedSize', 'headerOffset'] as const) {
    entry[key] = view.getUint32(at + fields[key], true)
    if (entry[key] !== 0xffffffff || wide === undefined) continue
    if (wide + 8 > extraAt + extraBytes) throw damaged(path)
    entry[key] = Number(view.getBigUint64(wide, true))
    wide += 8
  }
  return {
    name,
    rawName,
    ...entry,
    method: view.getUint16(at + 10, true),
    encrypted: (view.getUint16(at + 8, true) & 1) === 1,
    checksum: view.getUint32(at + 16, true),
  }
}

/** Where the 64-bit sizes of an entry begin (extra field 1), if it has them. */
function zip64At(view: DataView, start: number, end: number): number | undefined {
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) === 1) return at + 4
  }
  return undefined
}

async function readAt(file: FileHandle, offset: number, length: number, path: string): Promise<DataView> {
  const bytes = new Uint8Array(length)
  if (!Number.isSafeInteger(offset)) throw damaged(path)
  const { bytesRead } = await file.read(bytes, 0, length, offset)
  if (bytesRead < length) throw damaged(path)
  return new DataView(bytes.buffer)
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    const { file } = await openRegularFile(path)
    return await use(file).finally(() => file.close())
  } catch (error) {
    throw inputFault(error, path)
  }
}

function damaged(subject: string): InputError {
  return new InputError(subject, 'is a truncated or damaged zip archive (.npz); write or copy it again')
}
