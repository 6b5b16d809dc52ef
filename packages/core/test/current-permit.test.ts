import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { currentPermit, type Permit, permitObject, withPermit } from '../src/current-permit.js'

const TOKEN = 'eyJhbGciOiJFZERTQSJ9.secret.signature'

function aPermit(details: Partial<Permit> = {}): Permit {
  const fields = {
    intentId: 'int_1',
    permitId: 'pmt_1',
    action: 'issue_refund',
    params: { amount: 250 },
    expiresAt: 1,
    approvedBy: ['ann@example.com'],
    ...details,
  } as const
  return permitObject(fields, TOKEN)
}

describe('currentPermit', () => {
  it('is there inside, and nowhere else', () => {
    const permit = aPermit()
    expect([currentPermit(), withPermit(permit, () => currentPermit()), currentPermit()]).toEqual([
      undefined,
      permit,
      undefined,
    ])
  })

  it('is there after every await', async () => {
    const permit = aPermit()
    const seen = await withPermit(permit, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return currentPermit()
    })
    expect(seen).toBe(permit)
  })

  it('is only of the action that is asked for', () => {
    withPermit(aPermit(), () => {
      expect([
        currentPermit({ action: 'issue_refund' })?.permitId,
        currentPermit({ action: 'delete_account' }),
      ]).toEqual(['pmt_1', undefined])
    })
  })

  it('keeps parallel calls apart', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `pmt_${index}` as const)
    const seen = await Promise.all(
      ids.map((permitId) =>
        withPermit(aPermit({ permitId }), async () => {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 3))
          return currentPermit()?.permitId
        }),
      ),
    )
    expect(seen).toEqual(ids)
  })

  it('belongs to the inner one of two', () => {
    const seen = withPermit(aPermit(), () =>
      withPermit(aPermit({ permitId: 'pmt_2' }), () => currentPermit()?.permitId),
    )
    expect(seen).toBe('pmt_2')
  })

  it('is in a generator wherever its next() is entered with it, and not where it is not', () => {
    function* tool(): Generator<string | undefined> {
      yield currentPermit()?.permitId
      yield currentPermit()?.permitId
    }
    const steps = tool()
    const permit = aPermit()
    expect([withPermit(permit, () => steps.next().value), steps.next().value]).toEqual(['pmt_1', undefined])
    const again = tool()
    expect([1, 2].map(() => withPermit(permit, () => again.next().value))).toEqual(['pmt_1', 'pmt_1'])
  })

  it('is shared by two copies of the package', async () => {
    vi.resetModules()
    const copy: typeof import('../src/current-permit.js') = await import('../src/current-permit.js')
    expect(copy.currentPermit).not.toBe(currentPermit)
    expect(withPermit(aPermit(), () => copy.currentPermit()?.permitId)).toBe('pmt_1')
  })
})

describe('a permit', () => {
  it.each<[string, (permit: Permit) => string]>([
    ['JSON', (permit) => JSON.stringify(permit)],
    ['a spread', (permit) => JSON.stringify({ ...permit })],
    ['util.inspect', (permit) => inspect(permit, { depth: 9 })],
    ['util.inspect that shows hidden members', (permit) => inspect(permit, { depth: 9, showHidden: true })],
    ['a template', (permit) => `${permit as unknown as string}`],
    ['a clone', (permit) => JSON.stringify(structuredClone({ ...permit }))],
    ['its keys', (permit) => Object.keys(permit).join()],
    ['an error that names it', (permit) => inspect(new Error('failed', { cause: permit }))],
  ])('has no token in %s', (_, textOf) => {
    expect(textOf(aPermit())).not.toContain('secret')
  })

  it('has its token where it is asked for, and for the backend', () => {
    expect([aPermit().token, aPermit().headers()]).toEqual([TOKEN, { 'silentauth-permit': TOKEN }])
  })

  it('cannot be changed by the tool', () => {
    expect(Object.isFrozen(aPermit())).toBe(true)
  })
})
