/**
 * The call key says what makes a call the same call after a restart. It is the idempotency key of the declare and the
 * execution id of the claim. The arguments are never in it: changed arguments under one key are a refusal.
 *
 * @module
 */
import { canonicalJson } from './canonical-json.js'
import { digestOf } from './digest.js'

export interface CallIdentity {
  /** LangChain: thread and namespace. AI SDK: tenant. */
  readonly scope: string
  /** LangChain: task id, random outside a graph. OpenAI: run key. AI SDK: the app's `run`. Never empty. */
  readonly run: string
  readonly agent?: string | undefined
  readonly callId?: string | undefined
  /** Tells equal calls apart. */
  readonly occurrence: number
}

/** @throws TypeError when `run` is empty: then every call of the process would be the same one */
export function callKey({ scope, run, agent, callId, occurrence }: CallIdentity): string {
  if (run === '') throw new TypeError('callKey: run must not be empty')
  return `call1:${digestOf(canonicalJson([scope, run, agent ?? null, callId ?? null, occurrence])).slice(8)}`
}
