import { describe, expect, it, vi } from 'vitest'
import { aKey, aPermit, ISSUER, PARAMS } from './a-permit.js'
import { data, refusal, type Step, scriptedServer } from './scripted-server.js'

const key = await aKey()
const pinned = { profile: 'v1', issuer: ISSUER, keys: { keys: [key.jwk] } } as const
const expected = { action: 'issue_refund', params: PARAMS }
const claims = {
  jti: 'pmt_7',
  exp: 1_773_662_700,
  action: 'issue_refund',
  intent_id: 'int_7',
  approved_by: ['a@x', 'b@x'],
}

describe('a report on a permit', () => {
  it('says what it says, in both spellings', async () => {
    await using server = await scriptedServer([])
    const report = await server.client(pinned).validatePermit(await aPermit(key), expected)
    expect(report).toMatchObject({
      valid: true,
      error: undefined,
      action: 'issue_refund',
      permitId: 'pmt_7',
      intentId: 'int_7',
      approvedBy: undefined,
      expiresAt: expect.stringMatching(/^\d{4}-.*Z$/),
      bound: { action: true, params: true, audience: false },
      revocationChecked: false,
      singleUse: 'off',
    })
    expect([report.permit_id, report.revocation_checked, report.expires_at]).toEqual(['pmt_7', false, report.expiresAt])
  })

  it('asks nobody', async () => {
    await using server = await scriptedServer([])
    await server.client(pinned).validatePermit(await aPermit(key), expected)
    expect(server.seen).toHaveLength(0)
  })

  it.each<[string, string, () => Promise<string>, object]>([
    ['other params', 'PERMIT_PARAMS', () => aPermit(key), { ...expected, params: { ...PARAMS, amount: 2500 } }],
    ['another action', 'PERMIT_ACTION', () => aPermit(key), { ...expected, action: 'close_account' }],
    ['another audience', 'PERMIT_AUDIENCE', () => aPermit(key), { ...expected, audience: 'urn:payments' }],
    ['params that are no JSON', 'PARAMS_NOT_CANONICAL', () => aPermit(key), { ...expected, params: new Map() }],
    ['a stranger', 'PERMIT_KID_UNKNOWN', async () => aPermit(await aKey()), expected],
    ['nothing', 'PERMIT_MALFORMED', async () => '', expected],
    [
      'the past',
      'PERMIT_EXPIRED',
      () => {
        const iat = Math.floor(Date.now() / 1000) - 1000
        return aPermit(key, { iat, exp: iat + 300 })
      },
      expected,
    ],
  ])('refuses one of %s, and says nothing of it', async (_, error, token, options) => {
    await using server = await scriptedServer([])
    await expect(server.client(pinned).validatePermit(await token(), options)).resolves.toMatchObject({
      valid: false,
      error,
      hint: expect.any(String),
      action: undefined,
      approvedBy: undefined,
      permitId: undefined,
    })
  })

  it('warns once when nothing is compared', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    await using server = await scriptedServer([])
    const client = server.client(pinned)
    await client.validatePermit(await aPermit(key))
    await client.validatePermit(await aPermit(key))
    await client.validatePermit(await aPermit(key), { action: 'issue_refund' })
    const warnings = warn.mock.calls.length
    warn.mockRestore()
    expect(warnings).toBe(1)
  })

  it('says that the keys are not pinned', async () => {
    await using server = await scriptedServer([])
    const client = server.client({ profile: 'v1', dataFolder: undefined })
    await expect(client.validatePermit(await aPermit(key), expected)).resolves.toMatchObject({
      valid: false,
      error: 'GATE_UNAVAILABLE',
      message: expect.stringContaining('pinned'),
    })
    expect(server.seen).toHaveLength(0)
  })
})

describe('a report that the gate was asked for', () => {
  it('says so', async () => {
    await using server = await scriptedServer([data({ claims })])
    const report = await server.client(pinned).validatePermit(await aPermit(key), { ...expected, online: true })
    expect(report).toMatchObject({ valid: true, revocationChecked: true, approvedBy: 'a@x, b@x' })
    expect(server.seen).toMatchObject([
      {
        line: 'POST /api/permits/verify',
        body: {
          token: expect.stringMatching(/^eyJ/),
          action: 'issue_refund',
          parameters: PARAMS,
          audience: 'urn:silentauth:prj_test:issue_refund',
        },
      },
    ])
  })

  it('names the audience of the permit, which a policy may have set', async () => {
    await using server = await scriptedServer([data({ claims })])
    const token = await aPermit(key, { aud: 'urn:payments' })
    await server.client(pinned).validatePermit(token, { ...expected, online: true })
    expect(server.seen[0]?.body.audience).toBe('urn:payments')
  })

  it.each<[string, Step, string]>([
    ['revoked it', refusal(403, 'PERMIT_REVOKED'), 'PERMIT_REVOKED'],
    ['takes no questions from this key', refusal(403, 'FORBIDDEN'), 'FORBIDDEN'],
    ['says something else', data({}), 'GATE_UNAVAILABLE'],
    ['is away', 'lost', 'GATE_UNAVAILABLE'],
  ])('refuses the permit when the gate %s', async (_, step, error) => {
    await using server = await scriptedServer([step])
    const client = server.client({ ...pinned, retryForMs: 10 })
    await expect(client.validatePermit(await aPermit(key), { ...expected, online: true })).resolves.toMatchObject({
      valid: false,
      error,
      revocationChecked: false,
    })
  })

  it('is not asked for a permit that does not verify here', async () => {
    await using server = await scriptedServer([data({ claims })])
    const token = await aPermit(await aKey())
    await expect(server.client(pinned).validatePermit(token, { ...expected, online: true })).resolves.toMatchObject({
      error: 'PERMIT_KID_UNKNOWN',
    })
    expect(server.seen).toHaveLength(0)
  })

  it('is asked for in an hs256 project, where this side has no keys', async () => {
    await using server = await scriptedServer([data({ claims })])
    await expect(server.client().validatePermit('a.b.c', expected)).resolves.toMatchObject({
      valid: true,
      revocationChecked: true,
    })
  })

  it.each<[string, object]>([
    ['params', { action: 'issue_refund', online: true }],
    ['action', { params: PARAMS, online: true }],
  ])('is a mistake without %s, which the gate compares', async (_, options) => {
    await using server = await scriptedServer([])
    await expect(server.client(pinned).validatePermit(await aPermit(key), options)).rejects.toThrow(TypeError)
  })

  it('ends for the reason of its signal', async () => {
    await using server = await scriptedServer(['silent'])
    const caller = new AbortController()
    const token = await aPermit(key)
    const report = server.client(pinned).validatePermit(token, { ...expected, online: true, signal: caller.signal })
    await server.received(1)
    caller.abort('enough')
    await expect(report).rejects.toBe('enough')
  })
})
