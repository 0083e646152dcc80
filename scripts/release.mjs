// npm run release -- VERSION: raises the version everywhere, heads the changelog's section with it, commits and tags.
// Pushing the tag publishes (.github/workflows/release.yml). With --check, says whether VERSION is what the files hold.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = process.env.RELEASE_ROOT ?? fileURLToPath(new URL('..', import.meta.url))
const checking = process.argv[2] === '--check'
const version = process.argv[checking ? 3 : 2]
const read = (name) => readFileSync(join(root, name), 'utf8')
const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version ?? '')) fail('give the version: npm run release -- 0.2.0')
const manifest = JSON.parse(read('package.json'))
// npm refuses to publish where it is not the repository that the provenance names.
if (!/^git\+https:\/\/\S+\.git$/.test(manifest.repository?.url ?? '')) {
  fail(
    'package.json names no repository, which npm asks for to publish with provenance; add where this one is: ' +
      '"repository": { "type": "git", "url": "git+https://github.com/OWNER/halfdice.git" }',
  )
}
if (checking) {
  if (manifest.version !== version) fail(`package.json is at ${manifest.version}, not ${version}`)
  if (!read('CITATION.cff').includes(`\nversion: ${version}\n`)) fail(`CITATION.cff is not at ${version}`)
  if (!read('CHANGELOG.md').includes(`\n## ${version} – `)) fail(`CHANGELOG.md tells nothing of ${version}`)
} else release()

function release() {
  if (git('status', '--porcelain') !== '') fail('commit or put away your changes first')
  if (!isLater(version, manifest.version)) fail(`${version} is not later than ${manifest.version}`)
  const changes = /\n## Unreleased\n([\s\S]*?)(?=\n## |$)/.exec(read('CHANGELOG.md'))?.[1] ?? ''
  if (changes.trim() === '') fail('CHANGELOG.md has nothing under "Unreleased"; tell what changed')
  const month = new Date().toLocaleString('en', { month: 'long', year: 'numeric', timeZone: 'UTC' })
  replace('CHANGELOG.md', '\n## Unreleased\n', `\n## Unreleased\n\n## ${version} – ${month}\n`)
  replace('CITATION.cff', `\nversion: ${manifest.version}\n`, `\nversion: ${version}\n`)
  // package.json and the lock file.
  execFileSync('npm', ['version', version, '--no-git-tag-version', '--ignore-scripts'], {
    cwd: root,
    stdio: 'ignore',
    shell: process.platform === 'win32',
  })
  git('commit', '--all', '--message', `Version ${version}`)
  git('tag', '--annotate', `v${version}`, '--message', `halfdice ${version}`)
  console.log(`Version ${version} is committed and tagged. To publish it: git push --follow-tags`)
}

function replace(name, before, after) {
  const text = read(name)
  if (!text.includes(before)) fail(`${name} lacks ${JSON.stringify(before)}`)
  writeFileSync(join(root, name), text.replace(before, after))
}

function isLater(one, other) {
  const [a, b] = [one, other].map((text) => text.split('-')[0].split('.').map(Number))
  const at = a.findIndex((number, i) => number !== b[i])
  return at >= 0 && a[at] > b[at]
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
