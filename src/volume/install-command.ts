import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The line that installs a package which only some commands need. A bundle (scripts/bundle.mjs), such as the one in the
 * Python package, finds packages beside itself; else npm puts them where it put us.
 */
export function installCommand(spec: string): string {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  return ['npm install --ignore-scripts', ...(isBundle(root) ? [`--prefix "${root}"`] : []), spec].join(' ')
}

function isBundle(root: string): boolean {
  try {
    return JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).bundled === true
  } catch {
    return false
  }
}
