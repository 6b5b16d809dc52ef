/**
 * What was seen of a model's calls when it made them: its id, and what it said for itself. Approvers are shown it; nothing is
 * decided by it.
 *
 * @module
 */
import { recentMap } from '@silentauth/core'
import type { Generated, ModelPart, Streamed } from './gate-middleware.js'
import type { ModelSide } from './tool-call.js'

export interface Sightings {
  of(toolCallId: string): ModelSide | undefined
  generated(answer: Generated, modelId: string | undefined): void
  streamed<Answer extends Streamed>(answer: Answer, modelId: string | undefined): Answer
}

/** A run makes fewer calls than this between being seen and being asked for. */
const MOST = 256

export function sightings(): Sightings {
  const seen = recentMap<ModelSide>(MOST)
  const note = (toolCallId: string | undefined, side: ModelSide): void => {
    if (toolCallId !== undefined) seen.set(toolCallId, side)
  }
  return {
    of: (toolCallId) => seen.get(toolCallId),
    generated({ content, response }, modelId) {
      const reasoning = said(content.flatMap((part) => (SAYS.has(part.type) ? [part.text] : [])))
      const model = text(response?.modelId) ?? modelId
      for (const part of content) if (part.type === 'tool-call') note(part.toolCallId, { model, reasoning })
    },
    streamed(answer, modelId) {
      const texts: unknown[] = []
      let model = modelId
      const watch = new TransformStream<ModelPart, ModelPart>({
        transform(part, controller) {
          if (part.type === 'response-metadata') model = text(part.modelId) ?? model
          if (part.type === 'reasoning-delta' || part.type === 'text-delta') texts.push(part.delta)
          if (part.type === 'tool-call') note(part.toolCallId, { model, reasoning: said([texts.join('')]) })
          controller.enqueue(part)
        },
      })
      return { ...answer, stream: answer.stream.pipeThrough(watch) }
    },
  }
}

const SAYS: ReadonlySet<string> = new Set(['reasoning', 'text'])

function said(texts: readonly unknown[]): string | undefined {
  const words = texts.flatMap((part) => text(part) ?? [])
  return words.length > 0 ? words.join('\n') : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
