/**
 * Superseded calls: a new message to a thread that waits starts its agent over, and leaves tool calls without an answer in
 * the history, which model providers refuse. Each is answered directly behind the message that made it, and its intent
 * cancelled, so that nobody approves what nobody waits for.
 *
 * @module
 */
import { AIMessage, type BaseMessage, RemoveMessage, ToolMessage } from '@langchain/core/messages'
import { type Gate, type GateRefusal, type IntentId, supersede } from '@silentauth/core'
import { type GateInterrupt, isGateInterrupt } from './gate-interrupt.js'
import { type Checkpointer, INTERRUPT_CHANNEL } from './pending-writes.js'
import { configOf } from './tool-call.js'

export interface Superseding {
  readonly gate: Gate
  /** False: the intents stay as they are. */
  readonly cancel: boolean
  /** Of the hook. */
  readonly runtime: unknown
}

/** Replaces the list of messages; undefined when each call has its answer. */
export async function answerSuperseded(
  messages: readonly BaseMessage[],
  { gate, cancel, runtime }: Superseding,
): Promise<BaseMessage[] | undefined> {
  const left = messages.map((message, index) => unanswered(message, messages.slice(index + 1)))
  const ids = new Set(left.flat().map(({ id }) => id ?? ''))
  if (ids.size === 0) return undefined

  const intents = await suspendedIntents(configOf(runtime), ids)
  const answers = new Map<string, GateRefusal>()
  for (const [id, intentId] of intents) answers.set(id, await supersede(gate, intentId, { cancel }))
  return [
    // The one id that stands for every message before.
    new RemoveMessage({ id: '__remove_all__' }),
    ...messages.flatMap((message, index) => [
      message,
      ...(left[index] ?? []).map(({ id = '', name }) => answer(id, name, answers.get(id))),
    ]),
  ]
}

interface Call {
  readonly id?: string | undefined
  readonly name: string
}

/** Answers stand between a message and the next one of the model: ids repeat over turns, and within one with some models. */
function unanswered(message: BaseMessage, following: readonly BaseMessage[]): readonly Call[] {
  if (!AIMessage.isInstance(message)) return []
  const next = following.findIndex((later) => AIMessage.isInstance(later))
  const answered = following
    .slice(0, next < 0 ? undefined : next)
    .flatMap((later) => (ToolMessage.isInstance(later) ? [later.tool_call_id] : []))
  return (message.tool_calls ?? []).filter(({ id = '' }) => {
    const place = answered.indexOf(id)
    if (place >= 0) answered.splice(place, 1)
    return place < 0
  })
}

function answer(id: string, name: string, refusal: GateRefusal | undefined): ToolMessage {
  return new ToolMessage({
    status: 'error',
    name,
    tool_call_id: id,
    content: refusal
      ? `${refusal.text} The user has sent another message since.`
      : 'No result: the user sent another message before this call had one. It may have run.',
    ...(refusal && { artifact: refusal }),
  })
}

/** How far back: a new message makes a checkpoint or two behind the one that was suspended. */
const MAX_CHECKPOINTS_BACK = 5

/** Tool call id → intent, of the calls that the thread was suspended for. */
async function suspendedIntents(
  { configurable = {} }: ReturnType<typeof configOf>,
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, IntentId>> {
  const found = new Map<string, IntentId>()
  const checkpointer = configurable.__pregel_checkpointer as Checkpointer | undefined
  // A hook runs in a namespace of its own; the thread, or the agent in a tool, is the one around it.
  const namespace = String(configurable.checkpoint_ns ?? '')
    .split('|')
    .slice(0, -1)
    .join('|')
  let config: object | undefined = {
    configurable: { thread_id: configurable.thread_id, checkpoint_ns: namespace },
  }
  for (let back = 0; checkpointer && config && back < MAX_CHECKPOINTS_BACK && found.size === 0; back++) {
    const tuple = await checkpointer.getTuple(config as never)
    for (const [, channel, value] of tuple?.pendingWrites ?? []) {
      if (channel !== INTERRUPT_CHANNEL) continue
      for (const interrupt of [value].flat() as { value?: unknown }[]) {
        const gate = isGateInterrupt(interrupt?.value) ? (interrupt.value as GateInterrupt) : undefined
        if (gate?.intentId && ids.has(gate.toolCallId ?? ''))
          found.set(gate.toolCallId ?? '', gate.intentId as IntentId)
      }
    }
    config = tuple?.parentConfig
  }
  return found
}
