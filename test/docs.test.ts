import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ERROR_HINT, ERROR_STATUS, RISK_FACTORS } from '@silentauth/core'
import { adapterMatrix } from '@silentauth/core/contracts'
import { describe, expect, it } from 'vitest'
import { type Core, fillBlocks, generatedDocs, openApiOfServer } from '../scripts/generate-docs.ts'
import { ADAPTERS } from '../scripts/matrix.ts'
import { ROOT } from '../scripts/workspace.ts'

const core: Core = {
  ERROR_STATUS,
  ERROR_HINT,
  RISK_FACTORS,
  openApi: await openApiOfServer(),
  matrix: adapterMatrix(ADAPTERS),
}

describe('the documentation', () => {
  it.each([...generatedDocs(core)])('%s says what the code says (else: npm run docs)', (file, text) => {
    expect(readFileSync(path.join(ROOT, file), 'utf8')).toBe(text)
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
