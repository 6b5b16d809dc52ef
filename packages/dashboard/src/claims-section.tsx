/**
 * What the agent says: context, metadata, on whose behalf, and what it calls itself. None of it was checked, and all of it stays
 * inside `[data-untrusted]`, on a ground that nothing else on the page has.
 *
 * @module
 */
import type { JsonObject } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import type { ReactNode } from 'react'
import { JsonTree } from './json-tree.js'
import { messages } from './messages.js'
import { SafeValue } from './safe-value.js'
import { ClaimSection } from './section.js'
import { useFolds } from './use-folds.js'

/** Members of the context that have a meaning of their own, read first. */
const PROSE = ['reasoning', 'impact'] as const

export function ClaimsSection({ review: { view, source_type } }: { review: WireReview }) {
  const text = messages.claims
  const { context, metadata } = view
  const prose = PROSE.flatMap((name) => {
    const value = context?.[name]
    return typeof value === 'string' && value !== '' ? [{ name, value }] : []
  })
  const rest = Object.fromEntries(
    Object.entries(context ?? {}).filter(([name]) => !prose.some((said) => said.name === name)),
  )
  const silent = prose.length === 0 && Object.keys(rest).length === 0 && Object.keys(metadata ?? {}).length === 0
  return (
    <ClaimSection title={text.title} lead={text.lead}>
      {prose.map(({ name, value }) => (
        <Claim key={name} name={text[name]}>
          <LongText value={value} />
        </Claim>
      ))}
      <Claim name={text.source}>{view.source === null ? <Nothing /> : <SafeValue raw={view.source} />}</Claim>
      <Claim name={text.kind}>{messages.sourceType[source_type]}</Claim>
      <Claim name={text.requestedBy}>
        {view.requested_by === null ? <Nothing /> : <SafeValue raw={view.requested_by} />}
      </Claim>
      {Object.keys(rest).length > 0 && (
        <Claim name={text.context}>
          <Tree value={rest} />
        </Claim>
      )}
      {metadata && Object.keys(metadata).length > 0 && (
        <Claim name={text.metadata}>
          <Tree value={metadata} />
        </Claim>
      )}
      {silent && <p className="label pt-2">{text.none}</p>}
    </ClaimSection>
  )
}

function Claim({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="border-b border-claim-line py-2 last:border-b-0">
      <p className="label">{name}</p>
      <div className="mt-0.5 min-w-0">{children}</div>
    </div>
  )
}

/** Prose is short as a rule; what is not is folded like any other text. */
function LongText({ value }: { value: string }) {
  return value.length > 1_200 ? <Tree value={{ text: value }} /> : <SafeValue raw={value} />
}

function Tree({ value }: { value: JsonObject }) {
  const folds = useFolds(value)
  return <JsonTree value={value} folds={folds} />
}

function Nothing() {
  return <span className="label">{messages.claims.nothing}</span>
}
