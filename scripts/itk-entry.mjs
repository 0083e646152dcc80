// What the package takes of ITK (src/formats/itk-worker.ts): scripts/bundle.mjs makes lib/itk.js of it.
export { gdcmReadImageNode } from '@itk-wasm/image-io'
