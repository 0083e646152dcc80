import { expect, test } from 'vitest'
import type { ComparisonRow } from '../../study/summary.ts'
import { htmlReport } from '../kit/html.ts'
import { tableCsv, tableLatex } from '../kit/table.ts'
import { comparisonTable } from './tables.ts'

const row: ComparisonRow = {
  organ: 'RV',
  sigma_mm: '8x8x0',
  target: 'noisy',
  first: 'ce@half',
  second: 'soft-dice@half',
  cases: 40,
  patients: 20,
  replicates: 1,
  difference: -0.1,
  low: -0.2,
  high: -0.05,
  better: 1,
  worse: 39,
  p: 3.2e-9,
  p_holm: 0.00012,
}

test('p never reads as zero, and strengths read as lengths; CSV keeps both', () => {
  const block = comparisonTable([row], 'noisy')
  if (block.kind !== 'table') throw new Error('no table')
  const html = htmlReport({ title: '', summary: [], sections: [{ title: '', blocks: [block] }], footer: [] })
  expect(html).toContain('<td class="n">&lt; 0.0001</td><td class="n">0.0001</td>')
  expect(html).toContain('<td>8 × 8 × 0</td>')
  expect(tableLatex(block.table)).toMatch(/RV & 8 \$\\times\$ 8 \$\\times\$ 0 & .* & \$<\$ 0\.0001 & 0\.0001 \\\\/)
  expect(tableCsv(block.table)).toMatch(/RV,8x8x0,.*,3\.2e-9,0\.00012\r\n/)
})
