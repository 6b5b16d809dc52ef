/**
 * Builds the pages as they are shipped, into a folder of the caller: a test must not pass on what an older build left behind.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

export async function buildPages(folder: string): Promise<void> {
  const vite = path.join(path.dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin', 'vite.js')
  await promisify(execFile)(process.execPath, [vite, 'build', '--outDir', folder, '--emptyOutDir'], {
    cwd: ROOT,
    // A test runner calls itself `test`, and React would be built for development.
    env: { ...process.env, NODE_ENV: 'production' },
  })
}
