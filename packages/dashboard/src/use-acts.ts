/**
 * Voting, withdrawing, reconciling: one request at a time, and afterwards the page shows what the gate then holds.
 *
 * @module
 */
import { isSilentAuthError } from '@silentauth/core'
import type { WireReview } from '@silentauth/core/wire'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import type { Verdict, VoteBody } from './api.js'
import { checkView } from './intent-hash.js'
import { messages } from './messages.js'
import { useServices } from './services.js'

export type Act =
  | ({ readonly type: 'vote' } & VoteBody)
  | { readonly type: 'withdraw'; readonly reason: string }
  | { readonly type: 'lift_denial' }
  | { readonly type: 'reconcile'; readonly finding: 'happened' | 'did_not_happen'; readonly comment: string }

export interface Acting {
  /** Does nothing while another act is under way. */
  act(act: Act): void
  readonly pending: Verdict | 'withdraw' | 'reconcile' | 'lift_denial' | undefined
  readonly error: unknown
  /** The request may have arrived although its answer did not. */
  readonly lost: boolean
}

export function useActs(id: string): Acting {
  const { api, announcer } = useServices()
  const queries = useQueryClient()
  // Set in the same instant, unlike state: a double click must not vote twice.
  const busy = useRef(false)
  const mutation = useMutation({
    mutationFn(act: Act): Promise<WireReview> {
      switch (act.type) {
        case 'vote':
          return api.vote(id, act)
        case 'withdraw':
          return api.withdraw(id, act.reason)
        case 'lift_denial':
          return api.liftDenial(id)
        case 'reconcile':
          return api.reconcile(id, act.finding, act.comment)
      }
    },
    async onSuccess(review, act) {
      const { status } = review
      announcer.say(`${act.type === 'vote' ? `${messages.decide.voted} ` : ''}${messages.status[status]}.`)
      queries.setQueryData(['review', id], { review, check: await checkView(id, review) })
      await queries.invalidateQueries({ queryKey: ['inbox'] })
    },
    onSettled() {
      busy.current = false
    },
    async onError() {
      // Whatever it was, what is on the screen may be old.
      await queries.invalidateQueries({ queryKey: ['inbox'] })
      await queries.invalidateQueries({ queryKey: ['review', id] })
    },
  })
  const { variables } = mutation
  return {
    act: (act) => {
      if (busy.current) return
      busy.current = true
      mutation.mutate(act)
    },
    pending:
      mutation.isPending && variables ? (variables.type === 'vote' ? variables.verdict : variables.type) : undefined,
    error: mutation.error,
    lost: isSilentAuthError(mutation.error) && mutation.error.code === 'GATE_UNAVAILABLE',
  }
}
