/** The group of the file meta information. */
export const metaGroup = 0x0002
export const implicitLittle = '1.2.840.10008.1.2'
export const explicitLittle = '1.2.840.10008.1.2.1'

/**
 * Whether bytes begin as a DICOM file does: 128 bytes of anything, then "DICM"; or, where a writer left those out, an
 * element of group 2 or 8 of a plausible length.
 */
export function looksLikeDicom(start: Uint8Array): boolean {
  return hasPreamble(start) || (start.length >= 12 && bareSyntax(start) !== undefined)
}

/** Whether "DICM" follows 128 bytes of anything. */
export function hasPreamble(bytes: Uint8Array): boolean {
  return String.fromCharCode(...bytes.subarray(128, 132)) === 'DICM'
}

/** The transfer syntax of a data set without meta information, or undefined where the bytes are no data set. */
export function bareSyntax(bytes: Uint8Array): string | undefined {
  const group = bytes[0] + 256 * bytes[1]
  if (bytes.length < 8 || (group !== metaGroup && group !== 0x0008)) return undefined
  if (/^[A-Z]{2}$/.test(String.fromCharCode(bytes[4], bytes[5]))) return explicitLittle
  // In implicit VR a length follows the tag; the first elements of an object are short texts.
  return bytes[6] === 0 && bytes[7] === 0 ? implicitLittle : undefined
}
