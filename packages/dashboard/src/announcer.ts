/**
 * Announcements: what changed, said to screen readers through one polite live region.
 *
 * @module
 */

export interface Announcer {
  say(text: string): void
  text(): string
  subscribe(listener: () => void): () => void
}

export function announcer(): Announcer {
  const listeners = new Set<() => void>()
  let said = ''
  return {
    say(text) {
      // The same words again are only read when the text differs.
      said = said === text ? `${text}\u00a0` : text
      for (const listener of listeners) listener()
    },
    text: () => said,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
