/**
 * `npm run pubcheck`: packs every public package as it would be published, and checks the tarballs: our own rules, then
 * publint (strict) and arethetypeswrong.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { contentsOf, faultsOf, packAll } from './tarballs.ts'

/** Everything is ESM; Node since 22.12 can `require()` it, so the resolutions of older ones are left out. */
const CHECKS = [
  ['publint', '--strict'],
  ['attw', '--profile', 'esm-only'],
] as const

const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-pubcheck-'))
try {
  for (const tarball of await packAll(path.join(folder, 'tarballs'))) {
    const own = faultsOf(await contentsOf(tarball)).map((fault) => `wrong: ${fault}`)
    const others = await Promise.all(CHECKS.map(([command, ...args]) => complaintsOf(command, [tarball, ...args])))
    const complaints = [...own, ...others.flat()]
    console.log(`${complaints.length === 0 ? 'ok    ' : 'FAILED'} ${path.basename(tarball)}`)
    for (const complaint of complaints) console.log(complaint)
    if (complaints.length > 0) process.exitCode = 1
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** What a command printed, if it failed. */
function complaintsOf(command: string, args: string[]): Promise<string[]> {
  return new Promise((resolve) => {
    execFile(command, args, (error, stdout, stderr) => {
      resolve(error ? [`${command}: ${error.code}`, `${stdout}${stderr}`.trim()] : [])
    })
  })
}
