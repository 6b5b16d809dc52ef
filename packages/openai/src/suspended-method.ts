/**
 * Methods of a shell or an editor whose calls are suspended: the SDK interrupts them, the driver spends what was approved, and
 * the last hop before the effect runs only what was spent for exactly this. The SDK names no call there, so it is found by
 * what it does.
 *
 * @module
 */
import type { RunContext } from '@openai/agents'
import {
  bindCall,
  canonicalJson,
  gateRefusal,
  isSilentAuthError,
  knownContext,
  look,
  needsGate,
  refusalText,
  SilentAuthError,
} from '@silentauth/core'
import { tellLook } from './call-events.js'
import type { CallInfo, GateToolOptions } from './gate-options.js'
import type { GateHook } from './gate-tool.js'
import { answerOf, askedCall } from './gated-call.js'
import { drivenRun, mayDeclare, toolCallKey } from './run-scope.js'
import { spendApproval } from './spend-approval.js'

/** The policy that a tool has of its own. */
export type OwnPolicy = (runContext: RunContext<unknown>, action: never, callId?: string) => Promise<boolean>

/** The name of a call is that of its action; its arguments are what the method is given. */
export function methodHook(options: GateToolOptions, ownPolicy: OwnPolicy): GateHook {
  return {
    options,
    outputsAreTyped: false,
    async look(scope, runContext, { name, callId, arguments: json }) {
      const key = toolCallKey(scope, name, callId, undefined)
      const given: unknown = JSON.parse(json)
      const ownApproval = await ownPolicy(runContext, given as never, callId)
      const info: CallInfo = { toolName: name, toolCallId: callId, agentName: undefined, runContext, signal: undefined }
      if (!(await needsGate(options, given, info))) return { key, looked: undefined, ownApproval }
      try {
        const known = knownContext({ tool: name, tool_call_id: callId })
        const parse = async (again: unknown) => again
        const asked = askedCall({ key, raw: given, parsed: given, parse, info, known, edits: false })
        const call = await bindCall(name, options, asked)
        const create = mayDeclare(scope, name, callId, call.asked.snapshot.digest)
        const seen = await look(options.gate, call.asked, { create })
        if (seen.type === 'pending' && create) tellLook(seen, options)
        return { key, looked: { call, seen }, ownApproval }
      } catch (error) {
        if (!isSilentAuthError(error)) throw error
        return { key, looked: undefined, ownApproval: false, unreadable: gateRefusal(error).text }
      }
    },
    async spend({ looked, unreadable }, { scope: { driven }, call: { name, arguments: json }, signal }) {
      if (unreadable !== undefined) return { reject: unreadable }
      // Without a driver nobody would give back what the SDK did not come to.
      if (!driven) return 'wait'
      const effect = effectOf(name, JSON.parse(json))
      if (!looked) {
        driven.spent.set(effect, 'passed')
        return 'approve'
      }
      const begun = await spendApproval(looked, options, signal)
      if (begun === 'wait' || 'reject' in begun) return begun
      driven.spent.set(effect, { begun, bound: looked.call.bound })
      return 'approve'
    },
  }
}

/** The last hop. That the SDK lets a call through says nothing. */
export async function spentMethod(
  name: string,
  given: unknown,
  options: GateToolOptions,
  shape: (text: string) => unknown,
  run: (given: unknown) => unknown,
): Promise<unknown> {
  // What was given can be changed meanwhile.
  const plain: unknown = JSON.parse(JSON.stringify(given))
  const effect = effectOf(name, plain)
  const driven = drivenRun()
  const spent = driven?.spent.get(effect)
  // Before anything is awaited: what was spent is for one execution.
  driven?.spent.delete(effect)
  if (spent === undefined) return shape(refusalText(new SilentAuthError('NOT_APPROVED', `${name}: nobody approved it`)))
  if (spent === 'passed') return run(plain)
  const { begun, bound } = spent
  return answerOf(begun, {
    toolName: name,
    bound,
    options,
    signal: undefined,
    shape,
    run,
  })
}

function effectOf(name: string, given: unknown): string {
  return canonicalJson([name, given] as never)
}
