import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../src/canonical-json.js'
import { type ApprovalStatement, confirmationText, intentHash, statementDigest, type View } from '../src/view.js'
import { aScene } from './a-scene.js'

interface Vector<Value> {
  name: string
  value: Value
  canonical: string
  digest: string
}
const vectors = JSON.parse(readFileSync(new URL('../../../test/vectors/views.json', import.meta.url), 'utf8')) as {
  views: Vector<View>[]
  statements: Vector<ApprovalStatement>[]
  confirmations: { action: string; params_digest: View['params_digest']; text: string }[]
}

describe('the vectors', () => {
  it.each(vectors.views)('hash the view with $name', ({ value, canonical, digest }) => {
    expect([canonicalJson(value), intentHash(value)]).toEqual([canonical, digest])
  })

  it.each(vectors.statements)('digest $name', ({ value, canonical, digest }) => {
    expect([canonicalJson(value), statementDigest(value)]).toEqual([canonical, digest])
  })

  it.each(vectors.confirmations)('confirm with $text', ({ text, ...view }) => {
    expect(confirmationText(view)).toBe(text)
  })

  it('have no two equal digests', () => {
    const digests = [...vectors.views, ...vectors.statements].map(({ digest }) => digest)
    expect(new Set(digests).size).toBe(digests.length)
  })
})

describe('a view', () => {
  const { view, intentHash: hash } = aScene().declare({ params: { amount: 250, note: 'a' } }).declaration

  it('has the members of the vectors, and no others', () => {
    expect(Object.keys(view).sort()).toEqual(Object.keys(vectors.views[0]?.value ?? {}).sort())
  })

  it.each(Object.keys(view).filter((name) => name !== 'type' && name !== 'v') as (keyof View)[])(
    'cannot differ in %s and have the same hash',
    (name) => {
      expect(intentHash({ ...view, [name]: 'something else' } as View)).not.toBe(hash)
    },
  )

  it('gives instants with milliseconds and absent members as null', () => {
    expect([view.expires_at, view.policy, view.supersedes]).toEqual(['2026-01-05T13:00:00.000Z', null, null])
  })
})
