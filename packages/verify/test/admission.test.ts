import { SilentAuthError } from '@silentauth/core'
import { describe, expect, it } from 'vitest'
import { admit, checkRequirement, keepPermit, permitOf, refusalAnswer } from '../src/admission.js'
import { ACTION, aKey, aPermit, PARAMS, verifierFor } from './a-permit.js'

describe('the answer to a refused request', () => {
  it('has code, message and hint', () => {
    const error = new SilentAuthError('PERMIT_PARAMS', 'the permit is for other params')
    expect(refusalAnswer(error)).toMatchObject({
      status: 403,
      body: { data: null, error: { code: 'PERMIT_PARAMS', message: error.message, hint: error.hint } },
    })
  })

  it('says when to come back', () => {
    const error = new SilentAuthError('RATE_LIMITED', 'full', { retryAfterSeconds: 1.2 })
    expect(refusalAnswer(error)?.headers['retry-after']).toBe('2')
  })

  it('never holds the cause', () => {
    const error = new SilentAuthError('DB_ERROR', 'int_1', { cause: new Error('password=hunter2') })
    expect(JSON.stringify(refusalAnswer(error))).not.toContain('hunter2')
  })

  it('is none for a fault of the backend', () => {
    expect(refusalAnswer(new RangeError('a mistake'))).toBeUndefined()
  })
})

describe('a route that knows who calls', async () => {
  const key = await aKey()
  const aRequest = async (subject: (input: string) => unknown) => {
    const verifier = verifierFor(key)
    const headers = new Headers({ 'silentauth-permit': await aPermit(key, PARAMS, { sub: 'agent:agt_7' }) })
    const requirement = { verifier, action: ACTION, params: () => PARAMS, subject: subject as () => string }
    return admit(requirement, { headers, body: undefined, input: 'agt_7' })
  }

  it('admits the one that the permit names', async () => {
    await expect(aRequest((caller) => `agent:${caller}`)).resolves.toMatchObject({ action: ACTION })
  })

  it('refuses everybody else', async () => {
    await expect(aRequest(() => 'agent:agt_8')).rejects.toMatchObject({ code: 'PERMIT_CLAIMS' })
  })

  it.each([undefined, '', 7])('compares always, also when nobody is known: %j', async (nobody) => {
    await expect(aRequest(() => nobody)).rejects.toThrow(TypeError)
  })

  it('is told at start that it must be a function', () => {
    const verifier = { verify: () => undefined } as never
    const requirement = { verifier, action: ACTION, params: () => PARAMS, subject: 'agent:agt_7' as never }
    expect(() => checkRequirement(requirement)).toThrow(TypeError)
  })
})

describe('permitOf', async () => {
  const key = await aKey()
  const verifier = verifierFor(key)
  const permit = await verifier.verify(await aPermit(key), { action: ACTION, params: PARAMS })

  it('gives what was admitted for the request', () => {
    const request = {}
    keepPermit(request, permit)
    expect(permitOf(request, ACTION)).toBe(permit)
  })

  it.each([
    ['nothing was admitted', {}, ACTION],
    ['only something that looks like it is there', { permit }, ACTION],
    ['something else was admitted', kept(permit), 'close_account'],
  ])('throws when %s', (_, request, action) => {
    expect(() => permitOf(request, action)).toThrow(TypeError)
  })
})

function kept(permit: Parameters<typeof keepPermit>[1]): object {
  const request = {}
  keepPermit(request, permit)
  return request
}
