/**
 * Agents as tools that were entered: one execution each, which is suspended as often as the agent in it waits.
 *
 * @module
 */
import type { AnyState } from './resolve-interruptions.js'
import { continuesOf, type EnteredTool, placeOf, type RunScope } from './run-scope.js'

/** Those that wait are to be entered again. */
export async function settleEntered(scope: RunScope, state: AnyState): Promise<void> {
  const { driven } = scope
  const text = driven && driven.entered.size > 0 ? state.toString() : ''
  for (const [key, tool] of driven?.entered ?? []) {
    const { toolName, callId } = tool
    const waits = state.hasPendingAgentToolRun(toolName, callId) || isPendingWithin(text, toolName, callId)
    if (waits) await suspendEntered(scope, key, tool)
    else {
      await endEntered(tool)
      driven?.suspended.delete(key)
      driven?.entered.delete(key)
    }
  }
}

async function endEntered({ execution, ended }: EnteredTool): Promise<void> {
  switch (ended?.type) {
    case 'succeeded':
      return execution.succeed(ended.result)
    case 'failed':
      return execution.fail(new Error('the agent in it failed'))
    case 'let_go':
    case undefined:
      // Nobody knows how far it came: a person looks.
      return
  }
}

export async function suspendEntered(
  scope: RunScope,
  key: string,
  { toolName, callId, execution }: Pick<EnteredTool, 'toolName' | 'callId' | 'execution'>,
): Promise<void> {
  const { driven } = scope
  const continues = continuesOf(scope, key) + 1
  await execution.suspend()
  const { occurrence = 0 } = scope.calls.get(placeOf(toolName, callId)) ?? {}
  const digest = execution.intent.paramsDigest
  driven?.suspended.set(key, { tool: toolName, callId, occurrence, declared: true, digest, continues })
  driven?.entered.delete(key)
}

/** In the state of an agent in a tool, which is a text within this one. */
function isPendingWithin(state: string, toolName: string, callId: string): boolean {
  return state.includes(`"${toolName}:${callId}\\`)
}

/** The run broke off: nobody knows how far an agent in a tool came. */
export function giveUpEntered({ driven }: RunScope): void {
  if (!driven?.stillWaiting) driven?.entered.clear()
}
