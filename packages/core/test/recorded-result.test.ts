import { describe, expect, it } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../src/base64url.js'
import { digestOf } from '../src/digest.js'
import { memoryStore } from '../src/memory-store.js'
import { type ResultPlace, resultSealer } from '../src/recorded-result.js'
import { testGate } from '../src/testing.js'
import { anAttempt } from './a-scene.js'

const PLACE: ResultPlace = {
  projectId: 'prj_one',
  intentId: 'int_one',
  executionId: 'execution-1',
  digest: digestOf('"refunded"'),
}
const newKey = () => crypto.getRandomValues(new Uint8Array(32))

describe('the sealer of results', () => {
  it.each([null, 'refunded', { refund: 'rf_1', lines: [1, 2.5, true] }, '\u{1F600}'])(
    'opens what it has sealed: %j',
    async (result) => {
      const sealer = resultSealer(newKey())
      const stored = await sealer.seal(PLACE, 'key_one', result)
      expect(await sealer.open(stored, PLACE)).toEqual({ lineage: 'key_one', result })
    },
  )

  it('shows nothing of it, and seals the same thing differently each time', async () => {
    const sealer = resultSealer(newKey())
    const sealed = await Promise.all([1, 2].map(async () => (await sealer.seal(PLACE, 'key_one', 'refunded')).sealed))
    expect(sealed[0]).not.toBe(sealed[1])
    expect(Buffer.from(sealed[0]?.split('.')[2] ?? '', 'base64url').toString('latin1')).not.toMatch(/refunded|key_one/)
  })

  it.each<[string, Partial<ResultPlace>]>([
    ['another project', { projectId: 'prj_two' }],
    ['another intent', { intentId: 'int_two' }],
    ['another execution', { executionId: 'execution-2' }],
    ['another result', { digest: digestOf('"another"') }],
  ])('opens nothing that was sealed for %s', async (_, other) => {
    const sealer = resultSealer(newKey())
    const stored = await sealer.seal({ ...PLACE, ...other }, 'key_one', 'refunded')
    await expect(sealer.open(stored, PLACE)).rejects.toMatchObject({ code: 'RESULT_UNREADABLE', intentId: 'int_one' })
  })

  it('opens nothing of which a byte was changed, wherever it is', async () => {
    const sealer = resultSealer(newKey())
    const stored = await sealer.seal(PLACE, 'key_one', 'refunded')
    const [version, kid, text = ''] = stored.sealed.split('.')
    const bytes = decodeBase64url(text) ?? expect.fail()
    for (let place = 0; place < bytes.length; place++) {
      const altered = new Uint8Array(bytes)
      altered[place] = (altered[place] ?? 0) ^ 1
      const sealed = `${version}.${kid}.${encodeBase64url(altered)}`
      await expect(sealer.open({ ...stored, sealed }, PLACE)).rejects.toMatchObject({ code: 'RESULT_UNREADABLE' })
    }
  })

  it.each<[string, (sealed: string) => string]>([
    ['empty', () => ''],
    ['cut off', (sealed) => sealed.slice(0, -4)],
    ['cut down to its nonce', (sealed) => sealed.slice(0, sealed.lastIndexOf('.') + 17)],
    ['of another version', (sealed) => `2${sealed.slice(1)}`],
    ['in clear', () => '"refunded"'],
  ])('opens nothing that is %s', async (_, change) => {
    const sealer = resultSealer(newKey())
    const stored = await sealer.seal(PLACE, 'key_one', 'refunded')
    const altered = { ...stored, sealed: change(stored.sealed) }
    await expect(sealer.open(altered, PLACE)).rejects.toMatchObject({ code: 'RESULT_UNREADABLE' })
  })

  it('opens nothing of another key', async () => {
    const stored = await resultSealer(newKey()).seal(PLACE, 'key_one', 'refunded')
    await expect(resultSealer(newKey()).open(stored, PLACE)).rejects.toMatchObject({ code: 'RESULT_UNREADABLE' })
  })

  it('is not moved by who changes the key afterwards', async () => {
    const key = newKey()
    const sealer = resultSealer(key)
    const stored = await sealer.seal(PLACE, 'key_one', 'refunded')
    key.fill(0)
    expect((await sealer.open(stored, PLACE)).result).toBe('refunded')
  })

  it.each([0, 16, 31, 33, 64])('takes no key of %i bytes', (bytes) => {
    expect(() => resultSealer(new Uint8Array(bytes))).toThrow(TypeError)
  })
})

describe('a report', () => {
  async function started(resultKey: Uint8Array | false) {
    const test = await testGate({ store: memoryStore(), resultKey })
    const { id } = await test.gate.declare({ action: 'issue_refund', params: { amount: 250 } })
    const { intentHash } = await test.local.desk.read(test.approver, id)
    await test.local.desk.vote(test.approver, id, { verdict: 'approve', intentHash })
    const attempt = anAttempt()
    await test.gate.claim(id, attempt)
    return { test, id, attempt }
  }

  it('that brings a result is refused by a gate without a key for it, which keeps nothing', async () => {
    const { test, id, attempt } = await started(false)
    await using _ = test
    const report = test.gate.report(id, attempt, { status: 'succeeded', result: 'refunded' })
    await expect(report).rejects.toMatchObject({ code: 'INVALID_FIELD', field: 'result', intentId: id })
    expect(await test.store.recordedResult(test.project.id, id)).toBeUndefined()
    expect((await test.gate.read(id)).execution.state).toBe('started')
    await test.gate.report(id, attempt, { status: 'succeeded' })
    expect(await test.gate.claim(id, attempt)).toEqual({
      type: 'recorded',
      outcome: { status: 'succeeded', resultRecorded: false },
    })
  })

  it('of a failure records nothing', async () => {
    const { test, id, attempt } = await started(newKey())
    await using _ = test
    await test.gate.report(id, attempt, { status: 'failed', result: 'refunded' } as never)
    expect(await test.store.recordedResult(test.project.id, id)).toBeUndefined()
  })
})
