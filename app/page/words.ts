/** Numbers as the panels show them. */

export const fixed = (value: number, digits = 3): string => (Number.isFinite(value) ? value.toFixed(digits) : '–')

/** With a sign, and a true minus. */
export function signed(value: number, digits = 3): string {
  const text = Math.abs(value).toFixed(digits)
  if (Number(text) === 0) return text
  return `${value < 0 ? '−' : '+'}${text}`
}

/** A volume with as many decimals as its size deserves; without geometry only voxels are known. */
export function volume(voxels: number, voxelMl: number | undefined): string {
  if (voxelMl === undefined) return `${voxels.toLocaleString('en')} voxels`
  const ml = voxels * voxelMl
  return `${ml >= 100 ? ml.toFixed(0) : ml >= 0.1 || ml === 0 ? ml.toPrecision(3) : ml.toPrecision(2)} ml`
}

export function percent(share: number): string {
  if (share > 0 && share < 5e-5) return '< 0.01 %'
  return `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`
}

/** A name as a shell takes it for one word. */
export function words(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`
}
