import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { InputError, RunError } from '../../volume/errors.ts'
import { findRuntime, requireRuntime, runtimeFolder, runtimeName, runtimeVersion } from './locate.ts'

export interface InstalledRuntime {
  readonly version: string
  readonly folder: string
  readonly megabytes: number
  /** Whether it was there before. */
  readonly already: boolean
}

/**
 * Installs ONNX Runtime for this system: from the npm registry with npm, which checks what it gets, and without install
 * scripts, which would fetch more from elsewhere. Of the binaries in its package, those of other systems are left out.
 *
 * @throws InputError where there are no binaries for this system, RunError where npm fails
 */
export async function installRuntime(): Promise<InstalledRuntime> {
  const before = findRuntime()
  if (before === undefined) await installInto(runtimeFolder())
  const { folder, version } = requireRuntime()
  return { version, folder, megabytes: await megabytesIn(folder), already: before !== undefined }
}

async function installInto(target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  const work = await mkdtemp(`${target}.`)
  try {
    await npmInstall(work)
    await keepThisSystem(join(work, 'node_modules', runtimeName))
    const kept = join(work, 'kept')
    await mkdir(join(kept, 'node_modules'), { recursive: true })
    for (const name of [runtimeName, 'onnxruntime-common']) {
      await rename(join(work, 'node_modules', name), join(kept, 'node_modules', name))
    }
    await writeFile(join(kept, 'package.json'), '{ "private": true }\n')
    await rm(target, { recursive: true, force: true })
    await rename(kept, target)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function npmInstall(folder: string): Promise<void> {
  const wanted = `${runtimeName}@${runtimeVersion}`
  const flags = '--ignore-scripts --no-save --no-package-lock --no-audit --no-fund --loglevel=error'.split(' ')
  const [program, first] = npmProgram()
  // A project's settings around us (`npm_config_prefix`, `npm_config_global`) are not for this folder.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_config_(global|prefix|local_prefix|location)$/i.test(name)),
  )
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n')
  try {
    await promisify(execFile)(program, [...first, 'install', ...flags, wanted], { cwd: folder, env })
  } catch (error) {
    const { code, stderr = '' } = error as { code?: unknown; stderr?: string }
    const remedy = `check the network and npm's settings, or install ${wanted} beside halfdice in another way`
    if (code === 'ENOENT') throw new RunError('npm', `is not on the PATH; install npm, or ${wanted} in another way`)
    throw new RunError('npm', `could not install ${wanted} (${lastLine(stderr)}); ${remedy}`)
  }
}

/** npm as a script of this Node where it lies beside it, which spares Windows a shell. */
function npmProgram(): [program: string, first: string[]] {
  const beside = dirname(process.execPath)
  const script = [process.env.npm_execpath, join(beside, 'node_modules/npm/bin/npm-cli.js')].find(
    (path) => path !== undefined && basename(path) === 'npm-cli.js' && existsSync(path),
  )
  return script === undefined ? ['npm', []] : [process.execPath, [script]]
}

/** Removes other systems' binaries: BIN/napi-vN/PLATFORM/ARCH. */
async function keepThisSystem(folder: string): Promise<void> {
  const { platform, arch } = process
  let kept = 0
  for (const api of await readdir(join(folder, 'bin'))) {
    for (const system of await readdir(join(folder, 'bin', api))) {
      for (const processor of await readdir(join(folder, 'bin', api, system))) {
        if (system === platform && processor === arch) kept++
        else await rm(join(folder, 'bin', api, system, processor), { recursive: true })
      }
    }
  }
  if (kept === 0) {
    throw new InputError('ONNX Runtime', `has no build for ${platform}-${arch}; train and predict on another machine`)
  }
}

async function megabytesIn(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size))
  return Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1e6)
}

function lastLine(text: string): string {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
    .filter((line) => line !== '' && !/complete log/i.test(line) && !/^\/|_logs/.test(line))
  return lines[0] ?? 'no reason given'
}
