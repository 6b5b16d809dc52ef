/**
 * One message of the chat: texts, and of each refund how far it is.
 */
import { PendingApproval, type ShownApproval } from '@silentauth/ai-sdk/react'
import type { UIMessage } from 'ai'

interface Refund {
  input: { customer_id: string; amount: number }
  /** Or why it was not paid. */
  output: { refunded: number; approved_by: string[] } | { code: string; text: string }
}
export type ChatMessage = UIMessage<unknown, never, { issue_refund: Refund }>
type RefundPart = Extract<ChatMessage['parts'][number], { type: 'tool-issue_refund' }>

export function Message({ message, approvals }: { message: ChatMessage; approvals: readonly ShownApproval[] }) {
  const isUser = message.role === 'user'
  return (
    <article className={message.role} aria-label={isUser ? 'You' : 'Agent'}>
      {message.parts.map((part, index) => {
        const key = `${message.id}/${index}`
        if (part.type === 'text') return <p key={key}>{part.text}</p>
        if (part.type !== 'tool-issue_refund') return null
        const approval = approvals.find(({ toolCallId }) => toolCallId === part.toolCallId)
        return approval ? <Waiting key={key} part={part} approval={approval} /> : <Settled key={key} part={part} />
      })}
    </article>
  )
}

function Waiting({ part, approval }: { part: RefundPart; approval: ShownApproval }) {
  const { descriptor } = approval
  return (
    <PendingApproval approval={approval} className="card waits">
      <strong>Waits for a person’s approval</strong>
      <dl>
        <dt>Action</dt>
        <dd>{descriptor?.action ?? approval.toolName}</dd>
        <dt>Customer</dt>
        <dd>{part.input?.customer_id}</dd>
        <dt>Amount</dt>
        <dd>{part.input?.amount}</dd>
        {descriptor && (
          <>
            <dt>Until</dt>
            <dd>{new Date(descriptor.expiresAt).toLocaleTimeString([], { timeStyle: 'short' })}</dd>
          </>
        )}
      </dl>
    </PendingApproval>
  )
}

function Settled({ part }: { part: RefundPart }) {
  switch (part.state) {
    case 'input-streaming':
    case 'input-available':
    case 'approval-responded':
      return <p className="hint">Asking the gate …</p>
    case 'approval-requested':
      // Of an earlier message: the one after it took its place.
      return <Unpaid why="Another message was sent before a person decided." />
    case 'output-available':
      if ('code' in part.output) return <Unpaid why={part.output.text} />
      return (
        <p className="card done">
          Refunded {part.output.refunded} to <code>{part.input.customer_id}</code>, approved by{' '}
          {part.output.approved_by.join(', ')}
        </p>
      )
    case 'output-denied':
      return <Unpaid why={part.approval.reason ?? 'It was denied.'} />
    case 'output-error':
      return <Unpaid why={part.errorText} />
  }
}

/** The gate's words to the model, which say who stopped it and why. */
function Unpaid({ why }: { why: string }) {
  return (
    <div className="card stopped">
      <strong>Not refunded</strong>
      <p>{why}</p>
    </div>
  )
}
