import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ROOT } from '../scripts/workspace.ts'

/** Read in one go by somebody who has never seen it. */
const SHORT = 62

const manifests = globSync('examples/*/package.json', { cwd: ROOT }).map((file) => {
  const { scripts = {} } = JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as { scripts?: { start?: string } }
  return { folder: path.dirname(file), start: scripts.start }
})
const started = manifests.flatMap(({ folder, start = '' }) => {
  const [, file] = /node (\S+\.ts)$/.exec(start) ?? []
  return file === undefined ? [] : [{ folder, file }]
})
/** Of the browser, where an example is a page. */
const tests = globSync(['examples/*/*.test.ts', 'test/browser/*.test.ts'], { cwd: ROOT }).map((file) => ({
  file,
  text: readFileSync(path.join(ROOT, file), 'utf8'),
}))

describe('an example', () => {
  // The demo is a command of the repository.
  it.each(manifests.filter(({ folder }) => folder !== 'examples/demo'))(
    'is started by `pnpm start`: $folder',
    ({ start }) => {
      expect(start).toMatch(/^(vite build && )?node \S+\.ts$|^vitest run$/)
    },
  )

  it.each(started)('is a file that is there, and short: $folder/$file', ({ folder, file }) => {
    const program = path.join(ROOT, folder, file)
    expect(existsSync(program)).toBe(true)
    expect(readFileSync(program, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(SHORT)
  })

  it.each(manifests.filter(({ folder }) => folder !== 'examples/demo'))('is run by a test: $folder', ({ folder }) => {
    const its = tests.filter(({ file, text }) => path.dirname(file) === folder || text.includes(folder))
    expect(its).not.toEqual([])
  })
})
