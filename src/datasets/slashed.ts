/** A path with the separators of patterns; beside Windows, `\` is a character like any other. */
export function slashed(path: string, platform: NodeJS.Platform = process.platform): string {
  return platform === 'win32' ? path.replaceAll('\\', '/') : path
}
