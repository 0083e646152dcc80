export { type NpyStream, type Npz, openNpy, openNpz, readNpy, readNpz, writeNpy, writeNpz } from './formats/npz.ts'
export { openVolume, readVolume, type VolumeStream, writeVolume } from './formats/volume-file.ts'
export * from './index.ts'
