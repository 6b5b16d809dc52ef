/**
 * Suspension: a call that waits in LangGraph's checkpoint and not in a process. It interrupts with the id of its intent; the
 * graph may be resumed at any time, by anybody, in any process, any number of times. The value of a resume is a wake-up and
 * never believed: each time the gate is asked again, and only its grant lets the tool run.
 *
 * @module
 */
import {
  type Begun,
  begin,
  type Gate,
  type GateCall,
  type GateEvent,
  type Look,
  look,
  refusalCode,
  refusalError,
  waitsForLater,
} from '@silentauth/core'
import { GATE_INTERRUPT, type GateInterrupt, isGateInterrupt } from './gate-interrupt.js'
import type { GateToolOptions } from './gate-options.js'
import type { ToolCall, ToolConfig } from './tool-call.js'

export interface Suspension {
  readonly tool: string
  readonly call: ToolCall
  readonly options: GateToolOptions
  readonly onEvent: (event: GateEvent) => void
}

/** By name, as LangGraph recognises its own: two copies of it can be loaded. */
export function isInterrupt(error: unknown): boolean {
  const name = error instanceof Error ? error.name : undefined
  return name === 'GraphInterrupt' || name === 'NodeInterrupt'
}

/**
 * Looks, and begins what is approved; else interrupts, and looks again when the graph was resumed.
 *
 * @throws LangGraph's interrupt, which suspends the graph; TypeError without a checkpointer: nothing was asked then; the
 * signal's reason
 */
export async function suspend(asked: GateCall, { tool, call, options, onEvent }: Suspension): Promise<Begun> {
  const { gate } = options
  const { signal } = call.config
  const pause = await pauseOf(tool, asked.key, call.config)
  let known = false
  for (;;) {
    signal?.throwIfAborted()
    const seen = await look(gate, asked, { create: !known, signal })
    known = seen.type !== 'refused'
    const answer = await beginOrWait(gate, asked, seen, { pause, reenters: options.reenters ?? false, onEvent, signal })
    if (answer.type === 'begun' || (answer.type !== 'pending' && !waitsForLater(answer, options))) {
      if (answer.type === 'refused') tellRefusal(answer, asked, onEvent)
      return answer
    }
    pause.wait(interruptOf(answer, { asked, tool, call }))
  }
}

interface Waiting {
  readonly pause: Pause
  readonly reenters: boolean
  readonly onEvent: (event: GateEvent) => void
  readonly signal: AbortSignal | undefined
}

type Answer = Begun | Extract<Look, { type: 'pending' }>

async function beginOrWait(
  gate: Gate,
  asked: GateCall,
  seen: Look,
  { pause, reenters, onEvent, signal }: Waiting,
): Promise<Answer> {
  switch (seen.type) {
    case 'pending':
      onEvent({ type: 'pending', intent: seen.intent, approvalUrl: seen.intent.approvalUrl })
      return seen
    case 'running':
    case 'refused':
      return seen
    case 'approved':
    case 'finished': {
      const { intent, edited } = seen
      // What policy approved at once never waited, and took no answer of a resume.
      const waited = edited || intent.decision === 'require_approval'
      // A tool that asks something itself must find its own answers where they were: it goes on only with a wake-up.
      if (waited && !pause.settle() && reenters) return { type: 'pending', intent }
      if (waited && intent.execution.state === 'none') onEvent({ type: 'decided', intent })
      return begin(gate, asked, seen, { signal, onEvent })
    }
  }
}

function tellRefusal(refusal: Extract<Begun, { type: 'refused' }>, asked: GateCall, onEvent: Waiting['onEvent']): void {
  const { intent, code } = refusal
  const { action } = asked.draft
  if (intent?.resolution && intent.status !== 'approved') onEvent({ type: 'decided', intent: intent as never })
  else onEvent({ type: 'refused', intent, action, code, message: refusalError(refusal).message })
}

function interruptOf(
  answer: Exclude<Answer, { type: 'begun' }>,
  { asked, tool, call }: { asked: GateCall; tool: string; call: ToolCall },
): GateInterrupt {
  const { intent } = answer
  return {
    type: GATE_INTERRUPT,
    reason: refusalCode(answer),
    action: asked.draft.action,
    tool,
    ...(call.own?.id !== undefined && { toolCallId: call.own.id }),
    ...(intent && {
      intentId: intent.id,
      approvalUrl: intent.approvalUrl,
      expiresAt: new Date(intent.expiresAt).toISOString(),
    }),
    resume: 'resolveInterrupts() of @silentauth/langchain/langgraph gives the command that resumes this thread',
  }
}

/** The interrupts of one call in one attempt of its task. */
interface Pause {
  /** Interrupts; comes back when the graph was resumed with an answer that this call has not taken yet. */
  wait(value: GateInterrupt): void
  /** Takes the answers that this call has waited for, so that those of others keep their places. False: there was none. */
  settle(): boolean
}

/** What of LangGraph's scratchpad says which answers a task was resumed with. */
interface Scratchpad {
  readonly interruptCounter: number
  readonly resume: readonly unknown[]
  readonly nullResume?: unknown
}

/** Calls that have taken their wake-up, by attempt: a layer that tries a call again must not wait a second time. */
const woken = new WeakMap<object, Set<string>>()

async function pauseOf(tool: string, key: string, config: ToolConfig): Promise<Pause> {
  const pad = config.configurable?.__pregel_scratchpad as Scratchpad | undefined
  if (!config.configurable?.__pregel_checkpointer || !pad) {
    throw new TypeError(`${tool}: wait: 'suspend' needs a graph with a checkpointer`)
  }
  const interrupt = config.interrupt ?? (await import('@langchain/langgraph')).interrupt
  const done = woken.get(pad) ?? new Set<string>()
  woken.set(pad, done)
  const next = (): unknown => pad.resume[pad.interruptCounter + 1]
  return {
    wait(value) {
      interrupt(value)
      done.add(key)
    },
    settle() {
      const settled: GateInterrupt['type'] = GATE_INTERRUPT
      if (!done.has(key) && (next() !== undefined || pad.nullResume !== undefined)) {
        interrupt({ type: settled })
        done.add(key)
      }
      // The graph was resumed before the decision, perhaps more than once.
      while (done.has(key) && isGateInterrupt(next())) interrupt({ type: settled })
      return done.has(key)
    },
  }
}
