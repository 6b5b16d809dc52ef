import { leafHash } from '@silentauth/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test[Symbol.asyncDispose]())

describe('GET /api/audit', () => {
  it('gives the leaves in their order, each as it was hashed', async () => {
    test = await testApp()
    const { id } = await test.declare()
    await test.approve(id)
    const { headers } = await test.signIn({ roles: ['auditor'] })
    const { json } = await test.ask('GET', '/api/audit?limit=100', { headers })
    const leaves: { sequence: number; body: string; hash: string; intent_id: string | null }[] = json.data
    expect(leaves.map(({ sequence }) => sequence)).toEqual(leaves.map((_, index) => index))
    expect(leaves.every(({ body, hash }) => leafHash(body) === hash)).toBe(true)
    const events = leaves.filter((leaf) => leaf.intent_id === id).flatMap(({ body }) => JSON.parse(body).events)
    expect(events.map(({ type }) => type)).toEqual(['intent.created', 'approval.recorded', 'intent.approved'])
  })

  it('gives pages until there is nothing more', async () => {
    test = await testApp()
    const { headers } = await test.signIn({ roles: ['owner'] })
    const sequences: number[] = []
    let cursor: string | null = '0'
    for (let page = 0; page < 20 && cursor !== null; page++) {
      const { json } = await test.ask('GET', `/api/audit?limit=2&cursor=${cursor}`, { headers })
      sequences.push(...json.data.map(({ sequence }: { sequence: number }) => sequence))
      cursor = json.next_cursor
    }
    expect([cursor, sequences]).toEqual([null, sequences.map((_, index) => index)])
    expect(sequences.length).toBeGreaterThan(3)
  })

  it('holds values as commitments only', async () => {
    test = await testApp()
    await test.declare({ parameters: { note: 'correct horse' } })
    const { headers } = await test.signIn({ roles: ['auditor'] })
    const { text } = await test.ask('GET', '/api/audit?limit=100', { headers })
    expect([text.includes('hmac-sha-256'), text.includes('horse')]).toEqual([true, false])
  })

  it.each(['cursor=-1', 'cursor=x', 'cursor=1e3', 'limit=101'])('refuses %s', async (query) => {
    test = await testApp()
    const { headers } = await test.signIn({ roles: ['owner'] })
    expect((await test.ask('GET', `/api/audit?${query}`, { headers })).code).toBe('INVALID_FIELD')
  })
})
