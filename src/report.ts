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
export { type Block, htmlReport, type ReportOptions, type ReportSection } from './report/kit/html.ts'
export type { Estimate, Mark, Point } from './report/kit/marks.ts'
export { acquisitionView, cropPlane, largestSlice, type Plane, type View, viewPlane } from './report/kit/plane.ts'
export { encodePng, pngDataUri, type Raster } from './report/kit/png.ts'
export { type Layer, type SliceOptions, type SlicePanel, slicePanels } from './report/kit/slices.ts'
export { type Table, tableCsv, tableLatex } from './report/kit/table.ts'
export { type OptimumRow, optimumCharts, optimumFigure } from './report/optimum/figure.ts'
export { type DemoOptions, type DemoResults, demoResults } from './study/demo.ts'
