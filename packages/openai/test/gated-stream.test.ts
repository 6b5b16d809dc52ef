import { setTracingDisabled } from '@openai/agents'
import { SilentAuthError } from '@silentauth/core'
import { scriptedGate } from '@silentauth/core/testing'
import { type GatedStreamEvent, type SuspendedRun, streamWithGate } from '@silentauth/openai/agents'
import { expect, it, vi } from 'vitest'
import { notices, withNotices } from '../src/gated-stream.ts'
import { aKey, gateWith, refundScene } from './refund-scene.ts'

setTracingDisabled(true)

const late = () => Promise.reject(new SilentAuthError('WAIT_TIMEOUT', 'no decision yet'))
const link = expect.stringContaining('/inbox/int_')

/** The events of the gate; the first time that the stream says that it still waits, a person approves. */
async function played(wait: 'hold' | 'suspend', onPending?: 'wait') {
  const gate = scriptedGate(['wait'])
  let waits = 0
  const slow = gateWith(gate, { wait: (...args) => (waits++ === 0 ? late() : gate.wait(...args)) })
  const { agent, execute } = refundScene(slow, { options: { wait } })
  const stream = streamWithGate(agent(), 'hi', { gate: slow, envelopeKeys: [aKey()], onPending })
  const events: Exclude<GatedStreamEvent, { type: 'raw_model_stream_event' }>[] = []
  for await (const event of stream) {
    if (event.type.startsWith('gate_')) events.push(event as never)
    if (event.type === 'gate_waiting') await gate.decide('approve')
  }
  return { gate, events, execute, outcome: await stream.outcome }
}

it.each([
  ['hold', undefined],
  ['suspend', 'wait'],
] as const)('a long wait says that it waits, for what, and where to decide (%s)', async (wait, onPending) => {
  const { gate, events, execute, outcome } = await played(wait, onPending)
  const call = { tool: 'issue_refund', callId: 'c1', intentId: gate.intents[0]?.id, approvalUrl: link }
  expect(events).toMatchObject([
    { type: 'gate_pending', pending: [call] },
    { type: 'gate_waiting', call, votes: 0, votesRequired: 1 },
    { type: 'gate_decided', call },
  ])
  expect(outcome).toMatchObject({ status: 'completed', result: { finalOutput: 'done' } })
  expect(execute).toHaveBeenCalledOnce()
})

it('a run that is suspended says so, and how to go on', async () => {
  const gate = scriptedGate(['wait'])
  const { agent } = refundScene(gate, { options: { wait: 'suspend' } })
  const stream = streamWithGate(agent(), 'hi', { gate, envelopeKeys: [aKey()] })
  const types: string[] = []
  for await (const event of stream) types.push(event.type)
  expect(types.filter((type) => type.startsWith('gate_'))).toEqual(['gate_pending'])
  expect(await stream.outcome).toMatchObject({
    status: 'suspended',
    suspended: { resume: expect.stringContaining('runWithGate'), pending: [{ approvalUrl: link }] },
  })
})

it('a process that waits goes on waiting while the gate is away', async () => {
  const gate = scriptedGate(['wait'])
  let isAway = true
  const shaky = gateWith(gate, {
    async wait(...args) {
      if (!isAway) return gate.wait(...args)
      isAway = false
      throw new SilentAuthError('GATE_UNAVAILABLE', 'the gate is away')
    },
  })
  const { play, execute } = refundScene(shaky, { options: { wait: 'suspend' } })
  const played = play()
  await vi.waitUntil(() => !isAway)
  await gate.decide('approve')
  expect(await played).toBe('done')
  expect(execute).toHaveBeenCalledOnce()
})

it('an abort ends the wait with its reason, and nothing runs', async () => {
  const gate = scriptedGate(['wait'])
  const { go, execute } = refundScene(gate, { options: { wait: 'suspend' } })
  const leaving = new AbortController()
  const ran = go('hi', { onPending: 'wait', run: { signal: leaving.signal } })
  await vi.waitUntil(() => gate.intents.length > 0)
  leaving.abort(new RangeError('of the caller'))
  await expect(ran).rejects.toThrow()
  expect(execute).not.toHaveBeenCalled()
})

it('events of two sources come in their order, and none is lost when the stream ends first', async () => {
  const queue = notices()
  const decided = (callId: string) => ({ type: 'gate_decided', call: { tool: 't', callId, action: 't' } }) as const
  async function* stream() {
    yield 'one'
    queue.push(decided('a'))
    queue.push(decided('b'))
    yield 'two'
    queue.push(decided('c'))
  }
  const seen: unknown[] = []
  for await (const event of withNotices(stream(), queue)) {
    seen.push(typeof event === 'string' ? event : event.type === 'gate_decided' && event.call.callId)
  }
  expect(seen).toEqual(['one', 'a', 'b', 'two', 'c'])
})

it('a reader who leaves ends the stream', async () => {
  const ended = vi.fn()
  async function* stream() {
    try {
      for (;;) yield 'one'
    } finally {
      ended()
    }
  }
  for await (const _ of withNotices(stream(), notices())) break
  expect(ended).toHaveBeenCalledOnce()
})

it('a stream that nobody reads on is given up with its run: what is held is cancelled, and never runs', async () => {
  const gate = scriptedGate(['wait'])
  const { agent, execute } = refundScene(gate)
  const stream = streamWithGate(agent(), 'hi', { gate, envelopeKeys: [aKey()] })
  for await (const { type } of stream) if (type === 'gate_pending') break
  await expect(stream.outcome).rejects.toMatchObject({ name: 'AbortError' })
  await vi.waitUntil(async () => (await gate.read(gate.intents[0]?.id as never)).status === 'cancelled')
  expect(execute).not.toHaveBeenCalled()
})

it('a stream that is left where it says that its run waits gives the suspended run all the same', async () => {
  const gate = scriptedGate(['wait'])
  const { agent, execute, go } = refundScene(gate, { options: { wait: 'suspend' } })
  const envelopeKeys = [aKey()]
  const stream = streamWithGate(agent(), 'hi', { gate, envelopeKeys })
  for await (const { type } of stream) if (type === 'gate_pending') break
  const { suspended } = (await stream.outcome) as { suspended: SuspendedRun }
  await gate.decide('approve')
  expect(await go(suspended, { envelopeKeys })).toMatchObject({ status: 'completed' })
  expect(execute).toHaveBeenCalledOnce()
})
