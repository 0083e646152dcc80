import type { App } from './app.ts'

/** What `halfdice lab FILES` serves beside the page: names in the order in which they were given. */
interface Served {
  readonly files: readonly { readonly path: string; readonly url: string }[]
}

/** Opens the files that the page was served with; the example where there are none, or on a plain web server. */
export async function openServed(app: App): Promise<void> {
  const found = await servedFiles()
  if (found.length === 0) return app.example()
  try {
    const given = await Promise.all(
      found.map(async ({ path, url }) => {
        const answer = await fetch(url)
        if (!answer.ok) throw new Error(`${path}: could not be read (${answer.status}); start halfdice lab again`)
        return { path, file: await answer.blob() }
      }),
    )
    await app.open(given)
  } catch (error) {
    app.fail(error)
  }
}

/** The page says in its own markup whether it was served with files: a plain web server is asked for nothing. */
async function servedFiles(): Promise<Served['files']> {
  if (document.documentElement.dataset.served === undefined) return []
  const answer = await fetch('files.json')
  return answer.ok ? ((await answer.json()) as Served).files : []
}
