import { ownPackage } from '../volume/own-package.ts'

/** The package's version. */
export function version(): string {
  return ownPackage().version
}
