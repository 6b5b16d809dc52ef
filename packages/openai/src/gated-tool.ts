/**
 * A tool that is defined with its gate: every call of it has a permit, which its function is given.
 *
 * @module
 */
import {
  type FunctionTool,
  type RunContext,
  type ToolExecuteArgument,
  type ToolInputParameters,
  type ToolOptions,
  tool,
} from '@openai/agents'
import { currentPermit, type Permit, SilentAuthError } from '@silentauth/core'
import type { GateToolOptions } from './gate-options.js'
import { gateTool } from './gate-tool.js'
import { noteThrown } from './tool-run.js'

/** What `tool()` takes, but for its own approvals. */
export interface GatedToolDefinition<Parameters extends ToolInputParameters, Context, Result>
  extends Omit<ToolOptions<never, Context>, 'name' | 'parameters' | 'strict' | 'execute' | 'needsApproval'> {
  name: string
  parameters: Parameters
  strict?: boolean | undefined
  /** `permit.headers()` go to a backend that checks permits. */
  execute(
    args: ToolExecuteArgument<Parameters>,
    call: {
      readonly permit: Permit
      readonly runContext: RunContext<Context>
      readonly signal: AbortSignal | undefined
    },
  ): Result | Promise<Result>
}

/** Without `when`: no call is without a permit. */
export type GatedToolOptions<Parameters extends ToolInputParameters> = Omit<
  GateToolOptions<ToolExecuteArgument<Parameters>>,
  'when'
>

/** @throws TypeError for options that make no sense */
export function gatedTool<Parameters extends ToolInputParameters, Context = unknown, Result = string>(
  { execute, ...definition }: GatedToolDefinition<Parameters, Context, Result>,
  options: GatedToolOptions<Parameters>,
): FunctionTool<Context, Parameters, Result> {
  const made = tool({
    ...definition,
    execute: (args: never, runContext: RunContext<Context>, details?: { readonly signal?: AbortSignal }) => {
      const permit = currentPermit()
      // Nothing but its gate calls it.
      if (!permit) throw new SilentAuthError('PERMIT_MISSING', `${definition.name}: was called without a permit`)
      return noteThrown(permit, () => execute(args, { permit, runContext, signal: details?.signal }))
    },
  } as never)
  return gateTool(made as never, { ...options, when: undefined } as never) as unknown as FunctionTool<
    Context,
    Parameters,
    Result
  >
}
