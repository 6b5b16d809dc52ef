import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { ERROR_HINT, ERROR_STATUS, RISK_FACTORS } from '@silentauth/core'
import { adapterTables } from '@silentauth/core/contracts'
import { describe, expect, it } from 'vitest'
import { type Core, fillBlocks, generatedDocs, openApiOfServer } from '../scripts/generate-docs.ts'
import { ADAPTERS } from '../scripts/matrix.ts'
import { ROOT } from '../scripts/workspace.ts'

const core: Core = {
  ERROR_STATUS,
  ERROR_HINT,
  RISK_FACTORS,
  openApi: await openApiOfServer(),
  matrix: adapterTables(ADAPTERS),
}

const PAGES = globSync(['*.md', 'docs/**/*.md', 'examples/*.md', '{packages,examples}/*/*.md'], { cwd: ROOT })

describe('the documentation', () => {
  it.each([...generatedDocs(core)])('%s says what the code says (else: npm run docs)', (file, text) => {
    expect(readFileSync(path.join(ROOT, file), 'utf8')).toBe(text)
  })

  it.each(PAGES)('%s links only to files that are there', (page) => {
    const text = readFileSync(path.join(ROOT, page), 'utf8')
    const links = [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, link]) => link as string)
    const broken = links.filter((link) => !existsSync(path.join(ROOT, path.dirname(page), link)))
    expect(broken).toEqual([])
  })

  it.each(PAGES)('%s links only to headings that are there', (page) => {
    const text = readFileSync(path.join(ROOT, page), 'utf8')
    const links = [...text.matchAll(/\]\((?![a-z]+:)([^)#\s]*\.md)?#([^)\s]+)\)/g)]
    const broken = links.filter(([, file, anchor = '']) => {
      const target = file === undefined ? page : path.join(path.dirname(page), file)
      return !anchorsOf(readFileSync(path.join(ROOT, target), 'utf8')).includes(anchor)
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })

  it('numbers its decisions in one row, and their titles say the number', () => {
    const decisions = PAGES.filter((page) => page.startsWith('docs/decisions/')).sort()
    expect(decisions.map((page) => path.basename(page).slice(0, 4))).toEqual(
      decisions.map((_, index) => String(index + 1).padStart(4, '0')),
    )
    const untitled = decisions.filter(
      (page) => !readFileSync(path.join(ROOT, page), 'utf8').startsWith(`# ${path.basename(page).slice(0, 4)}: `),
    )
    expect(untitled).toEqual([])
  })
})

describe('a marked block', () => {
  it('holds only the codes that it names', () => {
    const page = 'before\n<!-- errors:start PERMIT_EX* NOT_FOUND -->\nold\n<!-- errors:end -->\nafter\n'
    const filled = fillBlocks('page.md', page, core) ?? ''
    expect([...filled.matchAll(/^\| `(\w+)` \| (\S+) \|/gm)].map(([, code, status]) => `${code} ${status}`)).toEqual([
      'NOT_FOUND 404',
      'PERMIT_EXPIRED 403',
    ])
  })

  it('stays as it is when it is filled again', () => {
    const once = fillBlocks('page.md', '<!-- errors:start -->\n<!-- errors:end -->\n', core) ?? ''
    expect(fillBlocks('page.md', once, core)).toBe(once)
  })

  it.each([
    ['names a code that does not exist', '<!-- errors:start NO_SUCH -->\n<!-- errors:end -->'],
    ['is of an unknown kind', '<!-- gadgets:start -->\n<!-- gadgets:end -->'],
    ['is never closed', '<!-- errors:start -->\n'],
  ])('is refused when it %s', (_, page) => {
    expect(() => fillBlocks('page.md', page, core)).toThrow()
  })

  it('is not needed', () => {
    expect(fillBlocks('page.md', 'text', core)).toBeUndefined()
  })
})

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  const headings = text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )
}
