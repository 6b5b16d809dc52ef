/**
 * The request log: one line per request, with ids, codes and durations. Never a path, a query, a body or a message as it
 * came: each of them can hold params, tokens or keys.
 *
 * @module
 */
import { isSilentAuthError } from '@silentauth/core'
import type { Logger } from 'pino'
import { codeOf } from './answers.js'
import type { SignedKey } from './credential.js'
import type { Route } from './route-table.js'
import type { SignedIn } from './session.js'

export interface RequestLine {
  readonly requestId: string
  readonly route: Pick<Route, 'method' | 'path'> | undefined
  readonly who: SignedKey | SignedIn | undefined
  /** As in the path; logged only when it looks like an id. */
  readonly intentId: string | undefined
  readonly status: number | 'held'
  readonly startedAt: number
}

export function logRequest(logger: Logger, line: RequestLine, error?: unknown): void {
  const { requestId, route, who, intentId, status, startedAt } = line
  const failed = typeof status === 'number' && status >= 500
  logger[failed ? 'error' : 'info'](
    {
      request_id: requestId,
      route: route ? `${route.method} ${route.path}` : 'none',
      status,
      ms: Math.round((performance.now() - startedAt) * 10) / 10,
      ...(who?.type === 'key' && { key_id: who.key.id }),
      ...(who?.type === 'person' && { user_id: who.person.id, session_id: who.session.id }),
      ...(intentId !== undefined && /^int_[0-9a-z]{1,64}$/.test(intentId) && { intent_id: intentId }),
      ...(error !== undefined && { code: codeOf(error) }),
      ...(failed && { failure: failureOf(error) }),
    },
    'request',
  )
}

/** Where it failed, not what it said: messages of databases and parsers quote what they were given. */
function failureOf(error: unknown): object {
  const causes: object[] = []
  for (let cause = error; cause instanceof Error && causes.length < 4; cause = cause.cause) {
    const { code, errcode } = cause as { code?: unknown; errcode?: unknown }
    causes.push({
      name: cause.name,
      ...(isSilentAuthError(cause) || typeof code === 'string' ? { code } : {}),
      ...(typeof errcode === 'number' && { errcode }),
      frames: (cause.stack ?? '')
        .split('\n')
        .filter((row) => /^\s+at /.test(row))
        .slice(0, 8),
    })
  }
  return causes
}
