import { knownContext } from '@silentauth/core'
import { expect, it } from 'vitest'

it('says what is known, and nothing of the rest', () => {
  expect(knownContext({ tool: 'refund', tool_call_id: undefined, model: '', reasoning: 'because' })).toEqual({
    tool: 'refund',
    reasoning: 'because',
  })
})

it('ends long texts, and keeps what every store can keep', () => {
  const { reasoning } = knownContext({ tool: 'refund', reasoning: `\0${'x'.repeat(3998)}\u{1F4B8}` })
  expect(reasoning).toBe(`${'x'.repeat(3998)}\uFFFD`)
})
