// The only file that knows NiiVue: its version 1 will have another interface.
import { Niivue, SLICE_TYPE } from '@niivue/niivue'
import { encodeNifti } from '../../src/formats/nifti.ts'
import type { Volume } from '../../src/volume/volume.ts'

/** A mask in space that can be turned with the pointer. */
export interface Space {
  show(mask: Volume, colour: string): Promise<void>
  turn(azimuth: number, elevation: number): void
  close(): void
}

export async function openSpace(canvas: HTMLCanvasElement): Promise<Space> {
  const viewer = new Niivue({
    backColor: [0, 0, 0, 1],
    show3Dcrosshair: false,
    isOrientCube: true,
    dragAndDropEnabled: false,
    loadingText: '',
    logLevel: 'silent',
  })
  await viewer.attachToCanvas(canvas)
  viewer.setSliceType(SLICE_TYPE.RENDER)
  let [azimuth, elevation] = [200, 15]
  return {
    async show(mask, colour) {
      const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
      viewer.addColormap('mask', { R: [0, r, r], G: [0, g, g], B: [0, b, b], A: [0, 160, 255], I: [0, 128, 255] })
      for (const old of [...viewer.volumes]) viewer.removeVolume(old)
      const bytes = encodeNifti(mask)
      await viewer.loadFromArrayBuffer(bytes.buffer as ArrayBuffer, 'mask.nii')
      const [volume] = viewer.volumes
      viewer.setColormap(volume.id, 'mask')
      volume.cal_min = 0
      volume.cal_max = 1
      viewer.updateGLVolume()
      await viewer.setVolumeRenderIllumination(0.6)
      viewer.setRenderAzimuthElevation(azimuth, elevation)
    },
    turn(byAzimuth, byElevation) {
      azimuth += byAzimuth
      elevation = Math.min(90, Math.max(-90, elevation + byElevation))
      viewer.setRenderAzimuthElevation(azimuth, elevation)
    },
    close: () => viewer.cleanup(),
  }
}
