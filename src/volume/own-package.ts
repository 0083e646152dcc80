import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What `package.json` says of this program. */
export interface OwnPackage {
  readonly version: string
  /** In the Python package: how its users start the command line. */
  readonly command?: string
}

let found: OwnPackage | undefined

/** The package that this program came in: the nearest `package.json` above this file, wherever a bundle put it. */
export function ownPackage(): OwnPackage {
  if (found === undefined) {
    let folder = dirname(fileURLToPath(import.meta.url))
    while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
    found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as OwnPackage
  }
  return found
}

/** The words that start this program, for remedies that name one of its commands. */
export function ownCommand(): string {
  return ownPackage().command ?? 'npx halfdice'
}
