import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isFolder, isFolderEntry, listed } from '../../datasets/image-folder.ts'
import { requireRegularFile } from '../../formats/read-file.ts'
import { InputError, RunError } from '../../volume/errors.ts'

/** What is served under a path: a file as it is on the disk, or bytes. */
export type Page =
  | { readonly type: string; readonly path: string; readonly bytes?: undefined }
  | { readonly type: string; readonly bytes: Uint8Array }

/** Everything that is served, by path below the token; nothing else is. */
export type Site = ReadonlyMap<string, Page>

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

/** The built page, seen from the package's lib/ and from dist/cli/lab. */
const pageFolders = ['./lab/', '../../lab/'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

/** More files than a page can hold open, or a folder that is no series of slices. */
const mostFiles = 5000

/**
 * The page and the files that it opens.
 *
 * @throws InputError where a path leads nowhere, RunError where the page is not installed
 */
export async function labSite(paths: readonly string[], folders: readonly string[] = pageFolders): Promise<Site> {
  const folder = folders.find((each) => existsSync(join(each, 'index.html')))
  if (folder === undefined) {
    throw new RunError('lab', 'its page is not part of this installation; install halfdice with npm')
  }
  const site = new Map<string, Page>()
  for (const name of readdirSync(folder)) {
    site.set(name, { type: types[extname(name)] ?? 'application/octet-stream', path: join(folder, name) })
  }
  const files = await filesOf(paths)
  const given = files.map(({ shown, path }, index) => {
    const url = `files/${index}`
    site.set(url, { type: 'application/octet-stream', path })
    return { path: shown, url }
  })
  // The page asks for files only where its markup says that there are some: any other web server has none.
  const page = readFileSync(join(folder, 'index.html'), 'utf8')
  const bytes = new TextEncoder().encode(files.length > 0 ? page.replace('<html ', '<html data-served ') : page)
  site.set('', { type: types['.html'], bytes })
  site.set('files.json', {
    type: 'application/json',
    bytes: new TextEncoder().encode(JSON.stringify({ files: given })),
  })
  return site
}

interface GivenFile {
  /** What the page calls it: its name, in the folder that was given. */
  readonly shown: string
  readonly path: string
}

async function filesOf(paths: readonly string[]): Promise<GivenFile[]> {
  const files = new Map<string, GivenFile>()
  const add = (shown: string, path: string) => {
    // Two files of one name in different folders are told apart by theirs.
    const name = files.has(shown) ? `${basename(dirname(path))}/${shown}` : shown
    files.set(files.has(name) ? `${files.size}/${name}` : name, { shown: name, path })
  }
  for (const path of paths) {
    if (isFolder(path)) {
      for (const each of filesBelow(path)) add(`${basename(path)}/${each}`, join(path, each))
      continue
    }
    await requireRegularFile(path)
    add(basename(path), path)
    for (const beside of sidecarsOf(path)) if (existsSync(beside)) add(basename(beside), beside)
  }
  if (files.size > mostFiles) {
    throw new InputError('lab', `${files.size} files are more than a page can open; give those of one case`)
  }
  return [...files.values()]
}

/** What belongs to a file: nnU-Net's properties and image beside an array, the data of a detached header. */
function sidecarsOf(path: string): string[] {
  const stem = path.replace(/\.[^.]*$/, '')
  if (/\.np[yz]$/i.test(path)) {
    return [`${stem}.pkl`, `${stem}.nii.gz`, `${stem}.nii`, join(dirname(path), 'dataset.json')]
  }
  if (/\.hdr$/i.test(path)) return [`${stem}.img`, `${stem}.img.gz`]
  if (/\.mhd$/i.test(path)) return [`${stem}.raw`, `${stem}.zraw`]
  if (/\.nhdr$/i.test(path)) return [`${stem}.raw`, `${stem}.raw.gz`]
  return []
}

/** The files in a folder and its sub-folders, relative to it; hidden ones are left out. */
function filesBelow(folder: string, start = ''): string[] {
  return listed(join(folder, start)).flatMap((entry) => {
    if (entry.name.startsWith('.')) return []
    const name = start === '' ? entry.name : `${start}/${entry.name}`
    return isFolderEntry(join(folder, start), entry) ? filesBelow(folder, name) : [name]
  })
}
