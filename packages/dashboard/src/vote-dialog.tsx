/**
 * What a vote asks for before it is cast: the typed confirmation, a reason, or what should change.
 *
 * @module
 */
import type { WireReview } from '@silentauth/core/wire'
import type { Verdict } from './api.js'
import { AskDialog } from './dialog.js'
import { messages } from './messages.js'
import { SafeInline } from './safe-value.js'

export interface VoteDialogProps {
  /** Undefined while none is open. */
  readonly asked: Verdict | undefined
  readonly review: WireReview
  readonly onClose: () => void
  readonly onVote: (verdict: Verdict, more: { comment?: string; confirm?: string }) => void
}

export function VoteDialog({ asked, review, onClose, onVote }: VoteDialogProps) {
  const text = messages.dialog
  const confirmation = review.confirmation ?? ''
  return (
    <>
      <AskDialog
        open={asked === 'approve'}
        onClose={onClose}
        title={text.confirmTitle}
        lead={
          <>
            {text.confirmLead}
            {/* Made by the gate from the action and the digest, never from what the agent wrote. */}
            <span className="mt-3 block rounded-lg bg-sunken px-3 py-2 text-base font-semibold text-ink inset-ring inset-ring-line select-all">
              <SafeInline raw={confirmation} />
            </span>
          </>
        }
        label={text.confirmLabel}
        exactly={confirmation}
        answers={[
          {
            label: messages.decide.approve,
            look: 'gate',
            onPick: (typed) => onVote('approve', { confirm: typed }),
          },
        ]}
      />
      <AskDialog
        open={asked === 'deny'}
        onClose={onClose}
        title={text.denyTitle}
        lead={text.denyLead}
        label={text.denyLabel}
        optional
        answers={[
          { label: messages.decide.deny, look: 'stop', onPick: (reason) => onVote('deny', { comment: reason.trim() }) },
        ]}
      />
      <AskDialog
        open={asked === 'request_changes'}
        onClose={onClose}
        title={text.changesTitle}
        lead={text.changesLead}
        label={text.changesLabel}
        answers={[
          {
            label: messages.decide.requestChanges,
            look: 'gate',
            onPick: (wanted) => onVote('request_changes', { comment: wanted.trim() }),
          },
        ]}
      />
    </>
  )
}
