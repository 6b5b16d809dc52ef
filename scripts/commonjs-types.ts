/**
 * Declarations for the CommonJS build of the package in the working directory: the same as those of the ES modules, under
 * the names that `require` looks for.
 *
 * @module
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

const folder = path.resolve('dist')
for (const file of await readdir(folder)) {
  if (!file.endsWith('.d.ts')) continue
  const text = await readFile(path.join(folder, file), 'utf8')
  const renamed = text
    .replaceAll(/(from '\.\/[^']+)\.js'/g, "$1.cjs'")
    .replaceAll(/(import\("\.\/[^"]+)\.js"/g, '$1.cjs"')
  await writeFile(path.join(folder, file.replace(/\.d\.ts$/, '.d.cts')), renamed)
}
