import { createGrid, type Vec3, vec3, voxelCount } from '../../volume/grid.ts'
import { randomStream } from '../../volume/random.ts'
import type { Volume } from '../../volume/volume.ts'
import { buildBody } from './body.ts'
import { buildGut } from './gut.ts'
import { buildOrgans, phantomLabels } from './organs.ts'
import { paint, type Scene, scan } from './paint.ts'
import { lattice, smoothField, tabulated, texture } from './smooth-field.ts'
import type { Build } from './structure.ts'

export interface PhantomOptions {
  /** Voxels per axis. Default 96 × 80 × 64. The body keeps its size in mm, centred: a larger grid shows more of it. */
  readonly shape?: Vec3
  /** Voxel spacing, mm. Default 3 mm on each axis. */
  readonly spacing?: Vec3
}

export interface PhantomCase {
  /** Hounsfield units, −1024 … 3071. */
  readonly image: Volume<Int16Array>
  readonly labels: Volume<Uint8Array>
  /** `names[label]`; label 0 is the background. */
  readonly names: readonly string[]
}

/** Names of the phantom's labels, the background first. */
export const phantomNames: readonly string[] = ['background', ...Object.keys(phantomLabels)]

/**
 * Case `index` of a CT-like phantom of the upper abdomen: a large organ (liver), a small one (gall bladder), a tube
 * (aorta) and a thin lobulated one (pancreas), among a body wall with fat, muscle, spine and ribs, lung bases, heart,
 * stomach, kidneys, spleen, veins and bowel. Cases differ in build, in the place, size and shape of each organ (a
 * smooth random deformation on top), in contrast phase, blur and noise. Organs' edges have partial volume; the label is
 * the voxel's majority. Axes are the grid's own: +i right, +j front, +k head (RAS), the body's centre at the origin.
 *
 * What it is not: anatomy. Organs are smooth solids with a handful of parameters, there is no disease, no motion, no
 * reconstruction artefact and no scanner variety, and organs vary less than in patients. A network learns it from a
 * dozen cases, so results on it show that a method runs and how an effect behaves, not how large it is on patients.
 *
 * The same `(seed, index, options)` gives the same case. Takes about half a second at the default size.
 *
 * @param seed a whole number; cases of one seed are cases of one data set
 * @param index number of the case, from 0
 * @example
 * const { labels, names } = phantomCase(0, 3, { shape: [24, 20, 16], spacing: [12, 12, 12] })
 * names[1] // 'liver'
 * labels.data.length // 7680
 */
export function phantomCase(seed: number, index: number, options: PhantomOptions = {}): PhantomCase {
  const spacing = options.spacing ?? [3, 3, 3]
  const shape = options.shape ?? [96, 80, 64]
  const origin = vec3((axis) => (-(shape[axis] - 1) / 2) * spacing[axis])
  const grid = { ...createGrid(shape, spacing), origin }
  const { scene, scanner } = planCase(seed, index)
  const labels = new Uint8Array(voxelCount(grid))
  const density = paint(scene, grid, labels)
  const image = scan(density, grid, scanner)
  return {
    image: { grid, channels: 1, data: image },
    labels: { grid, channels: 1, data: labels },
    names: phantomNames,
  }
}

function planCase(seed: number, index: number): { scene: Scene; scanner: Parameters<typeof scan>[2] } {
  const stream = (name: string) => randomStream(seed, index, name)
  const numbers = lattice(stream('lattice'))
  const habitus = stream('habitus')
  const build: Build = {
    random: stream,
    contrast: habitus.between(0.45, 1),
    texture: (name, scaleMm) => texture(numbers, stream(name), scaleMm),
  }
  const body = buildBody(build)
  const low: Vec3 = [-160, -130, -160]
  const high: Vec3 = [160, 130, 160]
  const warp = ['x', 'y', 'z'].map((axis) => {
    const wide = tabulated(smoothField(stream(`warp ${axis}`), 3.2, 38), low, high, 12)
    const ripple = texture(numbers, stream(`ripple ${axis}`), 17)
    return (x: number, y: number, z: number) => wide(x, y, z) + 1.1 * ripple(x, y, z)
  })
  return {
    scene: {
      body: body.structures,
      contents: [...buildGut(build, body), ...buildOrgans(build, body)],
      scale: [Math.exp(habitus.normal(0, 0.035)), Math.exp(habitus.normal(0, 0.04)), Math.exp(habitus.normal(0, 0.04))],
      shift: [habitus.normal(0, 3), habitus.normal(0, 3), habitus.normal(0, 7)],
      warp: [warp[0], warp[1], warp[2]],
    },
    scanner: {
      random: stream('scanner'),
      noiseHu: habitus.between(8, 20),
      blurMm: habitus.between(1, 2),
    },
  }
}
