import { ellipsoid, grown, type Shape, solid, trunkCylinder, tube, within, without } from './shapes.ts'
import type { Build, Structure } from './structure.ts'

/** The trunk without its organs, and the two solids that bound where organs may lie. */
export interface Body {
  readonly structures: readonly Structure[]
  /** Inside the muscle wall. */
  readonly cavity: Shape
  /** Below the diaphragm's dome, unbounded elsewhere. */
  readonly belowDiaphragm: Shape
}

/** Skin, fat, muscles, spine, ribs and lung bases of one case. */
export function buildBody(build: Build): Body {
  const random = build.random('body')
  const fat = random.between(7, 19)
  const wall = random.between(8, 12)
  const halfWidth = 128 + random.normal(0, 3)
  const halfDepth = 102 + random.normal(0, 3)
  const muscle = 52 + random.normal(0, 5)
  const ring = (depth: number): Shape =>
    trunkCylinder([0, depth > 0 ? 1 : 0], halfWidth - depth * 0.9, halfDepth - depth)
  const streaks = build.texture('wall streaks', 5)
  const lobules = build.texture('fat lobules', 9)
  const cavity = without(
    ring(fat + wall),
    solid((x, y) => Math.max(Math.abs(x) - 52, y + 66)),
  )

  const structures: Structure[] = [
    { shape: ring(0), hu: 5, label: 0 },
    { shape: ring(2), hu: (x, y, z) => -104 + 7 * lobules(x, y, z), label: 0 },
    { shape: ring(fat), hu: (x, y, z) => muscle - 10 + 13 * streaks(x, y, z), label: 0 },
    { shape: ring(fat + wall * 0.62), hu: (x, y, z) => muscle - 45 + 25 * streaks(y, z, x), label: 0 },
    { shape: ring(fat + wall * 0.68), hu: muscle, label: 0 },
    { shape: cavity, hu: (x, y, z) => -100 + 9 * lobules(x, y, z), label: 0 },
  ]

  const lung = lungBase(build, cavity)
  structures.push(...lung.structures)
  structures.push(
    ...backMuscles(muscle, streaks),
    ...spine(build),
    ...ribs(build, fat + wall * 0.72, halfWidth, halfDepth),
  )
  return { structures, cavity, belowDiaphragm: lung.belowDiaphragm }
}

function lungBase(build: Build, cavity: Shape): { structures: Structure[]; belowDiaphragm: Shape } {
  const random = build.random('diaphragm')
  const right = random.normal(76, 5)
  const left = right - random.between(6, 14)
  // Two domes with a saddle between them; the edge dips into the costophrenic recess.
  const height = (x: number, y: number): number => {
    const dome = (apex: number, cx: number): number => apex - 62 * (((x - cx) / 62) ** 2 + ((y - 4) / 78) ** 2) ** 1.4
    return Math.max(dome(right, 50), dome(left, -52), -50) - 4
  }
  const belowDiaphragm = solid((x, y, z) => 0.7 * (z - height(x, y)))
  const above = (gap: number): Shape =>
    within(
      cavity,
      solid((x, y, z) => (z < -60 ? 9 : 0.7 * (height(x, y) + gap - z))),
    )
  const vessels = build.texture('lung vessels', 5)
  const haze = build.texture('lung haze', 25)
  const heart = build.random('heart')
  const centre = [-18 + heart.normal(0, 4), 26 + heart.normal(0, 3), 104 + heart.normal(0, 6)] as const
  const chambers = build.texture('chambers', 20)
  return {
    belowDiaphragm,
    structures: [
      { shape: above(0), hu: 48, label: 0 },
      {
        shape: above(2.5),
        hu: (x, y, z) => -845 + 45 * haze(x, y, z) + 520 * Math.max(0, vessels(x, y, z) - 1.9),
        label: 0,
      },
      { shape: within(ellipsoid(centre, [56, 44, 46]), cavity), hu: -85, label: 0 },
      {
        shape: within(ellipsoid(centre, [52, 40, 42]), cavity),
        hu: (x, y, z) => 60 + build.contrast * (55 + 25 * Math.tanh(2 * chambers(x, y, z))),
        label: 0,
      },
    ],
  }
}

function backMuscles(muscle: number, streaks: (x: number, y: number, z: number) => number): Structure[] {
  const hu = (x: number, y: number, z: number): number => muscle + 4 + 8 * streaks(x, y, z)
  return [-1, 1].flatMap((side) => [
    { shape: solid((x, y) => ellipse(x - 27 * side, y + 72, 24, 13), column(-52, 52, -86, -58)), hu, label: 0 },
    {
      shape: solid(
        (x, y, z) => ellipse(x - (30 + 0.05 * (40 - z)) * side, y + 47, psoas(z), psoas(z) * 1.15),
        column(-60, 60, -70, -24),
      ),
      hu,
      label: 0,
    },
  ])
}

const psoas = (z: number): number => Math.min(19, Math.max(1, 14 - 0.12 * z))

function ellipse(x: number, y: number, rx: number, ry: number): number {
  const k = Math.sqrt((x / rx) ** 2 + (y / ry) ** 2)
  return (k - 1) * Math.min(rx, ry)
}

function spine(build: Build): Structure[] {
  const random = build.random('spine')
  const period = random.between(31, 36)
  const phase = random.between(0, period)
  const trabecular = random.between(130, 210)
  const sclerosis = build.texture('trabeculae', 4)
  /** 1 in the middle of a disc, 0 in the middle of a vertebra. */
  const disc = (z: number): number => 0.5 + 0.5 * Math.cos((2 * Math.PI * (z + phase)) / period)
  const waist = (z: number): number => 1 - 0.1 * (1 - disc(z))
  const bodyOf = (shrink: number): Shape =>
    solid((x, y, z) => ellipse(x, y + 46, 22 * waist(z) - shrink, 16.5 * waist(z) - shrink), column(-23, 23, -63, -29))
  const bone = (x: number, y: number, z: number, d: number): number =>
    d > -2.2 ? 420 : trabecular + 25 * sclerosis(x, y, z)
  const level = (z: number): number => Math.abs(((z + phase + period / 2) % period) - period / 2)
  const arch = (points: [number, number, number][], r: number[]): Shape => {
    const piece = tube(points, r)
    return solid((x, y, z) => Math.max(piece.distance(Math.abs(x), y, 0), 9 - level(z)), column(-40, 40, -96, -55))
  }
  return [
    { shape: bodyOf(0), hu: bone, label: 0 },
    {
      shape: within(
        bodyOf(0),
        solid((_x, _y, z) => 18 * (0.86 - disc(z))),
      ),
      hu: 85,
      label: 0,
    },
    {
      shape: arch(
        [
          [9, -61, 0],
          [15, -67, 0],
          [9, -74, 0],
          [0, -78, 0],
        ],
        [5, 5, 4, 4],
      ),
      hu: bone,
      label: 0,
    },
    {
      shape: arch(
        [
          [0, -78, 0],
          [0, -88, 0],
        ],
        [3.5, 3],
      ),
      hu: bone,
      label: 0,
    },
    {
      shape: arch(
        [
          [15, -66, 0],
          [35, -69, 0],
        ],
        [4.5, 3],
      ),
      hu: bone,
      label: 0,
    },
    { shape: solid((x, y) => ellipse(x, y + 67, 10, 8), column(-10, 10, -75, -59)), hu: 8, label: 0 },
    { shape: solid((x, y) => ellipse(x, y + 67, 5.5, 5), column(-6, 6, -72, -62)), hu: 38, label: 0 },
  ]
}

const column = (x0: number, x1: number, y0: number, y1: number): Shape['box'] => [
  [x0, y0, -1e4],
  [x1, y1, 1e4],
]

/** Ribs: where the wall's middle shell meets a stack of planes that slope down towards the front. */
function ribs(build: Build, depth: number, halfWidth: number, halfDepth: number): Structure[] {
  const random = build.random('ribs')
  const spacing = random.between(25, 29)
  const phase = random.between(0, spacing)
  const shell = trunkCylinder([0, 1], halfWidth - depth * 0.9, halfDepth - depth)
  const distance = (x: number, y: number, z: number): number => {
    const radial = shell.distance(x, y, z)
    const reach = Math.max(-26 - z + 0.25 * y, 22 - Math.abs(x), y - 55 - 0.3 * z)
    if (reach > 8 || Math.abs(radial) > 12) return 10
    const along = z + 0.55 * (y + 80) + phase
    const offset = along - spacing * Math.round(along / spacing)
    return Math.max(Math.sqrt(radial ** 2 + (0.62 * offset) ** 2) - 4.2, reach)
  }
  return [{ shape: solid(distance, grown(shell, 5).box), hu: (_x, _y, _z, d) => (d > -1.8 ? 480 : 190), label: 0 }]
}
