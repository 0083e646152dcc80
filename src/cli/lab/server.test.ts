import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, request } from 'node:http'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LabServer, serveLab } from './server.ts'
import { labSite } from './site.ts'

const folder = mkdtempSync(join(tmpdir(), 'halfdice-lab-'))
const token = 'secret-token'
let server: LabServer
let port = 0

beforeAll(async () => {
  mkdirSync(join(folder, 'page'))
  mkdirSync(join(folder, 'data/series'), { recursive: true })
  writeFileSync(join(folder, 'page/index.html'), '<!doctype html>\n<html lang="en">the page</html>')
  writeFileSync(join(folder, 'page/lab.js'), 'script')
  writeFileSync(join(folder, 'private.txt'), 'private')
  writeFileSync(join(folder, 'data/private.txt'), 'private')
  for (const name of ['given.nii', 'case.npz', 'case.pkl', 'series/1.dcm', 'series/2.dcm', 'series/.hidden']) {
    writeFileSync(join(folder, 'data', name), name)
  }
  symlinkSync(join(folder, 'private.txt'), join(folder, 'page/../link'))
  const paths = ['given.nii', 'case.npz', 'series'].map((name) => join(folder, 'data', name))
  server = await serveLab(await labSite(paths, [join(folder, 'page')]), token, 0)
  port = Number(new URL(server.url).port)
})

afterAll(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: IncomingHttpHeaders
}

/** A request as it is written: browsers and `fetch` would tidy paths and set headers of their own. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET', host = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path, method, headers, timeout: 2000 }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }))
    })
    sent.on('timeout', () => sent.destroy(new Error('no answer')))
    sent.on('error', reject).end()
  })
}

test('serves the page and the files given, with what belongs to them', async () => {
  expect(await ask(`/${token}/`)).toMatchObject({
    status: 200,
    text: expect.stringContaining('<html data-served lang'),
  })
  expect(await ask(`/${token}/lab.js`)).toMatchObject({ status: 200, text: 'script' })
  const { files } = JSON.parse((await ask(`/${token}/files.json`)).text)
  const shown = files.map(({ path }: { path: string }) => path)
  expect(shown).toEqual(['given.nii', 'case.npz', 'case.pkl', 'series/1.dcm', 'series/2.dcm'])
  for (const { path, url } of files) expect((await ask(`/${token}/${url}`)).text).toBe(path)
})

test('a page without files says so in no request', async () => {
  const page = (await labSite([], [join(folder, 'page')])).get('')
  expect(new TextDecoder().decode(page?.bytes)).not.toContain('data-served')
})

test('nothing without the token, or with another', async () => {
  for (const path of [
    '/',
    '/lab.js',
    '/files.json',
    '/files/0',
    '/wrong/',
    '/secret-toke/',
    '/secret-tokenx/',
    '/SECRET-TOKEN/',
    `/${token}`,
    `//${token}/`,
  ]) {
    expect((await ask(path)).status, path).toBe(404)
  }
})

describe('paths that lead elsewhere', () => {
  const up = ['..', '%2e%2e', '..%2f', '%2e%2e%2f', '..\\', '..%5c', '....//', '.%00.']
  const paths = [
    ...up.flatMap((step) => [
      `/${token}/${step}/private.txt`,
      `/${token}/${step}/data/private.txt`,
      `/${token}/files/${step}/private.txt`,
      `/${token}/files/0/${step}/private.txt`,
    ]),
    `/${token}/../../../../../../etc/passwd`,
    `/${token}//etc/passwd`,
    `/${token}/file:///etc/passwd`,
    `/${token}/${join(folder, 'private.txt')}`,
    `/${token}/files/private.txt`,
    `/${token}/files/99`,
    `/${token}/files/-1`,
    `/${token}/files/`,
    `/${token}/link`,
    `/${token}/constructor`,
    `/${token}/__proto__`,
  ]
  test.each(paths)('%s', async (path) => {
    const { status, text } = await ask(path)
    expect(status).toBe(404)
    expect(text).not.toMatch(/private|root:/)
  })
})

describe('who asks', () => {
  const own = '127.0.0.1:PORT'
  const cases: readonly [headers: Record<string, string>, status: number][] = [
    [{ host: own }, 200],
    [{ host: 'localhost:PORT' }, 200],
    [{ host: 'evil.example' }, 403],
    [{ host: 'evil.example:PORT' }, 403],
    [{ host: '127.0.0.1' }, 403],
    [{ host: '127.0.0.1:1' }, 403],
    [{ host: '127.0.0.1.evil.example:PORT' }, 403],
    [{ host: '[::1]:PORT' }, 403],
    [{ host: own, origin: 'http://127.0.0.1:PORT' }, 200],
    [{ host: own, origin: 'http://localhost:PORT' }, 403],
    [{ host: own, origin: 'https://evil.example' }, 403],
    [{ host: own, origin: 'null' }, 403],
    [{ host: own, 'sec-fetch-site': 'same-origin' }, 200],
    [{ host: own, 'sec-fetch-site': 'none' }, 200],
    [{ host: own, 'sec-fetch-site': 'cross-site' }, 403],
    [{ host: own, 'sec-fetch-site': 'same-site' }, 403],
  ]
  test.each(cases)('%o: %i', async (headers, status) => {
    const filled = Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', String(port))])
    const answer = await ask(`/${token}/files/0`, Object.fromEntries(filled))
    expect(answer.status).toBe(status)
    if (status !== 200) expect(answer.text).not.toContain('given')
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })
})

test('nothing but reading', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    expect((await ask(`/${token}/`, {}, method)).status, method).toBe(405)
  }
  expect(await ask(`/${token}/files/0`, {}, 'HEAD')).toMatchObject({ status: 200, text: '' })
})

test('every answer forbids the page all that is not its own', async () => {
  for (const path of [`/${token}/`, `/${token}/files/0`, '/']) {
    const { headers } = await ask(path)
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; .*frame-ancestors 'none'$/)
    expect(headers['content-security-policy']).not.toMatch(/https?:|\*|unsafe-inline|'unsafe-eval'/)
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  }
})

test('no other address of this machine answers', async ({ skip }) => {
  const others = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  const outward = others.find(({ family, internal }) => family === 'IPv4' && !internal)
  if (outward === undefined) return skip('this machine has no other address')
  await expect(ask(`/${token}/`, { host: `127.0.0.1:${port}` }, 'GET', outward.address)).rejects.toThrow()
})

test('two files of one name keep apart', async () => {
  mkdirSync(join(folder, 'other'))
  writeFileSync(join(folder, 'other/given.nii'), 'other')
  const paths = [join(folder, 'data/given.nii'), join(folder, 'other/given.nii')]
  const site = await labSite(paths, [join(folder, 'page')])
  const { files } = JSON.parse(new TextDecoder().decode(site.get('files.json')?.bytes))
  expect(files.map(({ path }: { path: string }) => path)).toEqual(['given.nii', 'other/given.nii'])
})

test('a missing file and a missing page are told in one line', async () => {
  await expect(labSite([join(folder, 'nothing.nii')], [join(folder, 'page')])).rejects.toThrow(
    /nothing\.nii: no such file/,
  )
  await expect(labSite([], [join(folder, 'data')])).rejects.toThrow(/not part of this installation/)
})
