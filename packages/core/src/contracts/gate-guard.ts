/**
 * The contract of gates: a guarded tool, from its call to its report.
 *
 * @module
 */
import { expect, vi } from 'vitest'
import { type GateCall, type GateEvent, guard } from '../gate.js'
import { snapshot } from '../params.js'
import { aCall, decide, expectCode } from './gate-steps.js'
import type { GateTest } from './gate-test.js'

export const GUARD_TESTS: readonly GateTest[] = [
  {
    name: 'guards a tool from the call to the report',
    async run({ gate, desk, approver }) {
      const events: GateEvent['type'][] = []
      const execute = vi.fn(() => 'refunded')
      let decided: Promise<void> | undefined
      const result = await guard(gate, aCall(), execute, {
        onEvent(event) {
          events.push(event.type)
          if (event.type === 'pending') decided = decide(desk, approver, event.intent.id, 'approve')
        },
      })
      await decided
      expect([result, execute.mock.calls.length, events]).toEqual([
        'refunded',
        1,
        ['pending', 'decided', 'claimed', 'finished'],
      ])
    },
  },
  {
    name: 'runs no tool that a person denies',
    async run({ gate, desk, approver }) {
      const execute = vi.fn()
      let decided: Promise<void> | undefined
      const guarded = guard(gate, aCall(), execute, {
        onEvent(event) {
          if (event.type === 'pending') decided = decide(desk, approver, event.intent.id, 'deny')
        },
      })
      await expectCode(guarded, 'INTENT_DENIED')
      await decided
      expect(execute).not.toHaveBeenCalled()
    },
  },
  {
    name: 'runs a tool once, however often the same call is guarded',
    async run({ gate, desk, approver }) {
      const execute = vi.fn(() => 'refunded')
      const call = aCall()
      const decided: Promise<void>[] = []
      const onEvent = (event: GateEvent) => {
        if (event.type === 'pending')
          decided.push(decide(desk, approver, event.intent.id, 'approve').catch(() => undefined))
      }
      await Promise.allSettled(Array.from({ length: 5 }, () => guard(gate, call, execute, { onEvent })))
      await Promise.all(decided)
      await expectCode(guard(gate, call, execute), 'ALREADY_EXECUTED')
      expect(execute).toHaveBeenCalledTimes(1)
    },
  },
  {
    name: 'runs no tool with params that the approved call did not have',
    async run({ gate, desk, approver }) {
      const execute = vi.fn()
      const call = aCall()
      const { id } = await gate.declare({ ...call.draft, params: call.snapshot.value, idempotencyKey: call.key })
      await decide(desk, approver, id, 'approve')
      const changed: GateCall = { ...call, snapshot: snapshot({ customer_id: 'cust_4821', amount: 2500 }) }
      await expectCode(guard(gate, changed, execute), 'IDEMPOTENCY_MISMATCH')
      expect(execute).not.toHaveBeenCalled()
    },
  },
  {
    name: 'cancels the intent of a call that is aborted, and does not run the tool',
    async run({ gate }) {
      const execute = vi.fn()
      const controller = new AbortController()
      const reason = new Error('the user left')
      const call = aCall()
      const guarded = guard(gate, call, execute, {
        signal: controller.signal,
        onEvent: (event) => event.type === 'pending' && controller.abort(reason),
      })
      await expect(guarded).rejects.toBe(reason)
      expect((await gate.read({ idempotencyKey: call.key })).status).toBe('cancelled')
      expect(execute).not.toHaveBeenCalled()
    },
  },
]
