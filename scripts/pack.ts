/**
 * `npm run pack`: tarballs of all public packages in `.artifacts/`, for use in other repositories.
 *
 * @module
 */
import path from 'node:path'
import { contentsOf, faultsOf, packAll } from './tarballs.ts'
import { ROOT } from './workspace.ts'

const tarballs = await packAll(path.join(ROOT, '.artifacts'))
for (const tarball of tarballs) {
  const faults = faultsOf(await contentsOf(tarball))
  console.log(path.relative(ROOT, tarball))
  for (const fault of faults) console.log(`  wrong: ${fault}`)
  if (faults.length > 0) process.exitCode = 1
}
console.log(`
They depend on each other, so install in one command all that you need and all that those need:

  npm install ${path.join(ROOT, '.artifacts')}/*.tgz`)
