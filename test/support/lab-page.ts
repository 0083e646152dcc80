import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** The numbers of a panel by their names: of the threshold panel at the cut, at t*, and at ½. */
export function numbers(page: Page): Promise<Record<string, string[]>> {
  return page.evaluate(() => {
    const found: Record<string, string[]> = {}
    let name = ''
    for (const each of document.querySelectorAll('dl.numbers > *')) {
      if (each.tagName === 'DT') found[(name = each.textContent ?? '')] = []
      else found[name]?.push(each.textContent ?? '')
    }
    return found
  })
}

const isThere = (values: string[]) => values.length > 0 && !values.includes('…')

/** Waits until a number stands in a panel, or passes `when`. */
export async function numbersWith(page: Page, name: string, when: (values: string[]) => boolean = isThere) {
  await expect.poll(async () => when((await numbers(page))[name] ?? [])).toBe(true)
  return numbers(page)
}

/** What a button saves. */
export async function download(page: Page, button: string): Promise<{ name: string; bytes: Buffer }> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()])
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) }
}

/** The SHA-256 of a gzip's content: how it is packed may differ. */
export function contentHash(gzip: Uint8Array): string {
  return createHash('sha256').update(gunzipSync(gzip)).digest('hex')
}
