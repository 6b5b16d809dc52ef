/**
 * Icons: drawn with one stroke, decorative, always beside a word.
 *
 * @module
 */
import type { ReactNode } from 'react'

const PATHS = {
  gate: (
    <>
      <path d="M5.5 20V10.5a6.5 6.5 0 0 1 13 0V20" />
      <path d="m9.5 13.5 2 2 3.5-4" />
    </>
  ),
  back: <path d="m14 6-6 6 6 6" />,
  next: <path d="m10 6 6 6-6 6" />,
  down: <path d="m6 10 6 6 6-6" />,
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  cross: <path d="M6.5 6.5l11 11m0-11-11 11" />,
  pencil: <path d="M5 19l1-4L16 5l3 3L9 18l-4 1z" />,
  warning: (
    <>
      <path d="M12 4.5 3.5 19.5h17z" />
      <path d="M12 10v4.5m0 2.2v.1" />
    </>
  ),
  shield: (
    <>
      <path d="M12 3.5l7 2.5v5.5c0 4.3-2.9 7.4-7 9-4.1-1.6-7-4.7-7-9V6z" />
      <path d="m9 12 2.2 2.2L15.2 10" />
    </>
  ),
  quote: <path d="M5 6.5h14v9H11l-3.5 3.5v-3.5H5z" />,
  clock: (
    <>
      <circle cx="12" cy="12" r="8" />
      <path d="M12 7.5V12l3 2" />
    </>
  ),
  eye: (
    <>
      <path d="M3 12c2.3-4 5.3-6 9-6s6.7 2 9 6c-2.3 4-5.3 6-9 6s-6.7-2-9-6z" />
      <circle cx="12" cy="12" r="2.5" />
    </>
  ),
  lock: (
    <>
      <rect x="5.5" y="10.5" width="13" height="9" rx="1.5" />
      <path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5" />
    </>
  ),
  inbox: (
    <>
      <path d="M4 13.5 6.5 5h11l2.5 8.5v5.5H4z" />
      <path d="M4 13.5h4.5l1.2 2.5h4.6l1.2-2.5H20" />
    </>
  ),
} satisfies Record<string, ReactNode>

export type IconName = keyof typeof PATHS

export function Icon({ name, className = 'size-4' }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 24 24"
      className={`shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.75"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {PATHS[name]}
    </svg>
  )
}
