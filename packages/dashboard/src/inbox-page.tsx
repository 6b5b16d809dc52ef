/**
 * The inbox: what waits for a decision, and what was decided lately. It changes while it is looked at; the row under the
 * keyboard stays the same intent, not the same position.
 *
 * @module
 */
import type { WireInboxItem } from '@silentauth/core/wire'
import { useEffect, useEffectEvent, useId, useRef, useState } from 'react'
import { Button } from './button.js'
import { explain } from './explain.js'
import { InboxRow } from './inbox-row.js'
import { Key } from './key.js'
import { commandOf, neighbour } from './keys.js'
import { messages } from './messages.js'
import { useServices } from './services.js'
import { Loading, Problem, StatePage } from './state-page.js'
import { type InboxFilter, useInbox } from './use-inbox.js'

const FILTERS: readonly InboxFilter[] = ['pending', 'decided']

export function InboxPage() {
  const [filter, setFilter] = useState<InboxFilter>('pending')
  const { items, error, more, retry } = useInbox(filter)
  const text = messages.inbox
  const pending = useInbox('pending').items
  useArrivals(pending)
  useRowKeys()
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
        <h1 className="text-2xl font-semibold">{text.title}</h1>
        <fieldset className="flex rounded-lg bg-sunken p-1 inset-ring inset-ring-line">
          <legend className="sr-only">{text.filter}</legend>
          {FILTERS.map((name) => (
            <label
              key={name}
              className="cursor-pointer rounded-md px-3.5 py-1.5 font-semibold text-soft has-checked:bg-surface has-checked:text-ink has-checked:shadow-sm has-checked:inset-ring has-checked:inset-ring-edge has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-gate"
            >
              <input
                type="radio"
                name="filter"
                value={name}
                checked={filter === name}
                onChange={() => setFilter(name)}
                className="sr-only"
              />
              {text[name]}
              {name === 'pending' && pending && pending.length > 0 && (
                <span className="ml-1.5 font-normal text-soft">{pending.length}</span>
              )}
            </label>
          ))}
        </fieldset>
      </div>
      <div className="mt-5">
        {items ? (
          <Lists filter={filter} items={items} />
        ) : error ? (
          <Problem title={text.failedTitle} onRetry={retry}>
            {explain(error).join(' ')}
          </Problem>
        ) : (
          <Loading />
        )}
        {more && (
          <p className="mt-4 text-center">
            <Button onClick={more}>{text.more}</Button>
          </p>
        )}
        {items && items.length > 0 && <KeyHelp />}
      </div>
    </>
  )
}

function Lists({ filter, items }: { filter: InboxFilter; items: readonly WireInboxItem[] }) {
  const text = messages.inbox
  if (items.length === 0) {
    const [title, says] =
      filter === 'pending' ? [text.emptyTitle, text.empty] : [text.emptyDecidedTitle, text.emptyDecided]
    return (
      <StatePage icon="inbox" title={title} heading="h2">
        <p>{says}</p>
      </StatePage>
    )
  }
  if (filter === 'decided') return <List title={text.recent} items={items} />
  const mine = items.filter(({ can_vote }) => can_vote.ok)
  return (
    <div className="space-y-7">
      <List title={text.mine} items={mine} />
      <List title={text.others} items={items.filter(({ can_vote }) => !can_vote.ok)} />
    </div>
  )
}

function List({ title, items }: { title: string; items: readonly WireInboxItem[] }) {
  const id = useId()
  if (items.length === 0) return null
  return (
    <section aria-labelledby={id}>
      <h2 id={id} className="mb-2 text-[0.9375rem] font-semibold text-soft">
        {title} <span className="font-normal">({items.length})</span>
      </h2>
      <ul className="divide-y divide-line overflow-hidden rounded-xl border border-line bg-surface">
        {items.map((item) => (
          <InboxRow key={item.id} item={item} />
        ))}
      </ul>
    </section>
  )
}

/** Says what arrived since the page was opened, and counts in the title of the tab. */
function useArrivals(items: readonly WireInboxItem[] | undefined): void {
  const { announcer } = useServices()
  const known = useRef<ReadonlySet<string>>(undefined)
  useEffect(() => {
    if (!items) return
    document.title = messages.inbox.documentTitle(items.length)
    const before = known.current
    known.current = new Set(items.map(({ id }) => id))
    const arrived = before ? items.filter(({ id }) => !before.has(id)).length : 0
    if (arrived > 0) announcer.say(messages.inbox.arrived(arrived))
  }, [items, announcer])
}

/** The row under the keyboard is the focused link: it goes with its intent, and when that leaves, nothing is under it. */
function useRowKeys(): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const command = commandOf(event, document.querySelector('[role=dialog]') !== null)
    if (command !== 'next' && command !== 'previous') return
    const rows = [...document.querySelectorAll<HTMLElement>('a[data-row]')]
    const current = (document.activeElement as HTMLElement | null)?.dataset.row
    const ids = rows.map((row) => row.dataset.row ?? '')
    const target = neighbour(ids, current, command === 'next' ? 1 : -1)
    if (target === undefined) return
    event.preventDefault()
    rows[ids.indexOf(target)]?.focus()
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event)
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
}

function KeyHelp() {
  return (
    <p className="label mt-4 hidden items-center gap-1.5 pointer-fine:flex">
      <Key>j</Key>
      <Key>k</Key>
      {messages.inbox.keys}
    </p>
  )
}
