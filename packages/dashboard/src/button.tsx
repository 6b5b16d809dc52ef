/**
 * Buttons, in four weights: what approves, what refuses, what is ordinary, and what is only a link's worth.
 *
 * @module
 */
import type { ButtonHTMLAttributes } from 'react'

export type ButtonLook = 'gate' | 'stop' | 'plain' | 'bare'

const SHAPE =
  'inline-flex min-h-10 items-center justify-center gap-2 rounded-lg px-4 py-2 text-[0.9375rem] font-semibold transition-colors disabled:cursor-not-allowed'

const LOOKS: Record<ButtonLook, string> = {
  gate: `${SHAPE} bg-gate text-on-gate hover:bg-gate-press disabled:bg-sunken disabled:text-soft disabled:inset-ring disabled:inset-ring-line`,
  stop: `${SHAPE} bg-surface text-stop inset-ring inset-ring-stop hover:bg-stop-tint disabled:bg-sunken disabled:text-soft disabled:inset-ring-line`,
  plain: `${SHAPE} bg-surface text-ink inset-ring inset-ring-edge hover:bg-sunken disabled:bg-sunken disabled:text-soft disabled:inset-ring-line`,
  bare: 'inline-flex min-h-6 items-center gap-1.5 rounded text-[0.8125rem] font-semibold text-gate underline decoration-1 underline-offset-3 hover:decoration-2 disabled:text-soft disabled:no-underline',
}

/** The classes alone, for a link that looks like a button. */
export function buttonClass(look: ButtonLook): string {
  return LOOKS[look]
}

export function Button({
  look = 'plain',
  className = '',
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { look?: ButtonLook }) {
  return <button type="button" {...rest} className={`${LOOKS[look]} ${className}`} />
}
