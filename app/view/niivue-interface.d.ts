// As much of NiiVue's interface as niivue.ts uses: the page's types are checked without its 150 kB of declarations.
declare module '@niivue/niivue' {
  export enum SLICE_TYPE {
    RENDER = 4,
  }

  interface Image {
    readonly id: string
    cal_min: number
    cal_max: number
  }

  export class Niivue {
    constructor(options: Readonly<Record<string, unknown>>)
    readonly volumes: readonly Image[]
    attachToCanvas(canvas: HTMLCanvasElement): Promise<this>
    setSliceType(type: SLICE_TYPE): this
    addColormap(name: string, colours: Readonly<Record<'R' | 'G' | 'B' | 'A' | 'I', readonly number[]>>): void
    setColormap(id: string, name: string): void
    removeVolume(volume: Image): void
    loadFromArrayBuffer(bytes: ArrayBuffer, name: string): Promise<void>
    updateGLVolume(): void
    setVolumeRenderIllumination(share: number): Promise<void>
    setRenderAzimuthElevation(azimuth: number, elevation: number): void
    cleanup(): void
  }
}
