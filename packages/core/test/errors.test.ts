import { describe, expect, it } from 'vitest'
import { SilentAuthError } from '../src/index.ts'

describe('an error as JSON, as frameworks keep the errors of tools', () => {
  const error = new SilentAuthError('PERMIT_PARAMS', 'int_1: other params', {
    intentId: 'int_1',
    cause: new Error('amount 250 of cust_4821'),
  })

  it('says what it is and what to do, and not only that there was one', () => {
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'SilentAuthError',
      code: 'PERMIT_PARAMS',
      message: 'PERMIT_PARAMS: int_1: other params',
      hint: error.hint,
      intentId: 'int_1',
    })
  })

  it('does not tell its cause, which may hold params', () => {
    expect(JSON.stringify(error)).not.toContain('cust_4821')
  })
})
