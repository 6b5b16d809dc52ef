/**
 * Rota: everybody in it gets a turn in each period, spread over it evenly. Thousands whose turn came at once would hold up whoever
 * waits for an answer meanwhile.
 *
 * @module
 */

export interface Rota<Member> extends Disposable {
  /** @returns takes it out again; its first turn comes within one period */
  add(member: Member): () => void
}

/** Turns come this often, unless the period is shorter. */
const TURN_MS = 50

/**
 * Its clock stands still while nobody is in it.
 *
 * @param periodMs 0: nobody ever has a turn
 */
export function rota<Member>(periodMs: number, turn: (member: Member) => void): Rota<Member> {
  const shifts = Array.from({ length: Math.max(1, Math.floor(periodMs / TURN_MS)) }, () => new Set<Member>())
  let size = 0
  let joined = 0
  let turns = 0
  let timer: NodeJS.Timeout | undefined

  const next = (): void => {
    for (const member of [...(shifts[turns++ % shifts.length] ?? [])]) turn(member)
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }

  return {
    add(member) {
      const shift = shifts[joined++ % shifts.length] as Set<Member>
      shift.add(member)
      size++
      if (periodMs > 0) timer ??= setInterval(next, periodMs / shifts.length).unref()
      return () => {
        if (!shift.delete(member)) return
        size--
        if (size === 0) stop()
      }
    },
    [Symbol.dispose]: stop,
  }
}
