/**
 * A hidden value, as far as it can be known without reading it.
 *
 * @module
 */
import type { JsonObject } from '@silentauth/core'
import { Icon } from './icons.js'
import { messages } from './messages.js'

/** What stands in the place of a hidden value. */
export interface HiddenShape extends JsonObject {
  readonly type: string
  readonly length: number | null
  /** Prefix of an HMAC under a secret of the intent: equal prefixes, equal values. */
  readonly hmac: string
}

export function HiddenValue({ shape }: { shape: HiddenShape }) {
  const text = messages.hidden
  const unit = text.length[shape.type]
  const size = shape.length === null || unit === undefined ? '' : `, ${shape.length} ${unit}`
  return (
    <span className="inline-flex flex-wrap items-center gap-x-2 gap-y-1 text-[0.875rem]">
      <span className="inline-flex items-center gap-1.5 rounded bg-ink px-1.5 py-0.5 text-[0.8125rem] font-semibold text-page">
        <Icon name="lock" className="size-3.5" />
        {text.label}
      </span>
      <span className="text-soft">
        {text.kind[shape.type] ?? shape.type}
        {size}, {text.fingerprint} <span className="value">{shape.hmac}</span>
      </span>
    </span>
  )
}
