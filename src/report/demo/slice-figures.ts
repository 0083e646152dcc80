import type { DemoResults } from '../../study/demo.ts'
import type { Block } from '../kit/html.ts'
import { contourColour, contourColours } from '../kit/palette.ts'
import { cropPlane, largestSlice, type Plane } from '../kit/plane.ts'
import { type Layer, type SlicePanel, slicePanels } from '../kit/slices.ts'
import { percent } from './numbers.ts'

/** The CT window in which abdominal organs are read, HU: centre 40, width 400. */
export const softTissue = [-160, 240] as const

export function phantomFigure({ phantom, organs }: DemoResults): Block {
  const panels = organs.map((organ): SlicePanel => {
    const plane = organPlane(phantom.labels, organ.label)
    return {
      title: organ.name,
      note: `axial slice ${plane.index}, ${organ.volumeMl.toFixed(0)} ml in all`,
      grid: phantom.image.grid,
      plane,
      layers: [grey(phantom), ...organs.map((o, i) => reference(phantom, o.label, contourColour(i), o.name))],
    }
  })
  const svg = slicePanels({
    panels,
    description:
      `Axial slices of the phantom through ${organs.map((o) => o.name).join(', ')}, with the outlines ` +
      'of all four.',
  })
  return {
    kind: 'figure',
    svgs: [svg],
    caption: 'The slice with the largest section of each organ, at −160 to 240 HU, the patient’s right on the left.',
  }
}

export function drawsFigure({ phantom, organs, draws }: DemoResults): Block {
  const shown = organs.filter((o) => o.name === 'liver' || o.name === 'gallbladder')
  const panels = shown.flatMap((organ) =>
    draws.map((draw): SlicePanel => {
      const sigma = draw.noise.sigmaMm[0]
      return {
        title: `${organ.name}, σ = ${sigma} mm`,
        note: `ℓ = ${draw.noise.lengthMm} mm`,
        grid: phantom.image.grid,
        plane: organPlane(phantom.labels, organ.label, 24),
        layers: [
          grey(phantom),
          ...draw.labels.map(
            (labels, i): Layer => ({
              kind: 'contour',
              values: (at) => Number(labels[at] === organ.label),
              level: 0.5,
              colour: noisyColours[i % noisyColours.length],
              width: 1.1,
              label: `noisy label ${i + 1}`,
            }),
          ),
          { ...reference(phantom, organ.label, '#ffffff', 'reference'), width: 2 },
        ],
      }
    }),
  )
  const svg = slicePanels({
    panels,
    columns: draws.length,
    description:
      `Reference and ${draws[0].labels.length} noisy outlines of ` +
      `${shown.map((o) => o.name).join(' and ')} at σ of ` +
      `${draws.map((d) => d.noise.sigmaMm[0]).join(', ')} mm.`,
  })
  return { kind: 'figure', svgs: [svg], caption: 'The reference (white) and five noisy labels at three strengths.' }
}

const noisyColours = contourColours.filter((c) => c !== '#ffffff')

export function marginalFigure({ phantom, organs }: DemoResults): Block {
  const panels = organs.map((organ): SlicePanel => {
    const { optimum } = organ
    return {
      title: organ.name,
      note:
        `D* ${optimum.supDice.toFixed(2)} · t* ${optimum.threshold.toFixed(2)} · max m ` +
        `${organ.marginal.reduce((a, b) => Math.max(a, b), 0).toFixed(2)}`,
      grid: phantom.image.grid,
      plane: organPlane(phantom.labels, organ.label, 24),
      layers: [
        grey(phantom),
        { kind: 'heat', values: organ.marginal },
        { ...reference(phantom, organ.label, '#ffffff', 'reference'), width: 1.3 },
        contour(organ.marginal, 0.5, '#33bbee', 'cut at ½', '5 3'),
        contour(organ.marginal, optimum.threshold, '#7ddc5a', 'cut at t*'),
      ],
    }
  })
  const svg = slicePanels({
    panels,
    heatLabel: 'probability m',
    description:
      `Heat maps of the marginal probability of ${organs.map((o) => o.name).join(', ')}, with the ` +
      'outlines of the reference and of the cuts at one half and at t*.',
  })
  return {
    kind: 'figure',
    svgs: [svg],
    caption:
      'Marginal probabilities over the image. An organ without a dashed line has no voxel in this slice above ½.',
  }
}

export function tornFigure({ phantom, organs, draws, folded }: DemoResults): Block {
  const smooth = draws[draws.length - 1]
  const organ = organs[0]
  const panels = [smooth, folded].flatMap((draw) =>
    [0, 1].map((i): SlicePanel => {
      const { sigmaMm, lengthMm } = draw.noise
      return {
        title: `σ = ${sigmaMm[0]} mm, ℓ = ${lengthMm} mm`,
        note: `label ${i + 1}, folding ${percent(draw.foldProbability)}`,
        grid: phantom.image.grid,
        plane: organPlane(phantom.labels, organ.label, 24),
        layers: [
          grey(phantom),
          { kind: 'fill', inside: (at) => draw.labels[i][at] === organ.label, colour: '#ffb000', label: 'noisy label' },
          { ...reference(phantom, organ.label, '#ffffff', 'reference'), width: 1.3 },
        ],
      }
    }),
  )
  const description = `Noisy ${organ.name} labels: whole for a long length scale, torn to crumbs for a short one.`
  const caption =
    'The same strength with a long and with a short length scale. The marginals, and so t*, are the ' + 'same for both.'
  return { kind: 'figure', svgs: [slicePanels({ panels, description })], caption }
}

function organPlane(labels: DemoResults['phantom']['labels'], label: number, marginMm?: number): Plane {
  const inside = (at: number): boolean => labels.data[at] === label
  const plane = largestSlice(labels.grid, 'axial', inside)
  return marginMm === undefined ? plane : cropPlane(labels.grid, plane, inside, marginMm)
}

const grey = ({ image }: DemoResults['phantom']): Layer => ({ kind: 'grey', values: image.data, window: softTissue })

function reference({ labels }: DemoResults['phantom'], label: number, colour: string, name: string) {
  return {
    kind: 'contour',
    values: (at: number) => Number(labels.data[at] === label),
    level: 0.5,
    colour,
    label: name,
  } as const
}

function contour(values: Float32Array, level: number, colour: string, label: string, dash?: string): Layer {
  return { kind: 'contour', values, level, colour, label, width: 2, ...(dash ? { dash } : {}) }
}
