/**
 * Resolutions on the wire: why an intent has its status.
 *
 * @module
 */
import type { Resolution } from '../intent.js'
import type { Nullable } from './instant.js'

export interface WireResolution {
  by: Resolution['by']
  code: Nullable<string>
  comment: Nullable<string>
  earlier_intent: Nullable<string>
}

export function resolutionToWire(resolution: Resolution | undefined): WireResolution | null {
  if (!resolution) return null
  const { by, code, comment, earlierIntent } = resolution
  return { by, code: code ?? null, comment: comment ?? null, earlier_intent: earlierIntent ?? null }
}

export function resolutionFromWire({ by, code, comment, earlier_intent }: WireResolution): Resolution {
  return {
    by,
    code: (code as Resolution['code'] | null) ?? undefined,
    comment: comment ?? undefined,
    earlierIntent: (earlier_intent as Resolution['earlierIntent'] | null) ?? undefined,
  }
}
