import { element, escapeText } from './markup.ts'
import { base64 } from './png.ts'
import { cellText, type Table, tableCsv, tableLatex } from './table.ts'

/** A piece of a report. Figures and tables are numbered in order; text is plain text. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** A remark that must not be missed: a warning, or how to read what follows. */
  | { readonly kind: 'note'; readonly tone: 'info' | 'warning'; readonly text: string }
  /** One or several SVG figures side by side under one caption. */
  | { readonly kind: 'figure'; readonly svgs: readonly string[]; readonly caption: string }
  /** Pictures with a title and a line of text each, as many to a row as the screen has room for. */
  | {
      readonly kind: 'gallery'
      readonly pictures: readonly Picture[]
      readonly caption: string
      /** One SVG above them: what their lines and colours mean. */
      readonly legend?: string
    }
  /** With links that save it as CSV and as LaTeX under `name`. */
  | { readonly kind: 'table'; readonly table: Table; readonly caption: string; readonly name: string }
  /** Closed on the screen until asked for, open on paper. */
  | { readonly kind: 'details'; readonly summary: string; readonly blocks: readonly Block[] }
  | { readonly kind: 'code'; readonly text: string }

/** One picture of a gallery. */
export interface Picture {
  readonly svg: string
  readonly title: string
  readonly note?: string
}

export interface ReportSection {
  readonly title: string
  readonly blocks: readonly Block[]
}

export interface ReportOptions {
  readonly title: string
  /** What the reader should take away, in a few sentences, at the top. */
  readonly summary: readonly string[]
  readonly sections: readonly ReportSection[]
  /** Versions, seed, command: what it takes to repeat the report. */
  readonly footer: readonly string[]
}

/**
 * A report as one HTML file: no scripts, nothing fetched, light and dark, made for A4 paper too. The same input gives
 * the same bytes (no date is written).
 *
 * @example
 * const sections = [{ title: 'Results', blocks: [{ kind: 'text', text: 'Dice 0.9' } as const] }]
 * htmlReport({ title: 'Liver', summary: ['It works.'], sections, footer: [] }).startsWith('<!') // true
 */
export function htmlReport({ title, summary, sections, footer }: ReportOptions): string {
  const count = { figure: 0, table: 0 }
  const body = sections.map((section, i) =>
    element(
      'section',
      { id: `s${i + 1}` },
      element('h2', {}, escapeText(section.title)),
      ...section.blocks.map((block) => drawBlock(block, count)),
    ),
  )
  const contents =
    sections.length < 3
      ? ''
      : element(
          'nav',
          { 'aria-label': 'Contents' },
          element(
            'ol',
            {},
            ...sections.map((s, i) => element('li', {}, element('a', { href: `#s${i + 1}` }, escapeText(s.title)))),
          ),
        )
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    // No fetches, whatever is in the page: an offline file that is safe to open.
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<title>${escapeText(title)}</title>`,
    `<style>${css}</style>`,
    '</head>',
    '<body>',
    '<header>',
    `<h1>${escapeText(title)}</h1>`,
    element('div', { class: 'summary' }, ...summary.map((p) => element('p', {}, escapeText(p)))),
    contents,
    '</header>',
    '<main>',
    ...body,
    '</main>',
    element('footer', {}, ...footer.map((p) => element('p', {}, escapeText(p)))),
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function drawBlock(block: Block, count: { figure: number; table: number }): string {
  switch (block.kind) {
    case 'text':
      return element('p', {}, escapeText(block.text))
    case 'list':
      return element('ul', {}, ...block.items.map((item) => element('li', {}, escapeText(item))))
    case 'note':
      return element('p', { class: `note ${block.tone}`, role: 'note' }, escapeText(block.text))
    case 'figure': {
      const caption = numbered('Figure', ++count.figure, block.caption)
      const kind = block.svgs.some((svg) => widthOf(svg) > widestScaled) ? 'figures wide' : 'figures'
      return element('figure', {}, element('div', { class: kind }, ...block.svgs), caption)
    }
    case 'gallery':
      return drawGallery(block, ++count.figure)
    case 'table':
      return drawTable(block.table, block.caption, block.name, ++count.table)
    case 'details':
      // The blocks follow their switch and do not lie in it: what lies in a closed one, most browsers leave out on
      // paper.
      return [
        element('details', {}, element('summary', {}, escapeText(block.summary))),
        element('div', { class: 'more' }, ...block.blocks.map((b) => drawBlock(b, count))),
      ].join('')
    case 'code':
      return element('pre', {}, element('code', {}, escapeText(block.text)))
  }
}

/** Wider figures would be illegible on a phone: they keep their size there and are scrolled. */
const widestScaled = 560

/** The width that `svgFigure` wrote into its first tag. */
const widthOf = (svg: string): number => Number(/^<svg [^>]*? width="([\d.]+)"/.exec(svg)?.[1] ?? 0)

function drawGallery({ pictures, caption, legend }: Extract<Block, { kind: 'gallery' }>, n: number): string {
  const drawn = pictures.map(({ svg, title, note }) =>
    element(
      'figure',
      {},
      svg,
      element(
        'figcaption',
        {},
        element('b', {}, escapeText(title)),
        ...(note === undefined ? [] : [element('span', {}, escapeText(note))]),
      ),
    ),
  )
  return element(
    'figure',
    { class: 'pictures' },
    ...(legend === undefined ? [] : [element('div', { class: 'figures' }, legend)]),
    element('div', { class: 'gallery' }, ...drawn),
    numbered('Figure', n, caption),
  )
}

function numbered(kind: string, n: number, caption: string): string {
  return element('figcaption', {}, element('b', {}, `${kind} ${n}.`), ` ${escapeText(caption)}`)
}

function drawTable(table: Table, caption: string, name: string, n: number): string {
  const { columns, rows } = table
  const numeric = columns.map(({ key }) => rows.some((row) => typeof row[key] === 'number'))
  const classOf = (i: number): string | undefined => (numeric[i] ? 'n' : undefined)
  const head = columns.map((c, i) => element('th', { scope: 'col', class: classOf(i) }, escapeText(c.title ?? c.key)))
  const lines = rows.map((row) =>
    element(
      'tr',
      {},
      ...columns.map((c, i) => element('td', { class: classOf(i) }, escapeText(cellText(row[c.key], c, row)))),
    ),
  )
  const save = (extension: string, type: string, content: string): string =>
    element(
      'a',
      { download: `${name}.${extension}`, href: `data:${type};base64,${base64(new TextEncoder().encode(content))}` },
      extension === 'csv' ? 'CSV' : 'LaTeX',
    )
  return element(
    'figure',
    { class: 'table' },
    numbered('Table', n, caption),
    element(
      'div',
      // Focusable, so that a wide table can be scrolled from the keyboard.
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...lines)),
    ),
    element(
      'p',
      { class: 'save' },
      'Save as ',
      save('csv', 'text/csv;charset=utf-8', tableCsv(table)),
      ' · ',
      save('tex', 'application/x-tex;charset=utf-8', tableLatex(table)),
    ),
  )
}

const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

const css = `
:root{color-scheme:light dark;--ink:#1c2127;--soft:#5b6570;--paper:#fff;--line:#d9dee3;--tint:#f3f6f8;
--link:#00609c;--warn:#a2440a}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ec;--soft:#a2acb6;--paper:#15181c;--line:#363d45;--tint:#1e2328;
--link:#6cb8ec;--warn:#f0a35e}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.25rem 4rem;max-width:62rem;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI","Helvetica Neue","DejaVu Sans",Arial,sans-serif}
h1{overflow-wrap:anywhere;font-size:1.9rem;line-height:1.2;margin:0 0 1rem}
h2{font-size:1.3rem;margin:2.6rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
p,li{max-width:46rem}
a{color:var(--link)}
.summary{border-left:4px solid #0077bb;background:var(--tint);padding:.5rem 1.2rem;margin-bottom:1rem}
nav ol{columns:2;column-gap:2rem;padding-left:1.3rem;font-size:.92rem}
.note{border-left:4px solid #0077bb;background:var(--tint);padding:.5rem 1rem}
.note.warning{border-color:#ee7733}
.note.warning::before{content:"Warning: ";font-weight:600;color:var(--warn)}
figure{margin:1.4rem 0;break-inside:avoid}
.figures{display:flex;flex-wrap:wrap;gap:1rem 1.5rem;align-items:flex-start}
.figures>svg{max-width:100%;height:auto}
figcaption{font-size:.9rem;color:var(--soft);margin-top:.5rem;max-width:52rem}
figcaption b{color:var(--ink)}
.table figcaption{margin:0 0 .4rem}
.pictures{break-inside:auto}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,13rem),1fr));gap:1rem;margin-top:.6rem}
.gallery>figure{margin:0;min-width:0}
.gallery svg{display:block;width:100%;height:auto}
.gallery figcaption{margin:.25rem 0 0;font-size:.82rem;line-height:1.35;overflow-wrap:anywhere}
.gallery figcaption>*{display:block}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;border-top:2px solid var(--ink);
border-bottom:2px solid var(--ink)}
th{border-bottom:1px solid var(--ink);text-align:left;vertical-align:bottom;padding:.3rem .6rem;font-weight:600}
td{padding:.18rem .6rem;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{padding-left:0}
th.n,td.n{text-align:right}
td.n{white-space:nowrap}
.save{font-size:.82rem;margin:.35rem 0 0;color:var(--soft)}
details{margin:1rem 0}
p,li,summary{overflow-wrap:anywhere}
summary{cursor:pointer;font-weight:600}
@media screen{details:not([open])+.more{display:none}}
@media screen and (max-width:40rem){h1{font-size:1.5rem}nav ol{columns:1}
.wide{overflow-x:auto}.wide>svg{max-width:none;min-width:46rem}
.scroll td,.scroll th{white-space:nowrap}.scroll td:not(.n){white-space:normal;min-width:7rem}
.scroll th:first-child,.scroll td:first-child{position:sticky;left:0;background:var(--paper);max-width:8.5rem;
white-space:normal;overflow-wrap:anywhere}}
pre{background:var(--tint);padding:.7rem 1rem;overflow-x:auto;font-size:.85rem;line-height:1.4}
footer{margin-top:3rem;border-top:1px solid var(--line);font-size:.85rem;color:var(--soft);overflow-wrap:anywhere}
@page{size:A4;margin:16mm 15mm}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--paper:#fff;--line:#ccc;--tint:#f5f5f5;--link:#000;
--warn:#7a3000}
body{max-width:none;padding:0;font-size:10pt;line-height:1.4}
h2,h2+p{break-after:avoid}
h2{margin-top:1.6rem}
figure.table{break-inside:auto}
.table figcaption{break-after:avoid}
.save,nav{display:none}
.figures{gap:.5rem 1rem}
.gallery{grid-template-columns:repeat(4,1fr)}
.figures>svg:not(:only-child){width:calc(50% - .6rem)}
tr,h2+p{break-inside:avoid}
.scroll{overflow:visible}
table{font-size:7.5pt}
th,td{padding-left:.3rem;padding-right:.3rem}
pre{font-size:7.5pt;white-space:pre-wrap;overflow-wrap:anywhere}
details{margin-bottom:.5rem}
details,summary{break-after:avoid}
.more,.more>:first-child{break-before:avoid}
summary{list-style:none}
summary::-webkit-details-marker{display:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
`.trim()
