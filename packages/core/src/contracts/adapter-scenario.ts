/**
 * A scenario is one thing that can happen to a call of a gated tool, with what must come of it; and the words in which
 * scenarios are written.
 *
 * @module
 */
import type { ErrorCode } from '../errors.js'
import type { Claim } from '../gate.js'
import type { JsonObject } from '../json.js'
import type { AdapterOptions, AgentCall, AgentRun, AgentTool, AgentTurn, SuspendedAct } from './adapter-driver.js'
import { type Decide, type GateHooks, refusedBy, type Stage } from './adapter-stage.js'

/** A run of the refund agent. Its tools: `issue_refund`, and what `adapter-agent.ts` lists. */
export interface Scenario {
  readonly name: string
  /** @default a refund of 250, then the answer */
  readonly turns?: readonly AgentTurn[]
  /** Of `issue_refund`. @default 'plain' */
  readonly kind?: AgentTool['kind']
  /** What `issue_refund` does each time that it runs, before it gives its result; a text that this gives is the result. */
  readonly during?: (stage: Stage, time: number) => unknown
  /** Of `issue_refund`: it, or the framework, gives up then. */
  readonly toolTimeoutMs?: number
  readonly options?: Omit<AdapterOptions, 'onEvent' | 'wait'>
  readonly streaming?: boolean
  readonly repeats?: AgentRun['repeats']
  /** How often the agent runs, in one thread. @default 1 */
  readonly runs?: number
  readonly before?: (stage: Stage) => unknown
  /** Once for each intent that somebody waits for. @default nobody decides */
  readonly decide?: Decide
  readonly hooks?: (stage: Stage) => GateHooks
  readonly expected: Expected
  /** Where the run is suspended while it waits: what comes of it there, or why there is no such thing. @default the same */
  readonly suspended?: Expected | string
  /** Only for runs that are suspended: what happens to one before people decide (or in between), and after it ended. */
  readonly meanwhile?: readonly (SuspendedAct | 'decide' | 'resume')[]
  readonly afterwards?: readonly SuspendedAct[]
}

export interface Expected {
  /** What the model sees of its calls, in their order: a part of the text, the refusal with this code, or a part of an error. */
  readonly sees?: readonly (string | { readonly refused: ErrorCode } | { readonly error: string })[]
  readonly caller?:
    | 'the answer'
    | 'an empty answer'
    | 'the reason of the abort'
    | 'a run that waits'
    /** A part of what is thrown. */
    | { readonly error: string }
  /** `<status> <execution>` of every intent, sorted. */
  readonly intents: readonly (string | RegExp)[]
  /** The amount of each time that `issue_refund` ran, always with a permit for exactly that. */
  readonly ran: readonly number[]
  /** Among the events that were emitted. */
  readonly events?: readonly string[]
}

/** What comes of a scenario in one framework instead, and why. */
export interface Deviation extends Expected {
  readonly because: string
}

/** By scenario, where a framework differs: why it cannot play it, or what comes of it instead. */
export type Differences = Readonly<Record<string, string | Deviation>>

/** How an adapter waits: a process does, or the framework keeps the run. */
export type AdapterMode = 'hold' | 'suspend'

/** What comes of a scenario in a mode and a framework; a text says why there is no such thing. */
export function expectedIn(
  { name, expected, suspended = expected, meanwhile, afterwards }: Scenario,
  mode: AdapterMode,
  differences: Differences = {},
): Expected | Deviation | string {
  if (mode === 'hold' && (meanwhile || afterwards)) return 'the process waits'
  return differences[name] ?? (mode === 'suspend' ? suspended : expected)
}

export const CUSTOMER = 'cust_4821'
export const ANSWER: AgentTurn = { text: 'All done.' }
export const REFUNDED = 'refunded 250'

export const refund = (amount: number, id = 'call_1'): AgentCall => ({
  id,
  name: 'issue_refund',
  args: { customer_id: CUSTOMER, amount },
})
export const other = (name: string, args: JsonObject | string, id = 'call_1'): AgentCall => ({ id, name, args })
export const calls = (...list: AgentCall[]): AgentTurn[] => [{ calls: list }, ANSWER]
/** To an agent in a gated tool. */
export const DELEGATED: readonly AgentTurn[] = [
  { calls: [other('delegate_case', { customer_id: CUSTOMER })] },
  { calls: [refund(250, 'call_2')] },
  { text: 'The colleague is done.' },
  ANSWER,
]
export const refused = (code: ErrorCode) => ({ refused: code })

export const approve: Decide = (stage, intent) => stage.approve(intent)
/** The successor has the edited params: somebody else approves it. */
export const edit =
  (amount: number): Decide =>
  (stage, intent) =>
    intent.params.amount === amount
      ? stage.approve(intent, 'another person')
      : stage.edit(intent, { customer_id: CUSTOMER, amount })
/** Tries something that must be refused with this code, then denies, so that the call comes to an end. */
export const refusedThenDenied =
  (code: ErrorCode, attempt: Decide): Decide =>
  async (stage, intent) => {
    const found = await attempt(stage, intent).then(
      () => 'no refusal',
      (error: { code?: unknown }) => error.code,
    )
    if (found !== code) throw new Error(`the stage expected ${code} and found ${String(found)}`)
    await stage.deny(intent, 'for other reasons')
  }
export const TWO_PEOPLE: readonly JsonObject[] = [
  { decision: 'require_approval', match: { action_pattern: '*' }, approval: { approvers_required: 2 } },
]

/** In place of the answer to a granted claim. */
export const grantedClaim =
  (change: (granted: Extract<Claim, { type: 'granted' }>) => Claim): NonNullable<GateHooks['claim']> =>
  async (next) => {
    const claim = await next()
    return claim.type === 'granted' ? change(claim) : claim
  }
export const down = async (): Promise<never> => {
  throw refusedBy('GATE_UNAVAILABLE')
}
export const abort = (stage: Stage) => stage.controller.abort(new Error('the user left'))

/** After an abort: nothing ran, and the caller gets the reason back. */
export const aborted = (...intents: string[]): Expected => ({ caller: 'the reason of the abort', intents, ran: [] })
/** The model is told, the agent goes on, and nothing ran. */
export const told = (code: ErrorCode, ...intents: string[]): Expected => ({
  sees: [refused(code)],
  caller: 'the answer',
  intents,
  ran: [],
})
/** Nothing ran, and the run can go on later. */
export const waits = (...intents: string[]): Expected => ({ caller: 'a run that waits', intents, ran: [] })
export const done: Expected = { sees: [REFUNDED], caller: 'the answer', intents: ['approved succeeded'], ran: [250] }

export function failFirst(_: Stage, time: number): void {
  if (time === 1) throw new Error('the bank is closed')
}

/** Another signature of the same length. */
export function altered(permit: string): string {
  const at = permit.length - 10
  return `${permit.slice(0, at)}${permit[at] === 'A' ? 'B' : 'A'}${permit.slice(at + 1)}`
}
