import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Marked } from 'marked'
import katex from 'marked-katex-extension'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const filesBelow = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name).replaceAll('\\', '/'))
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'examples/README.md',
  ...filesBelow('docs', /\.md$/),
]

/** Headings of a page as GitHub links to them. */
function anchors(markdown: string): Set<string> {
  const prose = markdown.replace(/^```.*?^```$/gms, '')
  return new Set([...prose.matchAll(/^#+\s+(.+)$/gm)].map(([, title]) => slug(title)))
}

const slug = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

describe('docs/theory.md', () => {
  const markdown = read('docs/theory.md')
  const formulas = markdown.match(/\$\$.+?\$\$|\$[^$]+\$/gs) ?? []

  test('renders: every formula is one that KaTeX accepts, and none is cut by the page around it', () => {
    // throwOnError: an unknown command or a dangling brace fails the test by its own message.
    const html = new Marked(katex({ throwOnError: true, strict: 'error', nonStandard: true })).parse(markdown) as string
    const rendered = html.match(/<annotation encoding="application\/x-tex">/g) ?? []
    expect(formulas.length).toBeGreaterThan(60)
    expect(rendered).toHaveLength(formulas.length)
    expect(html.replaceAll(/<[^>]*>/g, '')).not.toContain('$')
  })

  test('has no star that a formatter took for emphasis', () => {
    expect(markdown.match(/\^_|_\*|\*_/g)).toBeNull()
  })
})

test('links between pages lead to files and headings that exist', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|data:)([^)\s]*)\)/g)].flatMap(([, target]) => {
      const [path, anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      if (!existsSync(join(root, file))) return [`${page}: ${target}`]
      return anchor !== undefined && !anchors(read(file)).has(anchor) ? [`${page}: ${target}`] : []
    }),
  )
  expect(broken).toEqual([])
})

describe('what the source cites', () => {
  const sources = [...filesBelow('src', /\.(ts|py)$/), ...filesBelow('bench', /\.(mjs|py)$/)].filter(
    (path) => !path.includes('generated/'),
  )
  const theory = new Set([...read('docs/theory.md').matchAll(/^#+\s+(?:\d+\.\s+)?(.+)$/gm)].map(([, title]) => title))

  test('are headings of docs/theory.md by their title, for numbers move', () => {
    const cited = sources.flatMap((path) => {
      // A citation may run over the end of a comment's line.
      const text = read(path).replaceAll(/\n\s*(?:\*|\/\/|#)\s?/g, ' ')
      return [...text.matchAll(/theory\.md(?:, ["“«]([^"”»]+)["”»])?/g)].map(([whole, title]) => ({
        path,
        whole,
        title,
      }))
    })
    const titled = cited.filter(({ title }) => title !== undefined)
    expect(titled.length).toBeGreaterThan(15)
    expect(titled.filter(({ title }) => !theory.has(title))).toEqual([])
    expect(sources.filter((path) => /theory(?:\.md)?\s*§/.test(read(path)))).toEqual([])
  })

  test('are files that exist', () => {
    const missing = sources.flatMap((path) =>
      [...read(path).matchAll(/\b((?:docs|bench|test|scripts|assembly)\/[\w./-]+\.(?:md|mjs|ts|py))\b/g)]
        .map(([, file]) => file)
        .filter((file) => !existsSync(join(root, file)))
        .map((file) => `${path}: ${file}`),
    )
    expect(missing).toEqual([])
  })
})

// Golden data and what `npm run wasm` writes are no one's lines to read.
test.skipIf(!existsSync(join(root, '.git')))('no line of a tracked source is beyond 120 columns', () => {
  const tracked = execFileSync('git', ['ls-files', '-z', '*.ts', '*.mjs', '*.py'], { cwd: root, encoding: 'utf8' })
  const sources = tracked
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .filter((path) => !path.startsWith('src/kernels/wasm/generated/') && !basename(path).includes('golden'))
  expect(sources.length).toBeGreaterThan(400)
  const long = sources.flatMap((path) =>
    read(path)
      .split('\n')
      .flatMap((line, i) => ([...line].length > 120 ? [`${path}:${i + 1}`] : [])),
  )
  expect(long).toEqual([])
})
