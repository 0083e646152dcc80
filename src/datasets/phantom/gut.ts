import type { Vec3 } from '../../volume/grid.ts'
import type { Body } from './body.ts'
import { along, grown, type Shape, spline, tube, within } from './shapes.ts'
import type { Build, Structure } from './structure.ts'

/** Bowel loops, colon and mesenteric vessels: what a network may take for an organ. Painted before the organs. */
export function buildGut(build: Build, { cavity, belowDiaphragm }: Body): Structure[] {
  const inside = (shape: Shape): Shape => within(shape, grown(cavity, -2), grown(belowDiaphragm, -3))
  return [...mesentery(build, inside), ...smallBowel(build, inside), ...colon(build, inside)]
}

function smallBowel(build: Build, inside: (shape: Shape) => Shape): Structure[] {
  const random = build.random('small bowel')
  const loops = 9 + Math.floor(6 * random.uniform())
  const structures: Structure[] = []
  for (let loop = 0; loop < loops; loop++) {
    let p: Vec3 = [random.between(-78, 72), random.between(2, 58), random.between(-125, -22)]
    const points: Vec3[] = [p]
    for (let step = 0; step < 4; step++) {
      p = [p[0] + random.normal(0, 19), p[1] + random.normal(0, 13), p[2] + random.normal(0, 13)]
      points.push(p)
    }
    const radius = random.between(7.5, 12)
    const lumen = random.uniform()
    // Collapsed, fluid, oral contrast, or gas.
    const content =
      lumen < 0.35 ? 55 : lumen < 0.75 ? random.between(5, 30) : lumen < 0.87 ? random.between(120, 240) : -900
    const outer = inside(
      tube(
        spline(points, 4),
        points.flatMap((_, i) => (i === 0 ? [radius] : [1, 1, 1, 1].map(() => radius))),
      ),
    )
    structures.push({ shape: outer, hu: 48 + 40 * build.contrast, label: 0 })
    structures.push({ shape: grown(outer, -2.8), hu: content, label: 0 })
  }
  return structures
}

function colon(build: Build, inside: (shape: Shape) => Shape): Structure[] {
  const random = build.random('colon')
  const stool = build.texture('stool', 6)
  const dip = random.between(-8, 30)
  const paths: Vec3[][] = [
    [
      [82, -6, -140],
      [84, -4, -80],
      [74, 14, -48],
    ],
    [
      [66, 44, -52],
      [20, 60, -52 - dip],
      [-30, 60, -48 - dip],
      [-72, 30, -6],
    ],
    [
      [-84, 4, -2],
      [-90, -14, -50],
      [-86, -12, -140],
    ],
  ]
  return paths.flatMap((path, part): Structure[] => {
    const points = spline(path.map(([x, y, z]): Vec3 => [x + random.normal(0, 3), y + random.normal(0, 3), z]))
    const radius = [18, 15, 13][part] * Math.exp(random.normal(0, 0.12))
    const widths = points.map((_, i) => radius * (1 + 0.13 * Math.cos(2.1 * i)))
    const outer = inside(tube(points, widths))
    const gas = random.between(0.2, 1.4)
    return [
      { shape: outer, hu: 55 + 25 * build.contrast, label: 0 },
      {
        shape: grown(outer, -3),
        hu: (x, y, z) => (stool(x, y, z) + (y - path[0][1]) / 25 > gas ? -880 : 25 + 35 * stool(y, z, x)),
        label: 0,
      },
    ]
  })
}

function mesentery(build: Build, inside: (shape: Shape) => Shape): Structure[] {
  const random = build.random('mesentery')
  return Array.from({ length: 16 }, () => {
    const root: Vec3 = [random.between(-8, 10), random.between(-2, 12), random.between(-60, -10)]
    const tip: Vec3 = [random.between(-70, 70), random.between(15, 62), random.between(-120, -20)]
    const middle: Vec3 = [(root[0] + tip[0]) / 2, (root[1] + tip[1]) / 2 + random.normal(0, 6), (root[2] + tip[2]) / 2]
    const vessel = tube(spline([root, middle, tip], 4), along([3.2, 2.2, 1.3], 4))
    return { shape: inside(vessel), hu: 40 + 70 * build.contrast, label: 0 }
  })
}
