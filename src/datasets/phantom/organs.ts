import type { Vec3 } from '../../volume/grid.ts'
import type { RandomStream } from '../../volume/random.ts'
import type { Body } from './body.ts'
import { along, ellipsoid, grown, type Shape, smoothUnion, solid, spline, tube, within, without } from './shapes.ts'
import type { Build, Structure } from './structure.ts'

/** Labels of the phantom, from 1. */
export const phantomLabels = { liver: 1, gallbladder: 2, aorta: 3, pancreas: 4 } as const

/** Solid organs, vessels and gut of one case, in painting order. */
export function buildOrgans(build: Build, { cavity, belowDiaphragm }: Body): Structure[] {
  const inside = (shape: Shape, gapMm = 2): Shape => within(shape, grown(cavity, -gapMm), grown(belowDiaphragm, -gapMm))
  return [
    ...stomach(build, inside),
    ...kidneys(build),
    ...spleen(build, inside),
    ...veins(build),
    ...liver(build, inside),
    ...pancreas(build, inside),
    ...gallbladder(build, inside),
    ...aorta(build),
  ]
}

type Inside = (shape: Shape, gapMm?: number) => Shape

/** A point moved by a normal error of `sd` mm an axis. */
const jitter = (random: RandomStream, [x, y, z]: Vec3, sd: number): Vec3 => [
  x + random.normal(0, sd),
  y + random.normal(0, sd),
  z + random.normal(0, sd),
]

/** Radii scaled by one log-normal factor and a smaller one for each axis. */
const vary = (random: RandomStream, [x, y, z]: Vec3, sd: number): Vec3 => {
  const size = Math.exp(random.normal(0, sd))
  const axis = (): number => size * Math.exp(random.normal(0, sd / 2))
  return [x * axis(), y * axis(), z * axis()]
}

function liver(build: Build, inside: Inside): Structure[] {
  const random = build.random('liver')
  const right = ellipsoid(jitter(random, [58, 2, 20], 3), vary(random, [50, 63, 74], 0.08))
  const left = ellipsoid(jitter(random, [2, 36, 40], 4), vary(random, [56, 25, 32], 0.12))
  const fissure = tube(
    [
      [12, 70, -20],
      [14, 30, 30],
    ],
    [5, 2],
  )
  const notch = ellipsoid([17, -24, 10], [24, 22, 75])
  const shape = inside(without(without(smoothUnion(right, left, 22), fissure), notch))
  // The liver darkens where it is fatty and brightens with the contrast agent.
  const hu = 58 + 52 * build.contrast - random.between(0, 16)
  const mottle = build.texture('liver parenchyma', 7)
  const structures: Structure[] = [{ shape, hu: (x, y, z) => hu + 3 * mottle(x, y, z), label: phantomLabels.liver }]
  const hilum: Vec3 = [24, 4, 14]
  const vein = hu + 12 + 30 * build.contrast
  for (let branch = 0; branch < 9; branch++) {
    const tip: Vec3 = [random.between(20, 90), random.between(-40, 45), random.between(-15, 70)]
    const start: Vec3 = branch < 5 ? hilum : [20, -14, 62]
    const middle = jitter(random, [(start[0] + tip[0]) / 2, (start[1] + tip[1]) / 2, (start[2] + tip[2]) / 2], 6)
    const vessel = tube(spline([start, middle, tip], 3), along([5, 3.2, 1.2], 3))
    structures.push({ shape: within(vessel, grown(shape, -2)), hu: vein, label: phantomLabels.liver })
  }
  return structures
}

function gallbladder(build: Build, inside: Inside): Structure[] {
  const random = build.random('gallbladder')
  const [cx, cy, cz] = jitter(random, [36, 33, -27], 4)
  const size = Math.exp(random.normal(0, 0.11))
  const length = Math.exp(random.normal(0, 0.1))
  const fundus = ellipsoid([cx, cy, cz], [14 * size, 15 * size, 22 * size * length])
  const neck = tube(
    [
      [cx - 2, cy - 2, cz + 10 * length],
      [cx - 9, cy - 13, cz + 25 * length],
    ],
    [8 * size, 3.5],
  )
  const shape = inside(smoothUnion(fundus, neck, 9), 4)
  const bile = random.between(2, 18)
  return [
    { shape: grown(shape, 1.5), hu: 70, label: 0 },
    { shape, hu: bile, label: phantomLabels.gallbladder },
  ]
}

function aorta(build: Build): Structure[] {
  const random = build.random('aorta')
  const sway = random.normal(0, 4)
  const bend = random.normal(0, 5)
  const radius = random.between(8.5, 12)
  const levels = [-140, -90, -45, 0, 45, 90, 140]
  const points = levels.map((z, i): Vec3 => {
    const s = z / 96
    return [
      -9 + sway * s + bend * Math.sin(2.2 * s) + random.normal(0, 1),
      -21 - 5 * s * s + random.normal(0, 1),
      levels[i],
    ]
  })
  const shape = tube(spline(points), along([0.8, 0.84, 0.88, 0.94, 1, 1.05, 1.08].map((r) => r * radius)))
  const hu = 85 + 110 * build.contrast + random.normal(0, 8)
  const wall = radius > 10.8 // An older, wider aorta has calcified plaques.
  const plaque = build.texture('plaque', 6)
  const at = points[3]
  const artery = tube(
    [
      [at[0], at[1], 6],
      [at[0] + 1, at[1] + 15, 0],
      [at[0] + 4, at[1] + 24, -30],
    ],
    [4, 4, 3.5],
  )
  return [
    { shape: artery, hu, label: 0 },
    {
      shape,
      hu: (x, y, z, d) => hu + (wall && d > -2.5 ? 350 * Math.max(0, plaque(x, y, z) - 1.3) : 0),
      label: phantomLabels.aorta,
    },
  ]
}

function pancreas(build: Build, inside: Inside): Structure[] {
  const random = build.random('pancreas')
  const path = [
    [27, 8, -36],
    [25, 8, -20],
    [8, 15, -9],
    [-14, 14, 0],
    [-38, 2, 9],
    [-60, -14, 18],
  ] as const
  const drift = jitter(random, [0, 0, 0], 3)
  const points = path.map((p) => jitter(random, [p[0] + drift[0], p[1] + drift[1], p[2] + drift[2]], 2))
  const size = Math.exp(random.normal(0, 0.12))
  const radii = [9, 12.5, 8, 9, 8.5, 8].map((r) => r * size * Math.exp(random.normal(0, 0.06)))
  const gland = tube(spline(points, 4), along(radii, 4))
  const lobules = build.texture('pancreas lobules', 5)
  const shape = inside(solid((x, y, z) => gland.distance(x, y, z) + 1.1 * lobules(x, y, z), grown(gland, 4).box))
  const hu = 45 + 48 * build.contrast + random.normal(0, 5)
  const vein = points.slice(2).map(([x, y, z]): Vec3 => [x, y - 10, z + 2])
  return [
    { shape: tube(spline(vein, 3), along([5, 4.5, 4, 4], 3)), hu: 60 + 85 * build.contrast, label: 0 },
    { shape, hu: (x, y, z) => hu + 7 * lobules(y, z, x), label: phantomLabels.pancreas },
  ]
}

function kidneys(build: Build): Structure[] {
  const random = build.random('kidneys')
  return [1, -1].flatMap((side): Structure[] => {
    const [cx, cy, cz] = jitter(random, [57 * side, -38, side > 0 ? -36 : -22], 3)
    const r = vary(random, [24, 22, 47], 0.07)
    // The lower pole lies farther out than the upper one.
    const lean = (shape: Shape): Shape =>
      solid((x, y, z) => shape.distance(x + 0.18 * side * (z - cz), y - 0.1 * (z - cz), z), grown(shape, 12).box)
    const outline = lean(ellipsoid([cx, cy, cz], r))
    const medulla = lean(ellipsoid([cx - 3 * side, cy, cz], [r[0] - 9, r[1] - 9, r[2] - 10]))
    const sinus = lean(ellipsoid([cx - 15 * side, cy + 4, cz], [15, 8, 17]))
    const cortex = 45 + 125 * build.contrast
    return [
      { shape: grown(outline, 6), hu: -104, label: 0 },
      { shape: outline, hu: cortex, label: 0 },
      { shape: medulla, hu: cortex - 38 * build.contrast, label: 0 },
      { shape: sinus, hu: -70, label: 0 },
    ]
  })
}

function spleen(build: Build, inside: Inside): Structure[] {
  const random = build.random('spleen')
  const outline = ellipsoid(jitter(random, [-76, -28, 34], 3), vary(random, [27, 40, 46], 0.12))
  const hilum = ellipsoid(jitter(random, [-46, -14, 32], 2), [30, 36, 52])
  return [{ shape: inside(without(outline, hilum)), hu: 55 + 60 * build.contrast, label: 0 }]
}

function stomach(build: Build, inside: Inside): Structure[] {
  const random = build.random('stomach')
  const fill = Math.exp(random.normal(0, 0.12))
  const fundus = ellipsoid(jitter(random, [-50, 12, 42], 4), [30 * fill, 30 * fill, 32])
  const antrum = tube(
    spline(
      [
        [-46, 26, 24],
        [-22, 46, 8],
        [8, 42, 0],
        [24, 30, 2],
      ],
      4,
    ),
    along(
      [19, 15, 12, 7].map((r) => r * fill),
      4,
    ),
  )
  const outer = inside(smoothUnion(fundus, antrum, 14))
  const level = random.between(18, 44)
  const food = build.texture('stomach content', 8)
  return [
    { shape: outer, hu: 45 + 35 * build.contrast, label: 0 },
    {
      shape: grown(outer, -4),
      hu: (x, y, z) => (y > level ? -960 : 22 + 12 * food(x, y, z)),
      label: 0,
    },
  ]
}

function veins(build: Build): Structure[] {
  const random = build.random('veins')
  const sway = random.normal(0, 2)
  const cava = tube(
    spline([
      [17 + sway, -24, -140],
      [17 - sway, -23, -60],
      [19, -22, 0],
      [20, -16, 50],
      [16, -8, 90],
      [14, 0, 130],
    ]),
    along([9, 9.5, 10.5, 11.5, 11, 11]),
  )
  const portal = tube(
    spline(
      [
        [7, 5, -45],
        [9, 4, -12],
        [24, 4, 14],
      ],
      4,
    ),
    along([5, 6, 5.5], 4),
  )
  const blood = 45 + 80 * build.contrast
  return [
    { shape: cava, hu: blood, label: 0 },
    { shape: portal, hu: blood + 15 * build.contrast, label: 0 },
  ]
}
