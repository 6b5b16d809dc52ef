/**
 * Runs every benchmark of this folder, one after the other, each in a process of its own. Each also runs alone:
 * `node test/bench/guard.ts`, after a build.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import path from 'node:path'

const FOLDER = import.meta.dirname
/** Beside this file: what others import, and what another one starts. */
const NO_BENCHMARK = /^run\.ts$|\.worker\.ts$/

const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.ts') && !NO_BENCHMARK.test(file)).sort()
let failed = 0
for (const file of files) {
  console.log(`\n${file}`)
  const child = spawn(process.execPath, ['--expose-gc', path.join(FOLDER, file)], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) {
    failed++
    console.error(`${file} ended with ${code ?? 'a signal'}`)
  }
}
process.exitCode = failed > 0 ? 1 : 0
