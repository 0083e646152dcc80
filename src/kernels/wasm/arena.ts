/** A WebAssembly memory handed out front to back; everything in it lives as long as the arena. */
export class Arena {
  readonly memory: WebAssembly.Memory
  // The first 64 KiB belong to the module (its data lie at 1024).
  #top = 65536

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 })
  }

  /**
   * Reserves `bytes` (zeroed unless the arena was reset) and returns their offset, a multiple of 16. Existing views
   * become invalid.
   */
  reserve(bytes: number): number {
    const at = this.#top
    this.#top += Math.ceil(bytes / 16) * 16
    const missing = this.#top - this.memory.buffer.byteLength
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536))
    return at
  }

  /** Makes all memory available again, for a computation that writes whatever it reads; nothing is cleared. */
  reset(): void {
    this.#top = 65536
  }

  /** Reserves room for an array and copies it in. */
  store(array: Float32Array | Uint32Array | Uint8Array | Uint16Array): number {
    const at = this.reserve(array.byteLength)
    new Uint8Array(this.memory.buffer, at).set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    return at
  }

  floats(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length)
  }
}

/** Instantiates an embedded module (see scripts/build-wasm.mjs) on the arena's memory. */
export function instantiate<Exports>(wasmBase64: string, arena: Arena): Exports {
  const module = compiled.get(wasmBase64) ?? new WebAssembly.Module(bytesOf(wasmBase64))
  compiled.set(wasmBase64, module)
  return new WebAssembly.Instance(module, { env: { memory: arena.memory } }).exports as unknown as Exports
}

const compiled = new Map<string, WebAssembly.Module>()

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64)
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
