import { ERROR_HINT, SilentAuthError } from '@silentauth/core'
import { describe, expect, it } from 'vitest'
import { explain } from '../src/explain.ts'
import { messages } from '../src/messages.ts'

describe('explain', () => {
  it('has a sentence of its own for what a person meets often', () => {
    expect(explain(new SilentAuthError('ALREADY_VOTED', 'this person has voted'))).toEqual([
      messages.error.ALREADY_VOTED,
    ])
  })

  it('else says what the gate said, and what to do', () => {
    expect(explain(new SilentAuthError('ASSURANCE_REQUIRED', 'int_4821: votes through cli do not count'))).toEqual([
      'Votes through cli do not count.',
      ERROR_HINT.ASSURANCE_REQUIRED,
    ])
  })

  it('does not repeat what something else threw', () => {
    expect(explain(new Error('at line 5'))).toEqual([messages.error.lead])
  })
})
