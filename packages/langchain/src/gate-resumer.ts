/**
 * The gate resumer goes on with suspended threads once their calls are decided: told by webhook, found by polling, or both.
 * A webhook is a hint: what is true is read from the gate, and the call that is woken asks it again.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RunnableConfig } from '@langchain/core/runnables'
import { type Gate, type Intent, type IntentId, isSilentAuthError } from '@silentauth/core'
import { type GraphOrAgent, resolveInterrupts } from './pending-gates.js'

/** A thread, and the graph that knows it. */
export interface SuspendedThread {
  readonly graph: GraphOrAgent
  /** With `configurable.thread_id`. */
  readonly config: RunnableConfig
}

export interface GateResumerOptions {
  gate: Gate
  /** Which thread waits for this intent: by `intent.context.thread`, which the adapter sets. Undefined: none of ours. */
  resolve(intent: Intent): SuspendedThread | undefined | Promise<SuspendedThread | undefined>
  /**
   * `whsec_…` of the endpoint; a webhook without its signature is refused. Without it anybody who reaches the endpoint can
   * make threads look whether they were decided, and nothing else.
   */
  webhookSecret?: string | undefined
  /** What a resumed graph gave, which may be suspended again. */
  onResumed?: ((thread: SuspendedThread, output: unknown) => void) | undefined
  /** @default a warning of the process */
  onError?: ((error: unknown, thread: SuspendedThread | undefined) => void) | undefined
}

export interface GateResumer extends AsyncDisposable {
  /** Answers at once, and goes on with the thread afterwards. 503: the thread is not there yet, deliver again. */
  handleWebhook(request: Request): Promise<Response>
  /** Goes on with one thread now. @returns whether there was anything to go on with */
  resume(thread: SuspendedThread): Promise<boolean>
  /** Looks at these threads again and again, one after the other, until it is disposed. */
  poll(options: PollOptions): AsyncDisposable
}

export interface PollOptions {
  threads(): AsyncIterable<SuspendedThread> | Iterable<SuspendedThread> | Promise<Iterable<SuspendedThread>>
  /** @default 5000 */
  everyMs?: number | undefined
}

/** A webhook has at most 64 KB of params and as much of context around them. */
const MAX_BODY_BYTES = 512 * 1024

export function createGateResumer(options: GateResumerOptions): GateResumer {
  const { gate, resolve, webhookSecret, onResumed, onError = warn } = options
  const stop = new AbortController()
  const running = new Set<Promise<unknown>>()
  const threads = new Map<string, Promise<unknown>>()

  const tracked = <Result>(work: Promise<Result>): Promise<Result> => {
    running.add(work)
    const done = () => void running.delete(work)
    work.then(done, done)
    return work
  }
  const resumeNow = async (thread: SuspendedThread): Promise<boolean> => {
    const { command } = await resolveInterrupts(thread.graph, thread.config, { gate })
    if (!command) return false
    const output = await thread.graph.invoke(command as never, thread.config)
    onResumed?.(thread, output)
    return true
  }
  /** One after the other within a thread: two resumes at once would make two futures of it. */
  const resume = (thread: SuspendedThread): Promise<boolean> => {
    const name = String(thread.config.configurable?.thread_id)
    const before = threads.get(name) ?? Promise.resolve()
    const now = tracked(before.catch(() => undefined).then(() => resumeNow(thread)))
    threads.set(name, now)
    const forget = () => void (threads.get(name) === now && threads.delete(name))
    now.then(forget, forget)
    return now
  }

  return {
    resume,
    async handleWebhook(request) {
      if (request.method !== 'POST') return answer(405)
      const body = await boundedText(request)
      if (body === undefined) return answer(413)
      if (webhookSecret !== undefined && !isSigned(body, request.headers, webhookSecret)) return answer(401)
      const id = intentIdOf(body)
      if (id === undefined) return answer(400)
      let thread: SuspendedThread | undefined
      try {
        const intent = await gate.read(id, { signal: stop.signal })
        // A successor tells of itself.
        if (intent.status === 'pending' || intent.status === 'superseded') return answer(204)
        thread = await resolve(intent)
        if (!thread) return answer(204)
        const { command } = await resolveInterrupts(thread.graph, thread.config, { gate, signal: stop.signal })
        // Decided before the thread was written to its checkpoint.
        const isEarly = intent.status === 'approved' && intent.execution.state === 'none'
        if (!command) return isEarly ? answer(503, { 'retry-after': '5' }) : answer(204)
      } catch (error) {
        if (isSilentAuthError(error) && error.code === 'NOT_FOUND') return answer(204)
        onError(error, thread)
        return answer(503, { 'retry-after': '5' })
      }
      const found = thread
      resume(found).catch((error: unknown) => onError(error, found))
      return answer(202)
    },
    poll({ threads: list, everyMs = 5000 }) {
      const end = new AbortController()
      const signal = AbortSignal.any([end.signal, stop.signal])
      const polling = tracked(pollUntil(signal, everyMs, list, resume, onError))
      return {
        async [Symbol.asyncDispose]() {
          end.abort()
          await polling
        },
      }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await Promise.allSettled(running)
    },
  }
}

async function pollUntil(
  signal: AbortSignal,
  everyMs: number,
  list: PollOptions['threads'],
  resume: (thread: SuspendedThread) => Promise<boolean>,
  onError: NonNullable<GateResumerOptions['onError']>,
): Promise<void> {
  while (!signal.aborted) {
    let thread: SuspendedThread | undefined
    try {
      for await (thread of await list()) {
        if (signal.aborted) return
        // One that fails must not keep the others waiting.
        const failed = thread
        await resume(thread).catch((error: unknown) => signal.aborted || onError(error, failed))
      }
    } catch (error) {
      if (!signal.aborted) onError(error, undefined)
    }
    await pause(everyMs, signal)
  }
}

/** Until the time is over or the signal fires, whichever is first. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}

/** Anybody can send something before it is known who sent it: read no further than the limit. Undefined beyond it. */
async function boundedText({ body }: Request): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** `X-SilentAuth-Signature: sha256=<hex HMAC-SHA256 of the body>`, keyed with the whole text of the secret. */
function isSigned(body: string, headers: Headers, secret: string): boolean {
  const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(body, 'utf8').digest('hex')}`)
  const given = Buffer.from(headers.get('x-silentauth-signature') ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function intentIdOf(body: string): IntentId | undefined {
  try {
    const { intent_id: id } = JSON.parse(body) as { intent_id?: unknown }
    return typeof id === 'string' && /^int_[\w-]{1,64}$/.test(id) ? (id as IntentId) : undefined
  } catch {
    return undefined
  }
}

function answer(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers })
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}
