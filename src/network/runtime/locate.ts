import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { InputError } from '../../volume/errors.ts'
import { ownCommand } from '../../volume/own-package.ts'

/** The version of ONNX Runtime that training is tested with, and `halfdice runtime` installs. */
export const runtimeVersion = '1.30.0'
export const runtimeName = 'onnxruntime-node'

/** An installed ONNX Runtime. */
export interface FoundRuntime {
  /** The module to load. */
  readonly path: string
  /** The folder of its package. */
  readonly folder: string
  readonly version: string
}

/** ONNX Runtime where npm put it beside us (a project's own choice), else the copy of `halfdice runtime`. */
export function findRuntime(): FoundRuntime | undefined {
  // The copy by its path: a folder above it may hold another.
  for (const wanted of [runtimeName, join(runtimeFolder(), 'node_modules', runtimeName)]) {
    try {
      const path = createRequire(import.meta.url).resolve(wanted)
      return { path, ...packageOf(path) }
    } catch {
      // Not there.
    }
  }
  return undefined
}

/** @throws InputError where ONNX Runtime is not installed, with the line that installs it */
export function requireRuntime(): FoundRuntime {
  const found = findRuntime()
  if (found) return found
  throw new InputError('ONNX Runtime', `is not installed, and networks need it; run: ${ownCommand()} runtime`)
}

/**
 * Where `halfdice runtime` installs: a folder of the user's, so that it needs no rights, serves all projects and
 * survives a new version of halfdice; one for each version and system, since home folders are shared among machines.
 */
export function runtimeFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home = homedir(),
): string {
  const name = `${runtimeName}-${runtimeVersion}-${platform}-${process.arch}`
  return join(env.HALFDICE_RUNTIME || join(dataFolder(env, platform, home), 'halfdice'), name)
}

/** The system's folder for data of programs. */
function dataFolder(env: NodeJS.ProcessEnv, platform: NodeJS.Platform, home: string): string {
  if (platform === 'win32') return env.LOCALAPPDATA || join(home, 'AppData/Local')
  if (platform === 'darwin') return join(home, 'Library/Application Support')
  return env.XDG_DATA_HOME || join(home, '.local/share')
}

function packageOf(module: string): { readonly folder: string; readonly version: string } {
  let folder = dirname(module)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }
  return { folder, version }
}
