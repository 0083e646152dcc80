// Mutation tests: every room (hours), one room, or a random share of a room's lines.
//   npm run mutate
//   npm run mutate -- noise
//   npm run mutate -- noise 0.1 [Stryker's options]
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

const [room, share, ...options] = process.argv.slice(2)
const mutate = room === undefined ? [] : ['--mutate', filesOf(room).flatMap(linesOf).join(',')]
const env = room === undefined ? process.env : { ...process.env, MUTATE_ROOM: room }
process.exitCode = spawnSync('npx', ['stryker', 'run', ...mutate, ...options], { env, stdio: 'inherit' }).status ?? 1

function filesOf(folder) {
  return readdirSync(`src/${folder}`, { recursive: true })
    .map((path) => `src/${folder}/${path}`)
    .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|\/testing\/|worker\.ts$/.test(path))
    .sort()
}

/** A file, or the lines of it that chance takes, as Stryker writes ranges. Its text decides, so runs repeat. */
function linesOf(path) {
  if (share === undefined) return [path]
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.flatMap((_, i) => (chance(`${path}:${i}`) < Number(share) ? [`${path}:${i + 1}-${i + 1}`] : []))
}

/** A number in [0, 1) that follows from a text. */
function chance(text) {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32
}
