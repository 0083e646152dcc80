import { execFileSync, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectRefusal, halfdice, temporaryFolder } from './support/halfdice.ts'

const folder = temporaryFolder()

async function script(shell: string): Promise<string> {
  const { code, stdout, stderr } = await halfdice(['completion', shell])
  expect([code, stderr]).toEqual([0, ''])
  const path = join(folder, `halfdice.${shell}`)
  writeFileSync(path, stdout)
  return path
}

/** Whether the shell is here. Where it is not, its script is checked for its parts only. */
const has = (shell: string) => spawnSync(shell, ['--version']).status === 0

/** What bash would offer for the last of these words. */
async function bash(...words: string[]): Promise<string[]> {
  const asked = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _halfdice'
  const run = `${asked}; printf "%s\\n" "\${COMPREPLY[@]}"`
  const output = execFileSync('bash', ['-c', run, 'bash', await script('bash'), ...words], { encoding: 'utf8' })
  return output.split('\n').filter((line) => line !== '')
}

describe.skipIf(!has('bash'))('bash', () => {
  test('completes commands, options and their values', async () => {
    expect(await bash('halfdice', 'st')).toEqual(['study'])
    expect(await bash('halfdice', '')).toContain('threshold')
    expect(await bash('halfdice', 'sample', '--le')).toEqual(['--length'])
    expect(await bash('halfdice', 'sample', '--sc')).toEqual([])
    expect(await bash('halfdice', 'threshold', 'x.nii', '--scope', '')).toEqual(['case', 'dataset'])
    expect(await bash('halfdice', 'threshold', 'x.nii', '--scope', 'd')).toEqual(['dataset'])
    expect(await bash('halfdice', 'threshold', '--scope', '=', 'c')).toEqual(['case'])
    expect(await bash('halfdice', 'threshold', '--scope', '=')).toEqual(['case', 'dataset'])
    expect(await bash('halfdice', 'study', '')).toEqual(['init', 'status', 'report', 'slurm'])
    expect(await bash('halfdice', 'study', 'init', '--q')).toEqual(['--quiet'])
    expect(await bash('halfdice', 'completion', 'f')).toEqual(['fish'])
    expect(await bash('halfdice', 'help', 'pha')).toEqual(['phantom'])
  })

  test('leaves all else to the shell, which knows the files', async () => {
    expect(await bash('halfdice', 'sample', 'lab')).toEqual([])
    expect(await bash('halfdice', 'sample', '--output', '')).toEqual([])
    const registered = execFileSync('bash', ['-c', 'source "$1"; complete -p halfdice', 'bash', await script('bash')])
    expect(String(registered)).toMatch(/-o default .*-F _halfdice halfdice/)
  })
})

test('zsh: the script is sound, and offers what bash offers', async () => {
  const path = await script('zsh')
  if (!has('zsh')) {
    const { stdout } = await halfdice(['completion', 'zsh'])
    expect(stdout).toMatch(/^#compdef halfdice\n/)
    expect(stdout).toContain("'--length:")
    expect(stdout).toContain('"/threshold --scope") compadd -- case dataset; return ;;')
    expect((stdout.match(/^ *case /gm) ?? []).length).toBe((stdout.match(/^ *esac$/gm) ?? []).length)
    return
  }
  // Its functions exist in a completion only: they are stood in for, and print.
  const run = `compdef() { : }; source "$1"; shift; compadd() { echo $* }; compset() { : }; _files() { echo files }
    _describe() { print -l -- \${(P)2} }; words=("$@"); CURRENT=$#; _halfdice`
  const offers = (...words: string[]) =>
    execFileSync('zsh', ['-f', '-c', run, 'zsh', path, ...words], { encoding: 'utf8' })
      .trim()
      .split('\n')
  expect(offers('halfdice', '')[0]).toMatch(/^demo:/)
  expect(offers('halfdice', 'threshold', '--scope', '')).toEqual(['-- case dataset'])
  expect(offers('halfdice', 'study', 'init', '--')).toContainEqual(expect.stringMatching(/^--quiet:/))
  expect(offers('halfdice', 'sample', '')).toEqual(['files'])
})

test('fish: the script is sound, and offers what bash offers', async () => {
  const path = await script('fish')
  if (!has('fish')) {
    const { stdout } = await halfdice(['completion', 'fish'])
    expect(stdout).toContain(`complete -c halfdice -n "__halfdice_path ''" -a sample -d '`)
    expect(stdout).toContain(`"__halfdice_path '/threshold'" -l scope -x -a 'case dataset' -d '`)
    expect(stdout.split('\n').filter((line) => (line.match(/'/g) ?? []).length % 2 === 1)).toEqual([])
    return
  }
  const offers = (words: string) =>
    execFileSync('fish', ['-N', '-c', `source ${path}; complete -C '${words}'`], { encoding: 'utf8' })
  expect(offers('halfdice st')).toMatch(/^study\t.*\n$/)
  expect(offers('halfdice threshold --scope ')).toMatch(/^case\t.*\ndataset\t/)
})

test('a topic without help is an error', async () => {
  expectRefusal(await halfdice(['help', 'staple']), "unknown command 'staple'")
  expectRefusal(await halfdice(['help', 'threshold', 'extra']), "help: unknown command 'extra'")
  expectRefusal(await halfdice(['help', 'study', 'int']), "unknown command 'int' (did you mean init?)")
  expectRefusal(await halfdice(['completion', 'tcsh']), 'Allowed choices are bash, zsh, fish')
  const { code, stdout } = await halfdice(['help', 'study', 'init'])
  expect([code, stdout.split('\n')[0]]).toEqual([0, 'Usage: halfdice study init [options] [file]'])
  expect((await halfdice(['help'])).stdout).toMatch(/^Usage: halfdice \[options\] \[command\]/)
})
