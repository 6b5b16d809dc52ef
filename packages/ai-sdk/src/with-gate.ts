/**
 * Everything that a call of `generateText`, `streamText` or an agent needs to be gated: its tools, its approval setting, and
 * its model with the tripwire.
 *
 * @module
 */
import { boundCopy } from '@silentauth/core'
import type { ToolSet } from 'ai'
import { type GateApproval, gateApproval, type OwnApproval } from './gate-approval.js'
import { type Generated, gateMiddleware, type ModelCall, type Streamed } from './gate-middleware.js'
import { type GateToolsOptions, gatedTools } from './gate-tools.js'
import { type Sightings, sightings } from './model-sightings.js'

export interface GateableCall<Model, Tools> {
  model: Model
  tools: Tools
  /** The app's own approval setting, as a function: it stays in force, and can only make a gated call stricter. */
  toolApproval?: OwnApproval | undefined
}

export interface GatedSettings<Model, Tools> {
  model: Model
  tools: Tools
  /** Of AI SDK 7. AI SDK 6 has no such setting, and asks the tools themselves. */
  toolApproval: GateApproval
}

/**
 * `generateText({ ...withGate({ model, tools }, { gate, run }), messages })`.
 *
 * @throws TypeError as `gateTools` does
 */
export function withGate<Model, Tools extends ToolSet>(
  { model, tools, toolApproval }: GateableCall<Model, Tools>,
  options: GateToolsOptions,
): GatedSettings<Model, Tools> {
  const seen = sightings()
  const gated = gatedTools(tools, options, { modelSide: seen.of })
  return {
    model: isModel(model) ? watched(model, Object.keys(tools), seen) : model,
    tools: gated,
    toolApproval: gateApproval(gated, toolApproval),
  }
}

/** What of a model is used; an id is resolved by the SDK, and stays unwatched. */
interface WatchedModel {
  readonly modelId?: unknown
  doGenerate(call: ModelCall): PromiseLike<Generated>
  doStream(call: ModelCall): PromiseLike<Streamed>
}

function isModel(model: unknown): model is WatchedModel & object {
  return typeof (model as Partial<WatchedModel> | null)?.doGenerate === 'function'
}

/** The tools that were given are gated, or passed by a rule; whatever else the model calls trips. */
function watched<Model extends WatchedModel & object>(model: Model, known: readonly string[], seen: Sightings): Model {
  const { transformParams, wrapGenerate, wrapStream } = gateMiddleware({ allow: known })
  const modelId = typeof model.modelId === 'string' ? model.modelId : undefined
  return boundCopy(model, {
    async doGenerate(call: ModelCall) {
      const params = await transformParams({ params: call })
      const answer = await wrapGenerate({ doGenerate: () => model.doGenerate(params), params })
      seen.generated(answer, modelId)
      return answer
    },
    async doStream(call: ModelCall) {
      const params = await transformParams({ params: call })
      return seen.streamed(await wrapStream({ doStream: () => model.doStream(params), params }), modelId)
    },
  })
}
