/**
 * A hidden value of the params, which a person who may vote can ask to see; the audit log keeps that they did.
 *
 * @module
 */
import type { Json, JsonPointer } from '@silentauth/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { Button } from './button.js'
import { explain } from './explain.js'
import { type HiddenShape, HiddenValue } from './hidden-value.js'
import { Icon } from './icons.js'
import { JsonTree } from './json-tree.js'
import { messages } from './messages.js'
import { SafeValue } from './safe-value.js'
import { useServices } from './services.js'
import { useFolds } from './use-folds.js'

export interface RevealableProps {
  readonly intentId: string
  readonly pointer: JsonPointer
  readonly shape: HiddenShape
  /** Undefined while it is hidden from this person. */
  readonly revealed: { readonly value: Json } | undefined
  readonly mayReveal: boolean
}

export function RevealableValue({ intentId, pointer, shape, revealed, mayReveal }: RevealableProps) {
  const { api, announcer } = useServices()
  const queries = useQueryClient()
  const [seen, setSeen] = useState<{ readonly value: Json }>()
  const reveal = useMutation({
    mutationFn: () => api.reveal(intentId, pointer),
    onSuccess(value) {
      setSeen({ value })
      announcer.say(messages.hidden.revealed)
      void queries.invalidateQueries({ queryKey: ['review', intentId] })
    },
  })
  const shown = revealed ?? seen
  return (
    <div data-hidden={pointer}>
      {shown ? (
        <div className="rounded bg-care-tint p-2 inset-ring inset-ring-care-line">
          <RevealedValue value={shown.value} />
          <p className="mt-1 flex items-center gap-1.5 text-[0.8125rem] font-semibold text-care">
            <Icon name="eye" className="size-3.5" />
            {messages.hidden.revealed}
          </p>
        </div>
      ) : (
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <HiddenValue shape={shape} />
          {mayReveal && (
            <Button look="bare" disabled={reveal.isPending} onClick={() => reveal.mutate()}>
              {reveal.isPending ? messages.hidden.revealing : messages.hidden.reveal}
            </Button>
          )}
        </span>
      )}
      {reveal.error && (
        <p role="alert" className="mt-1 text-[0.875rem] text-stop">
          {explain(reveal.error).join(' ')}
        </p>
      )}
    </div>
  )
}

function RevealedValue({ value }: { value: Json }) {
  const wrapped = useMemo(() => ({ value }), [value])
  const folds = useFolds(wrapped)
  if (typeof value === 'string' && value !== '') return <SafeValue raw={value} />
  return <JsonTree value={wrapped} folds={folds} />
}
