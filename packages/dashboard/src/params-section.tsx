/**
 * What will run: the params, whole. They are the agent's text too, but they are what an approval allows, word by word.
 *
 * @module
 */
import type { JsonPointer } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import { Button } from './button.js'
import type { HiddenShape } from './hidden-value.js'
import { HiddenValue } from './hidden-value.js'
import { JsonTree } from './json-tree.js'
import { messages } from './messages.js'
import { RevealableValue } from './revealable-value.js'
import { Section } from './section.js'
import type { Folds } from './use-folds.js'

export function ParamsSection({ review, folds }: { review: WireReview; folds: Folds }) {
  const { view } = review
  const text = messages.params
  const count = Object.keys(view.params).length
  const barred = review.can_vote.code === 'SELF_APPROVAL' || review.can_vote.code === 'NOT_AN_APPROVER'
  const hidden = (pointer: JsonPointer, shape: HiddenShape) =>
    // Only what the view lists was hidden by the gate in the params.
    view.redacted.includes(pointer) ? (
      <RevealableValue
        intentId={view.intent_id}
        pointer={pointer}
        shape={shape}
        revealed={review.revealed.find((value) => value.pointer === pointer)}
        mayReveal={!barred}
      />
    ) : (
      <HiddenValue shape={shape} />
    )
  return (
    <Section
      title={
        review.status === 'pending' ? text.title : review.status === 'approved' ? text.titleApproved : text.titlePast
      }
      {...(review.status === 'pending' ? { lead: text.lead } : {})}
      aside={
        folds.unopened > 0 && (
          <span className="flex items-center gap-3 text-[0.875rem]">
            <span className="font-semibold text-care">{text.folded(folds.unopened)}</span>
            <Button look="bare" onClick={folds.openAll}>
              {text.showAll}
            </Button>
          </span>
        )
      }
    >
      <div
        data-untrusted="params"
        className="overflow-hidden rounded-xl border border-line bg-surface px-4 py-1.5 sm:px-5 sm:py-2.5"
      >
        {count === 0 ? (
          <p className="py-2 text-soft">{text.none}</p>
        ) : (
          <JsonTree value={view.params} folds={folds} hidden={hidden} />
        )}
      </div>
      <p className="label mt-2 flex flex-wrap gap-x-2">
        {text.digest}
        <span className="value break-all">{view.params_digest}</span>
      </p>
    </Section>
  )
}
