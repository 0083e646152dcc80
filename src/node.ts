export { openVolume, readVolume, type VolumeStream, writeVolume } from './formats/volume-file.ts'
export * from './index.ts'
