import { type JsonObject, snapshot } from '@silentauth/core'
import { describe, expect, it } from 'vitest'
import { paramsDifference } from '../src/params-difference.js'

const approved = { customer_id: 'cust_4821', amount: 250, express: true }

describe('the difference between params and the approved digest', () => {
  it.each<[string, JsonObject, string[]]>([
    ['a member too many', { ...approved, note: 'secret' }, ['"note" was not approved']],
    ['a number as text', { ...approved, amount: '250' }, ['"amount" is a text, approved was a number']],
    ['a boolean as text', { ...approved, express: 'true' }, ['"express" is a text, approved was a boolean']],
    [
      'everything as text',
      { customer_id: 'cust_4821', amount: '250', express: 'true' },
      ['"amount" is a text, approved was a number', '"express" is a text, approved was a boolean'],
    ],
    [
      'another spelling of a name',
      { customerId: 'cust_4821', amount: 250, express: true },
      ['"customerId" was approved as "customer_id"'],
    ],
    ['another value', { ...approved, amount: 2500 }, []],
    ['a missing member', { amount: 250 }, []],
  ])('of %s', (_, params, says) => {
    expect(paramsDifference(params, snapshot(approved).digest)).toEqual(says)
  })

  it('of a text that was approved, and a number that came', () => {
    expect(paramsDifference({ zip: 12345 }, snapshot({ zip: '12345' }).digest)).toEqual([
      '"zip" is a number, approved was a text',
    ])
  })

  it('is not looked for in large params', () => {
    const params = Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`m${n}`, n]))
    expect(paramsDifference({ ...params, note: 1 }, snapshot(params).digest)).toEqual([])
  })
})
