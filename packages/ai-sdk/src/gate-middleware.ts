/**
 * A language model middleware that trips when the model calls a tool which was not gated. It is a tripwire and not a lock: it
 * sees what a model says, so approvals that are replayed, direct calls and calls of other models go by it. Gated tools hold.
 *
 * @module
 */
import { compileGlob, SilentAuthError } from '@silentauth/core'
import { STAMP } from './gate-tool.js'

export interface GateMiddlewareOptions<Version extends 'v3' | 'v4' = 'v3' | 'v4'> {
  /** Globs over the names of tools that need no gate, such as those that a rule passes or a provider runs. @default none */
  allow?: readonly string[] | undefined
  /** A call of any other ungated tool: fail the model's call, or drop the tool's call from what the model said. @default 'throw' */
  onUngated?: 'throw' | 'drop' | undefined
  /** `v3` for AI SDK 6. @default 'v4' */
  specificationVersion?: Version | undefined
}

/** What of a model's call is read and changed. */
export interface ModelCall {
  readonly tools?: readonly ModelTool[] | undefined
}
interface ModelTool {
  readonly name: string
  readonly providerOptions?: Readonly<Record<string, unknown>> | undefined
}
/** What of a part of a model's answer is read. */
export interface ModelPart {
  readonly type: string
  readonly toolName?: string
  readonly toolCallId?: string
  readonly id?: string
  readonly delta?: unknown
  readonly text?: unknown
  readonly modelId?: unknown
}
export interface Generated {
  readonly content: readonly ModelPart[]
  readonly response?: { readonly modelId?: unknown } | undefined
}
export interface Streamed {
  readonly stream: ReadableStream<ModelPart>
}

/** As `wrapLanguageModel` takes it, whatever the version of its types. */
export interface GateMiddleware<Version extends 'v3' | 'v4'> {
  readonly specificationVersion: Version
  transformParams<Call extends ModelCall>(given: { params: Call }): Promise<Call>
  wrapGenerate<Answer extends Generated>(given: {
    doGenerate(): PromiseLike<Answer>
    params: ModelCall
  }): Promise<Answer>
  wrapStream<Answer extends Streamed>(given: { doStream(): PromiseLike<Answer>; params: ModelCall }): Promise<Answer>
}

/** @throws TypeError for a pattern that is none */
export function gateMiddleware<Version extends 'v3' | 'v4' = 'v4'>(
  options: GateMiddlewareOptions<Version> = {},
): GateMiddleware<Version> {
  const { allow = [], onUngated = 'throw', specificationVersion = 'v4' as Version } = options
  if (onUngated !== 'throw' && onUngated !== 'drop') throw new TypeError('onUngated can be throw or drop')
  const globs = allow.map((pattern) => compileGlob(pattern))
  const gatedIn = new WeakMap<object, ReadonlySet<string>>()
  const isUngated = (call: ModelCall, part: ModelPart): boolean => {
    if (part.toolName === undefined || !CALLS.has(part.type)) return false
    const { toolName } = part
    return !gatedIn.get(call)?.has(toolName) && !globs.some((glob) => glob.matches(toolName))
  }

  return {
    specificationVersion,
    async transformParams({ params }) {
      const gated = (params.tools ?? []).filter((tool) => isStamped(tool)).map(({ name }) => name)
      const tools = params.tools?.map(withoutStamp)
      const transformed = { ...params, ...(tools && { tools }) }
      gatedIn.set(transformed, new Set(gated))
      return transformed
    },
    async wrapGenerate({ doGenerate, params }) {
      const answer = await doGenerate()
      const tripped = answer.content.find((part) => isUngated(params, part))
      if (!tripped) return answer
      if (onUngated === 'throw') throw ungated(tripped)
      return { ...answer, content: answer.content.filter((part) => !isUngated(params, part)) }
    },
    async wrapStream({ doStream, params }) {
      const answer = await doStream()
      const dropped = new Set<string | undefined>()
      const guard = new TransformStream<ModelPart, ModelPart>({
        transform(part, controller) {
          const id = part.id ?? part.toolCallId
          if (isUngated(params, part)) {
            if (onUngated === 'throw') {
              controller.enqueue({ type: 'error', error: ungated(part) } as ModelPart)
              controller.terminate()
              return
            }
            dropped.add(id)
          } else if (CALLS.has(part.type)) {
            // Ids of calls repeat.
            dropped.delete(id)
          }
          // What of a call streams after its start has only its id.
          if (id === undefined || !dropped.has(id)) controller.enqueue(part)
        },
      })
      return { ...answer, stream: answer.stream.pipeThrough(guard) }
    },
  }
}

const CALLS: ReadonlySet<string> = new Set(['tool-call', 'tool-input-start'])

function isStamped({ providerOptions }: ModelTool): boolean {
  return (providerOptions?.[STAMP] as { gated?: unknown } | undefined)?.gated === true
}

/** The provider is not told. */
function withoutStamp<Its extends ModelTool>(tool: Its): Its {
  if (!isStamped(tool)) return tool
  const { [STAMP]: _, ...providerOptions } = tool.providerOptions ?? {}
  const { providerOptions: __, ...rest } = tool
  return (Object.keys(providerOptions).length > 0 ? { ...rest, providerOptions } : rest) as Its
}

function ungated({ toolName }: ModelPart): SilentAuthError {
  return new SilentAuthError('FORBIDDEN', `${toolName}: the model called a tool that is not gated`)
}
