// `halfdice/report`: figures, tables and pages, for Node and browsers.

export { demoReport, demoSummary } from './report/demo/report.ts'
export type { AxisOptions } from './report/kit/axis.ts'
export { type ChartOptions, chart } from './report/kit/chart.ts'
export {
  histogramMark,
  type ReliabilityBin,
  type ReliabilitySeries,
  reliabilityDiagram,
} from './report/kit/distributions.ts'
export { type Block, htmlReport, type Picture, type ReportOptions, type ReportSection } from './report/kit/html.ts'
export type { Estimate, LyingBox, Mark, Point } from './report/kit/marks.ts'
export type { Marker } from './report/kit/palette.ts'
export { acquisitionView, cropPlane, largestSlice, type Plane, type View, viewPlane } from './report/kit/plane.ts'
export { encodePng, pngDataUri, type Raster } from './report/kit/png.ts'
export { type Layer, type SliceOptions, type SlicePanel, slicePanels, type Values } from './report/kit/slices.ts'
export { type Cell, type Column, type Row, type Table, tableCsv, tableLatex } from './report/kit/table.ts'
export { type OptimumRow, optimumCharts, optimumFigure } from './report/optimum/figure.ts'
export { type DemoDraws, type DemoOptions, type DemoOrgan, type DemoResults, demoResults } from './study/demo.ts'
