/**
 * What was seen of a model's calls when it made them: its id, and what it said for itself. Approvers are shown it; nothing is
 * decided by it.
 *
 * @module
 */
import type { Model, ModelProvider } from '@openai/agents'
import { boundCopy, recentMap } from '@silentauth/core'
import { textOf, wordsIn } from './model-words.js'

export interface ModelSide {
  readonly model: string | undefined
  readonly reasoning: string | undefined
}

export interface Sightings {
  of(callId: string): ModelSide | undefined
  /** Gives a model that answers as `model` does, and is seen. */
  watch(model: Model, modelId: string | undefined): Model
}

/** A run makes fewer calls than this between being seen and being asked for. */
const MOST = 256

export function sightings(): Sightings {
  const seen = recentMap<ModelSide>(MOST)
  const note = ({ output, providerData }: Seen, modelId: string | undefined): void => {
    const side = { model: textOf(providerData?.model) ?? modelId, reasoning: wordsIn(output) }
    for (const item of output) {
      const { type, callId } = item as { type?: unknown; callId?: unknown }
      if (type === 'function_call' && typeof callId === 'string') seen.set(callId, side)
    }
  }
  return {
    of: (callId) => seen.get(callId),
    watch: (model, modelId) =>
      boundCopy(model, {
        async getResponse(request: never) {
          const response = await model.getResponse(request)
          note(response, modelId)
          return response
        },
        async *getStreamedResponse(request: never) {
          for await (const event of model.getStreamedResponse(request)) {
            if (event.type === 'response_done') note(event.response, modelId)
            yield event
          }
        },
      }),
  }
}

/** The models of a provider, seen by their names. */
export function watchedProvider(provider: ModelProvider, { watch }: Sightings): ModelProvider {
  return boundCopy(provider, {
    getModel: async (name?: string) => watch(await provider.getModel(name), name),
  })
}

/** The fields of a response that are read here. */
interface Seen {
  readonly output: readonly object[]
  readonly providerData?: Readonly<Record<string, unknown>> | undefined
}
