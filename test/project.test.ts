// What strangers meet first: example programs, the audit of the lock file, and the release.
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from './support/halfdice.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

function node(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const options = { cwd, encoding: 'utf8', env: { ...process.env, ...env } } as const
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options)
  return { status, stdout, stderr }
}

describe('examples/', () => {
  const programs = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.mjs'))

  test('its table lists them', () => {
    expect(programs.length).toBe(5)
    for (const name of programs) expect(read('examples/README.md')).toContain(`[${name}](${name})`)
  })

  const printed: Record<string, RegExp> = {
    'annotators.mjs': /^they stray by σ = 1\.[3-7] mm in bumps of ℓ = \d+\.\d mm\nDice with the truth: 0\.\d+/,
    'cut-a-map.mjs': /^t\* = 0\.304: expected Dice 0\.608, 680 pixels\n1\/2 {6}: expected Dice 0\.554, 392 pixels\n$/,
    'figure.mjs': /^figure\.html: open it in a browser\n$/,
    'nifti-in-nifti-out.mjs': /^mask\.nii\.gz: cut at t\* = 0\.3\d+\n$/,
    'noisy-labels.mjs': /^(sample \d: Dice with the reference 0\.8\d+\n){3}a perfect network reaches Dice 0\.8\d+/,
  }
  test.each(programs)('%s runs', (name) => {
    const folder = temporaryFolder()
    const { status, stdout, stderr } = node([join(root, 'examples', name)], folder)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(printed[name])
    if (name === 'figure.mjs') expect(readFileSync(join(folder, 'figure.html'), 'utf8')).toContain('<svg')
  })
})

describe('scripts/audit.mjs', () => {
  const audit = (change: (lock: { packages: Record<string, Record<string, unknown>> }) => void, manifest = {}) => {
    const folder = temporaryFolder()
    const lock = JSON.parse(read('package-lock.json'))
    change(lock)
    writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock))
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...JSON.parse(read('package.json')), ...manifest }))
    return node([join(root, 'scripts/audit.mjs'), folder], folder)
  }
  const vitest = 'node_modules/vitest'

  test('finds nothing in the lock file', () => {
    expect(audit(() => {})).toMatchObject({ status: 0, stderr: '' })
  })

  test.each([
    ['another origin', { resolved: 'https://example.org/x.tgz' }, 'comes from https://example.org/x.tgz'],
    ['no checksum', { integrity: undefined }, 'has no SHA-512 checksum'],
    ['a weak checksum', { integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, 'has no SHA-512 checksum'],
    ['a licence', { license: 'MIT AND GPL-3.0' }, 'has the licence MIT AND GPL-3.0'],
    ['a script', { hasInstallScript: true }, 'runs a script at installation'],
    ['a dependency', { dev: undefined }, 'would be installed with the package'],
  ])('%s is named', (_, about, fault) => {
    const { status, stderr } = audit((lock) => Object.assign(lock.packages[vitest], about))
    expect(status).toBe(1)
    expect(stderr).toMatch(/^vitest \d+\.\d+\.\d+: /)
    expect(stderr).toContain(fault)
  })

  test('so are dependencies and scripts of package.json', () => {
    const { stderr } = audit(() => {}, { dependencies: { yaml: '2' }, scripts: { postinstall: 'x' } })
    expect(stderr).toBe("yaml: is one of package.json's dependencies\npackage.json: has a script postinstall\n")
  })
})

test('a release raises the version everywhere, heads the changelog and tags', () => {
  const folder = temporaryFolder()
  for (const name of ['package.json', 'package-lock.json', 'CITATION.cff', 'CHANGELOG.md']) {
    cpSync(join(root, name), join(folder, name))
  }
  const git = (...args: string[]) => spawnSync('git', args, { cwd: folder, encoding: 'utf8' }).stdout.trim()
  git('init', '--quiet')
  git('config', 'user.name', 'a')
  git('config', 'user.email', 'a@example.org')
  git('add', '.')
  git('commit', '--quiet', '--message', 'first')
  const release = (...args: string[]) =>
    node([join(root, 'scripts/release.mjs'), ...args], folder, { RELEASE_ROOT: folder })
  expect(release('next').stderr).toMatch(/give the version/)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const withRepository = (repository: unknown) => {
    writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, repository }, null, 2)}\n`)
    git('commit', '--quiet', '--all', '--message', 'repository')
  }
  for (const repository of [undefined, { type: 'git', url: '' }]) {
    withRepository(repository)
    expect(release('98.7.6')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^package\.json names no repo/),
    })
  }
  withRepository({ type: 'git', url: 'git+https://example.org/halfdice.git' })
  expect(release('0.0.9').stderr).toMatch(/0\.0\.9 is not later than/)
  expect(release('98.7.6')).toMatchObject({ status: 0, stderr: '' })
  const at = (name: string) => readFileSync(join(folder, name), 'utf8')
  for (const name of ['package.json', 'package-lock.json']) expect(JSON.parse(at(name)).version).toBe('98.7.6')
  expect(at('CITATION.cff')).toContain('\nversion: 98.7.6\n')
  expect(at('CHANGELOG.md')).toMatch(/\n## Unreleased\n\n## 98\.7\.6 – \w+ \d{4}\n\n\S/)
  expect(git('describe')).toBe('v98.7.6')
  expect(git('status', '--porcelain')).toBe('')
  // Nothing new: no release.
  expect(release('98.7.7').stderr).toMatch(/nothing under "Unreleased"/)
  expect(release('--check', '98.7.7').status).toBe(1)
})

test('the workflows run what a checkout runs', () => {
  expect(read('.github/workflows/check.yml')).toContain('bash .ci/run')
  const oldest = JSON.parse(read('package.json')).engines.node.match(/\d+/)[0]
  expect(read('.github/workflows/check.yml')).toContain(`node: [${oldest}, `)
})
