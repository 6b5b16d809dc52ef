/**
 * The way back to the inbox, and from one pending intent to the next: j and k, or the arrows.
 *
 * @module
 */
import { useEffect, useEffectEvent } from 'react'
import { Link, useLocation } from 'wouter'
import { Icon } from './icons.js'
import { commandOf, neighbour } from './keys.js'
import { messages } from './messages.js'
import { useInbox } from './use-inbox.js'

export function ReviewNavigation({ id }: { id: string }) {
  const [, go] = useLocation()
  const inbox = useInbox('pending')
  const ids = inbox.items?.map((item) => item.id) ?? []
  const index = ids.indexOf(id)
  const next = neighbour(ids, id, 1)
  const previous = neighbour(ids, id, -1)
  const text = messages.review

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const command = commandOf(event, document.querySelector('[role=dialog]') !== null)
    const target = command === 'next' ? next : command === 'previous' ? previous : undefined
    if (target === undefined || target === id) return
    event.preventDefault()
    go(`/inbox/${target}`)
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event)
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])

  return (
    <nav aria-label={messages.inbox.title} className="mb-6 flex min-h-9 items-center justify-between gap-3">
      <Link
        href="/inbox"
        className="-ml-1.5 inline-flex min-h-9 items-center gap-1 rounded-lg px-1.5 font-semibold text-soft hover:text-ink"
      >
        <Icon name="back" />
        {messages.back}
      </Link>
      {ids.length > 0 && (
        <div className="flex items-center gap-1">
          {index >= 0 && <span className="label mr-2">{text.position(index + 1, ids.length)}</span>}
          {(next !== undefined || previous !== undefined) && (
            <>
              <Step to={previous} self={id} label={text.previous} icon="back" />
              <Step to={next} self={id} label={text.next} icon="next" />
            </>
          )}
        </div>
      )}
    </nav>
  )
}

function Step({
  to,
  self,
  label,
  icon,
}: {
  to: string | undefined
  self: string
  label: string
  icon: 'back' | 'next'
}) {
  const shape = 'grid size-9 place-items-center rounded-lg inset-ring inset-ring-line'
  if (to === undefined || to === self) {
    return (
      <span className={`${shape} text-edge opacity-50`} aria-hidden="true">
        <Icon name={icon} />
      </span>
    )
  }
  return (
    <Link href={`/inbox/${to}`} className={`${shape} bg-surface text-ink hover:bg-sunken`}>
      <Icon name={icon} />
      <span className="sr-only">{label}</span>
    </Link>
  )
}
