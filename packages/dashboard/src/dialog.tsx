/**
 * Dialogs: one question, one field, one answer. Base UI keeps the focus inside and gives it back.
 *
 * @module
 */
import { Dialog as Base } from '@base-ui/react/dialog'
import { type ReactNode, useId, useState } from 'react'
import { Button, type ButtonLook } from './button.js'
import { messages } from './messages.js'

export interface DialogAnswer {
  readonly label: string
  readonly look: ButtonLook
  readonly onPick: (text: string) => void
}

export interface AskDialogProps {
  readonly open: boolean
  readonly onClose: () => void
  readonly title: string
  readonly lead: ReactNode
  readonly label: string
  /** `line`: the exact text that has to be typed; else free text, of at most 2,000 characters. */
  readonly exactly?: string
  /** Whether an empty text is an answer. @default false */
  readonly optional?: boolean
  readonly answers: readonly DialogAnswer[]
}

/** Longest comment that the gate keeps. */
export const COMMENT_LIMIT = 2_000

export function AskDialog({ open, onClose, ...content }: AskDialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-20 bg-black/45" />
        <Base.Viewport className="fixed inset-0 z-30 grid place-items-end overflow-y-auto p-3 sm:place-items-center">
          <Base.Popup className="appear w-full max-w-lg rounded-2xl border border-line bg-surface p-5 shadow-2xl sm:p-6">
            <Content {...content} />
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}

/** Of its own, so that what was typed is gone when the dialog closes. */
function Content({ title, lead, label, exactly, optional = false, answers }: Omit<AskDialogProps, 'open' | 'onClose'>) {
  const [text, setText] = useState('')
  const field = useId()
  const hint = useId()
  const ready = exactly === undefined ? optional || text.trim() !== '' : text === exactly
  const [first] = answers
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (ready && answers.length === 1) first?.onPick(text)
      }}
    >
      <Base.Title className="text-lg font-semibold">{title}</Base.Title>
      <Base.Description render={<div />} className="mt-1.5 text-soft">
        {lead}
      </Base.Description>
      <label htmlFor={field} className="mt-4 block font-semibold">
        {label}
      </label>
      {exactly === undefined ? (
        <textarea
          id={field}
          rows={4}
          maxLength={COMMENT_LIMIT}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          className="mt-1.5 w-full rounded-lg border border-edge bg-page px-3 py-2"
        />
      ) : (
        <>
          <input
            id={field}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            autoComplete="off"
            autoCapitalize="none"
            autoCorrect="off"
            spellCheck={false}
            aria-describedby={hint}
            className="value mt-1.5 w-full rounded-lg border border-edge bg-page px-3 py-2"
          />
          <p id={hint} className="label mt-1.5 min-h-5">
            {text !== '' && text !== exactly && messages.dialog.confirmMismatch}
          </p>
        </>
      )}
      <div className="mt-4 flex flex-wrap justify-end gap-2.5">
        <Base.Close render={<Button look="plain" />}>{messages.cancel}</Base.Close>
        {answers.map((answer) => (
          <Button
            key={answer.label}
            type={answers.length === 1 ? 'submit' : 'button'}
            look={answer.look}
            disabled={!ready}
            {...(answers.length === 1 ? {} : { onClick: () => answer.onPick(text) })}
          >
            {answer.label}
          </Button>
        ))}
      </div>
    </form>
  )
}
