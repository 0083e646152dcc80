// Stands in for node:crypto in the page's worker: digests, which browsers themselves give only to pages of https.
import { sha256 } from '@noble/hashes/sha2.js'

export function createHash(name: string) {
  if (name !== 'sha256') throw new Error(`${name} is not there in a browser`)
  const hash = sha256.create()
  return {
    update(bytes: Uint8Array) {
      hash.update(bytes)
      return this
    },
    digest: (): Uint8Array => hash.digest(),
  }
}
