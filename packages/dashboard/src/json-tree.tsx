/**
 * A JSON value as a tree of names and boxed values. There are no braces and quotes that a text inside could imitate: what
 * separates members is the page's own layout.
 *
 * @module
 */
import { type Json, type JsonObject, type JsonPointer, REDACTED } from '@silentauth/core'
import type { ReactNode } from 'react'
import { Button } from './button.js'
import { foldId, ITEM_LIMIT, membersOf, TEXT_LIMIT } from './folds.js'
import { type HiddenShape, HiddenValue } from './hidden-value.js'
import { Icon } from './icons.js'
import { messages } from './messages.js'
import { SafeValue } from './safe-value.js'
import type { Folds } from './use-folds.js'

export interface JsonTreeProps {
  readonly value: JsonObject
  readonly folds: Folds
  /** What a person may do about a hidden value; undefined where it can only be named. */
  readonly hidden?: ((pointer: JsonPointer, shape: HiddenShape) => ReactNode) | undefined
}

export function JsonTree({ value, folds, hidden }: JsonTreeProps) {
  const shape = hiddenShape(value)
  if (shape) return hidden ? hidden('', shape) : <HiddenValue shape={shape} />
  return <Members value={value} pointer="" depth={0} folds={folds} hidden={hidden} />
}

interface Place {
  readonly value: Json
  readonly pointer: JsonPointer
  /** Containers around it. */
  readonly depth: number
  readonly folds: Folds
  readonly hidden: JsonTreeProps['hidden']
}

function Members({ value, pointer, depth, folds, hidden }: Place) {
  const members = membersOf(value, pointer) ?? []
  const items = foldId({ kind: 'items', pointer })
  const shown = folds.isOpen(items) ? members : members.slice(0, ITEM_LIMIT)
  const text = messages.params
  return (
    <>
      <dl className={depth === 0 ? 'divide-y divide-line' : 'divide-y divide-line border-l-2 border-line pl-3 sm:pl-4'}>
        {shown.map((member) => (
          <Member
            key={member.pointer}
            name={member.name}
            value={member.value}
            pointer={member.pointer}
            depth={depth + 1}
            folds={folds}
            hidden={hidden}
          />
        ))}
      </dl>
      {shown.length < members.length && (
        <p className="flex flex-wrap items-center gap-x-3 border-t border-dashed border-edge py-2 text-[0.875rem]">
          <span className="font-semibold text-care">{text.showing(shown.length, members.length)}</span>
          <Button look="bare" onClick={() => folds.open(items)}>
            {Array.isArray(value) ? text.showAllItems(members.length) : text.showAllFields(members.length)}
          </Button>
        </p>
      )}
    </>
  )
}

function Member({ name, ...place }: Place & { name: string | number }) {
  const { value, pointer, folds, depth, hidden } = place
  const shape = hiddenShape(value)
  const members = shape ? null : membersOf(value, pointer)
  const label = <MemberName name={name} />
  if (members === null || members.length === 0) {
    return (
      <div className="flex flex-wrap gap-x-4 gap-y-0.5 py-2 sm:grid sm:grid-cols-[minmax(7rem,13rem)_minmax(0,1fr)]">
        <dt className="min-w-28 max-w-full">{label}</dt>
        <dd className="min-w-0">
          {shape ? (hidden?.(pointer, shape) ?? <HiddenValue shape={shape} />) : <Leaf {...place} />}
        </dd>
      </div>
    )
  }
  const branch = foldId({ kind: 'branch', pointer })
  const open = folds.isOpen(branch)
  const text = messages.params
  const size = Array.isArray(value) ? text.items(members.length) : text.fields(members.length)
  return (
    <div className="py-1.5">
      <dt className="min-w-0">
        <button
          type="button"
          aria-expanded={open}
          className="-ml-1 flex min-h-7 w-full items-center gap-1.5 rounded px-1 text-left hover:bg-sunken"
          onClick={() => (open ? folds.close(branch) : folds.open(branch))}
        >
          <Icon name={open ? 'down' : 'next'} className="size-3.5 text-soft" />
          {label}
          <span className="label whitespace-nowrap">{size}</span>
        </button>
      </dt>
      <dd className="min-w-0 pl-2">
        {open && <Members value={value} pointer={pointer} depth={depth} folds={folds} hidden={hidden} />}
      </dd>
    </div>
  )
}

function MemberName({ name }: { name: string | number }) {
  return typeof name === 'number' ? (
    <span className="value text-soft">[{name}]</span>
  ) : (
    <SafeValue raw={name} className="font-semibold text-soft" />
  )
}

/** Each kind has its own look, so that `"250"` is never read as `250`. */
function Leaf({ value, pointer, folds }: Place) {
  const text = messages.params
  if (typeof value === 'string') {
    if (value === '') return <span className="label italic">{text.empty.text}</span>
    const fold = foldId({ kind: 'text', pointer })
    const whole = value.length <= TEXT_LIMIT || folds.isOpen(fold)
    return (
      <>
        <Quoted>
          <SafeValue raw={value} {...(whole ? {} : { limit: TEXT_LIMIT })} />
        </Quoted>
        {!whole && (
          <p className="mt-1 flex flex-wrap items-center gap-x-3 text-[0.875rem]">
            <span className="font-semibold text-care">{text.showing(TEXT_LIMIT, value.length)}</span>
            <Button look="bare" onClick={() => folds.open(fold)}>
              {text.showAllText(value.length)}
            </Button>
          </p>
        )}
      </>
    )
  }
  if (value === null || typeof value === 'boolean')
    return <span className="value font-semibold text-calm">{String(value)}</span>
  if (typeof value === 'number') return <span className="value font-semibold text-gate">{String(value)}</span>
  return <span className="label italic">{Array.isArray(value) ? text.empty.array : text.empty.object}</span>
}

/** The box says where a text begins and ends, its spaces and line breaks included. */
function Quoted({ children }: { children: ReactNode }) {
  return (
    <div className="w-fit max-w-full min-w-0 rounded bg-sunken px-1.5 py-0.5 inset-ring inset-ring-line">
      {children}
    </div>
  )
}

/** Only the gate makes such an object: an agent that sends one has it hidden in turn. */
function hiddenShape(value: Json): HiddenShape | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined
  const shape = (value as JsonObject)[REDACTED]
  const alone = Object.keys(value).length === 1
  return alone && typeof shape === 'object' && shape !== null && 'hmac' in shape ? (shape as HiddenShape) : undefined
}
