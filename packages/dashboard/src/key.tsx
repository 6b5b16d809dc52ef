/**
 * A key as it is drawn in help texts.
 *
 * @module
 */

export function Key({ children }: { children: string }) {
  return (
    <kbd className="inline-grid min-w-5 place-items-center rounded bg-surface px-1 font-mono text-[0.75rem] leading-5 text-ink inset-ring inset-ring-edge">
      {children}
    </kbd>
  )
}
