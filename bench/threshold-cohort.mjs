// `halfdice threshold` of 100 predictions as nnU-Net leaves them (.npz of 200³ × 4 float16, with .pkl), on all cores,
// against inflating the same files and nothing else: as many processes as cores, each with zlib's inflate of its share.
// Rounds alternate; the peak of memory is that of the largest process. The files are one prediction under 100 names:
// links, which cost as much to read and inflate as others; once with zeros far from the organs, once with a haze there,
// which compresses less. Needs a built tree, GNU time and a Python with numpy:
//   PYTHON=/usr/bin/python3 node bench/threshold-cohort.mjs [CASES [EXTENT]]
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { python } from './peers/python.mjs'

const [cases = 40, extent = 200] = process.argv.slice(2).map(Number)
const cores = availableParallelism()
const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const inflate = `
const { readFileSync } = require('node:fs')
const { inflateRawSync } = require('node:zlib')
for (const path of process.argv.slice(1)) {
  const bytes = readFileSync(path)
  // The archive's first entry is the array; its data follow a header with a name and an extra field.
  const start = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28)
  if (inflateRawSync(bytes.subarray(start)).length < ${4 * 2 * extent ** 3}) throw new Error(path)
}`

for (const haze of [[], ['hazy']]) {
  const folder = mkdtempSync(join(tmpdir(), 'halfdice-bench-'))
  try {
    await compare(folder, haze)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function compare(folder, haze) {
  execFileSync(python, [path('make-large-prediction.py'), folder, String(extent), '4', 'float16', ...haze])
  const input = join(folder, 'predictions')
  mkdirSync(input)
  const files = Array.from({ length: cases }, (_, i) => join(input, `case_${String(i).padStart(3, '0')}.npz`))
  for (const file of files) {
    linkSync(join(folder, 'large.npz'), file)
    linkSync(join(folder, 'large.pkl'), file.replace(/npz$/, 'pkl'))
  }
  const mb = (statSync(files[0]).size / 1e6).toFixed(1)
  const kind = `float16${haze.length > 0 ? ' with a haze' : ''}`
  console.log(`${cases} cases of ${extent}³ × 4 ${kind}, ${mb} MB each, ${cores} processes, s:`)
  for (let round = 0; round < 2; round++) {
    const alone = await timed(files)
    const ours = thresholded(input, join(folder, 'masks'))
    const ratio = (ours.seconds / alone).toFixed(2)
    console.log(
      `  inflate alone ${alone.toFixed(1)}, halfdice threshold ${ours.seconds.toFixed(1)} (${ratio} times), ` +
        `${ours.megabytes.toFixed(0)} MB at most in a process`,
    )
  }
}

/** Inflates all files, each process its share. */
async function timed(files) {
  const start = performance.now()
  await Promise.all(
    Array.from({ length: cores }, (_, part) => {
      const share = files.filter((_, i) => i % cores === part)
      const child = spawn(process.execPath, ['-e', inflate, ...share], { stdio: ['ignore', 'inherit', 'inherit'] })
      return new Promise((resolve, reject) => {
        child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`inflate ended with ${code}`))))
      })
    }),
  )
  return (performance.now() - start) / 1000
}

function thresholded(input, masks) {
  const args = [path('../lib/main.cjs'), 'threshold', input, '-o', masks, '-q']
  const start = performance.now()
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%M', process.execPath, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  const megabytes = Number(stderr.trim().split('\n').pop()) / 1024
  return { seconds: (performance.now() - start) / 1000, megabytes }
}
