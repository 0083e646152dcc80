/**
 * Bytes whose memory is not shared, such as a `Blob` takes. TypeScript 5.7 and later tell such arrays apart by a type
 * parameter that earlier versions do not know; the result of `Uint8Array.of` is the right type in both.
 */
export type Bytes = ReturnType<Uint8ArrayConstructor['of']>
