/**
 * The terminal reporter prints what a gated call waits for: one line that updates itself, plain lines without a TTY.
 *
 * @module
 */
import type { GateEvent } from './gate.js'
import type { IntentId } from './id.js'
import type { Intent } from './intent.js'

export interface TerminalReporterOptions {
  /** @default process.stderr, so that a program's own output stays clean */
  readonly stream?: TerminalStream | undefined
  /** Epoch milliseconds. @default Date.now */
  readonly now?: (() => number) | undefined
}
export interface TerminalStream {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

/** Pass it as `onEvent`. One reporter serves any number of calls. */
export function terminalReporter(options: TerminalReporterOptions = {}): (event: GateEvent) => void {
  const stream = options.stream ?? process.stderr
  const now = options.now ?? Date.now
  const waiting = new Map<IntentId, { intent: Intent; votes: number; required: number }>()
  let timer: ReturnType<typeof setInterval> | undefined
  let lineOpen = false

  const clear = (): void => {
    if (lineOpen) stream.write('\r\u001b[2K')
    lineOpen = false
  }
  const print = (text: string): void => {
    clear()
    stream.write(`${text}\n`)
  }
  const draw = (): void => {
    const [first] = waiting.values()
    if (!stream.isTTY || !first) return
    clear()
    const others = waiting.size > 1 ? `, and ${waiting.size - 1} more` : ''
    stream.write(
      `  waiting for ${first.intent.action}: ${first.votes} of ${first.required} votes, ${left(first.intent, now())} left${others}`,
    )
    lineOpen = true
  }
  const rest = (id: IntentId): void => {
    waiting.delete(id)
    if (waiting.size === 0) {
      clearInterval(timer)
      timer = undefined
      clear()
    }
  }

  return (event) => {
    switch (event.type) {
      case 'pending':
        print(`${event.intent.action} needs approval: ${event.approvalUrl}`)
        waiting.set(event.intent.id, { intent: event.intent, votes: 0, required: event.intent.approvalsRequired })
        if (stream.isTTY && timer === undefined) {
          timer = setInterval(draw, 1000)
          timer.unref?.()
        }
        draw()
        return
      case 'waiting':
        waiting.set(event.intent.id, { intent: event.intent, votes: event.votes, required: event.votesRequired })
        if (stream.isTTY) draw()
        else print(`  still waiting: ${event.votes} of ${event.votesRequired} votes, ${left(event.intent, now())} left`)
        return
      case 'decided': {
        rest(event.intent.id)
        const by = event.intent.approvedBy?.length ? ` by ${event.intent.approvedBy.join(', ')}` : ''
        print(`  ${event.intent.status}${by}`)
        return
      }
      case 'claimed':
        print(`  executing ${event.intent.action} with a permit`)
        return
      case 'finished':
        rest(event.intent.id)
        print(`  ${event.intent.action} ${event.outcome.status}`)
        return
      case 'report_failed':
        print(`  ${event.intent.action}: its outcome could not be reported; the gate will show it as unknown`)
        return
      case 'refused':
        if (event.intent) rest(event.intent.id)
        print(`  ${event.action} was not executed: ${event.message}`)
        return
    }
  }
}

function left(intent: Intent, now: number): string {
  const seconds = Math.max(0, Math.round((intent.expiresAt - now) / 1000))
  return seconds >= 60 ? `${Math.floor(seconds / 60)} min ${seconds % 60} s` : `${seconds} s`
}
