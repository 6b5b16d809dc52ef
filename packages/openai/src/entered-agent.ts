/**
 * The entering of an agent in a tool: what it gives is not its end while the agent waits, which only a driver sees.
 *
 * @module
 */
import type { FunctionTool } from '@openai/agents'
import type { Execution, Json } from '@silentauth/core'
import type { GateToolOptions } from './gate-options.js'
import { ToolFailure, withEditNotice } from './gated-call.js'
import type { EnteredTool, RunScope } from './run-scope.js'
import { type InnerCall, runReporting } from './tool-run.js'

/** One call of an agent as a tool that may run. */
export interface AgentEntry extends InnerCall {
  readonly tool: FunctionTool
  readonly options: GateToolOptions
  readonly scope: RunScope
  readonly key: string
  readonly callId: string | undefined
}

/** An agent that waits gives an empty text: only the driver sees that it has not ended. @throws TypeError without one */
export async function enterAgent(
  execution: Execution,
  { tool, options, scope: { driven }, key, callId = '', ...call }: AgentEntry,
): Promise<unknown> {
  if (!driven) {
    await execution.notStarted()
    throw needsDriver(tool.name)
  }
  const entry: EnteredTool = { toolName: tool.name, callId, execution, ended: undefined }
  driven.entered.set(key, entry)
  try {
    const output = await execution.run(() => runReporting(tool, call))
    entry.ended = { type: 'succeeded', result: options.recordResult ? (output as Json) : undefined }
    return execution.edited ? withEditNotice(output, execution.intent.params) : output
  } catch (error) {
    if (!(error instanceof ToolFailure)) throw error
    entry.ended = { type: error.letGo ? 'let_go' : 'failed' }
    return error.output
  }
}

export function needsDriver(toolName: string): TypeError {
  return new TypeError(`${toolName}: an agent as a tool suspends only in runWithGate or streamWithGate`)
}
