/**
 * A safe value: agent text on the screen. Text nodes only, in a `<bdi dir="ltr">` of its own, with every trick named beside it.
 *
 * @module
 */

import { clipText, safeText, type TextFlag, type TextPart } from '@silentauth/core'
import { useMemo } from 'react'
import { messages } from './messages.js'

/** Characters that stay visible when a text is clipped; undefined for all. */
export function SafeValue({ raw, limit, className = '' }: { raw: string; limit?: number; className?: string }) {
  const { parts, flags } = useMemo(() => safeText(raw), [raw])
  const shown = limit === undefined ? parts : clipText(parts, limit)
  return (
    <>
      <SafeParts parts={shown} className={className} />
      {/* Of the whole text, also of what is clipped. */}
      <TextFlags flags={flags} />
    </>
  )
}

/** One line of agent text inside a sentence of ours; its tricks are named in the review. */
export function SafeInline({ raw, className = '' }: { raw: string; className?: string }) {
  const { parts, flags } = useMemo(() => safeText(raw), [raw])
  return (
    <>
      <SafeParts parts={parts} className={className} />
      {flags.length > 0 && (
        <span className="ml-1 font-sans font-semibold text-stop" title={namesOf(flags)}>
          <span aria-hidden="true">!</span>
          <span className="sr-only"> ({namesOf(flags)})</span>
        </span>
      )}
    </>
  )
}

/** What is wrong with a text, in a word each. */
export function TextFlags({ flags }: { flags: readonly TextFlag[] }) {
  if (flags.length === 0) return null
  return (
    <span className="mt-1 flex flex-wrap gap-1.5 font-sans" data-flags={flags.join(' ')}>
      {flags.map((flag) => (
        <Flag key={flag} flag={flag} />
      ))}
    </span>
  )
}

function Flag({ flag }: { flag: TextFlag }) {
  const { name, says } = messages.flag[flag]
  return (
    <span
      className="inline-flex items-center gap-1 rounded bg-stop-tint px-1.5 py-0.5 text-[0.75rem] leading-4 font-semibold text-stop inset-ring inset-ring-stop-line"
      title={says}
    >
      <span aria-hidden="true">!</span>
      {name}
      <span className="sr-only">: {says}</span>
    </span>
  )
}

function SafeParts({ parts, className }: { parts: readonly TextPart[]; className: string }) {
  return (
    <bdi dir="ltr" className={`value ${className}`}>
      {parts.map((part, index) =>
        part.type === 'text' ? (
          part.text
        ) : (
          <mark key={index} data-mark={part.text.startsWith('⟦') ? 'escape' : 'space'}>
            {part.text}
          </mark>
        ),
      )}
    </bdi>
  )
}

function namesOf(flags: readonly TextFlag[]): string {
  return flags.map((flag) => messages.flag[flag].name).join(', ')
}
