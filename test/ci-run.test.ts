import { spawnSync } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ROOT } from '../scripts/workspace.ts'

const FAILED = (file: string) =>
  `\x1b[41m FAIL \x1b[49m \x1b[30m node \x1b[39m ${file} > a > rule\nAssertionError: expected 1 to be 2\n`

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-ci-run-'))
  await mkdir(path.join(folder, '.ci'))
  await mkdir(path.join(folder, 'bin'))
  await copyFile(path.join(ROOT, '.ci/run'), path.join(folder, '.ci/run'))
  // Every step passes, but for the tests as a whole, and for the files that run again where AGAIN says so.
  const npm =
    '#!/bin/sh\n[ "$*" = test ] && { printf "$PRINTED"; exit "$FIRST"; }\n[ "$1 $2" = "test --" ] && exit "$AGAIN"\nexit 0\n'
  for (const [name, text] of [['npm', npm] as const, ['node', '#!/bin/sh\nexit 0\n'] as const]) {
    await writeFile(path.join(folder, 'bin', name), text)
    await chmod(path.join(folder, 'bin', name), 0o755)
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function run(printed: string, again: 0 | 1 = 0, first: 0 | 1 = 1) {
  const env = { ...process.env, PATH: `${path.join(folder, 'bin')}:${process.env.PATH}` }
  const made = spawnSync('bash', ['.ci/run'], {
    cwd: folder,
    env: { ...env, PRINTED: printed, FIRST: String(first), AGAIN: String(again) },
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status: made.status, stdout: made.stdout }
}

describe('what decides whether a change lands (0024)', () => {
  it('passes when every step does', () => {
    const { status, stdout } = run('', 0, 0)
    expect([status, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, '10 passed, 0 failed'])
  })

  it('takes one file that passes alone, and says so', () => {
    const { status, stdout } = run(FAILED('packages/core/test/gate.test.ts'))
    expect(status).toBe(0)
    expect(stdout).toMatch(/^unsteady .* tests$/m)
    expect(stdout).toContain('AssertionError: expected 1 to be 2')
  })

  it.each([
    ['a file that fails twice', FAILED('packages/core/test/gate.test.ts'), 1],
    ['a proof under test/faults', FAILED('test/faults/model.test.ts'), 0],
    ['more than three files', ['a', 'b', 'c', 'd'].map((name) => FAILED(`test/${name}.test.ts`)).join(''), 0],
    ['an error that no test caught', `${FAILED('test/a.test.ts')}Unhandled Errors\n`, 0],
    ['a step that names no test', 'Segmentation fault\n', 0],
  ] as const)('refuses %s', (_, printed, again) => {
    const { status, stdout } = run(printed, again)
    expect(status).toBe(1)
    expect(stdout).toMatch(/^FAILED .* tests$/m)
  })
})
