import { basename } from 'node:path'

/** A file's name without its folder and ending: `case_1` for `a/case_1.nii.gz`. */
export function caseName(path: string): string {
  return basename(path).replace(/(?<=.)(\.(nii|hdr|img)(\.gz)?|\.seg\.nrrd|\.[^.]*)$/i, '')
}

/** Whether a file is called as images are. */
export function isImageName(path: string): boolean {
  return /.\.(nii|hdr|img)(\.gz)?$|.\.(nrrd|nhdr|mha|mhd)$/i.test(basename(path))
}

/** A name without an ending that is not all of it. */
export function withoutSuffix(name: string, suffix = ''): string {
  return suffix !== '' && name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name
}
