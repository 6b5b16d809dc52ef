/**
 * An action of the model suite: what somebody asks of a gate, with every choice made. The model and the gate are given the same.
 *
 * @module
 */

/** `annAgain` is another account of ann; olga owns the agent that asks. */
export const PEOPLE = ['ann', 'annAgain', 'bob', 'cat', 'olga'] as const
export type PersonName = (typeof PEOPLE)[number]

/** What the one policy of the project says at the moment. */
export const POLICIES = ['one', 'two', 'patient', 'auto', 'never'] as const
export type PolicyName = (typeof POLICIES)[number]

export type Verdict = 'approve' | 'deny' | 'request_changes'
export type ReportStatus = 'succeeded' | 'failed' | 'suspended' | 'not_started'

/** Intents are named by their place in the order in which they were declared, permits by their place in their intent. */
export type Action =
  | {
      readonly type: 'declare'
      readonly delivery: 'claim' | 'token'
      readonly reenters: boolean
      readonly idempotent: boolean
      readonly edits: boolean
      readonly supersedes: number | undefined
    }
  /** The same idempotency key again, with the same contents or with others. */
  | { readonly type: 'repeat'; readonly intent: number; readonly changed: boolean }
  | { readonly type: 'vote'; readonly intent: number; readonly by: PersonName; readonly verdict: Verdict }
  | { readonly type: 'edit'; readonly intent: number; readonly by: PersonName }
  | { readonly type: 'cancel'; readonly intent: number }
  | {
      readonly type: 'claim'
      readonly intent: number
      readonly execution: string
      readonly attempt: string
      readonly continues: number
    }
  | {
      readonly type: 'report'
      readonly intent: number
      readonly execution: string
      readonly attempt: string
      readonly status: ReportStatus
    }
  | {
      readonly type: 'redeem'
      readonly intent: number
      readonly permit: number
      readonly redemption: string
      readonly optIn: boolean
    }
  | { readonly type: 'verify'; readonly intent: number; readonly permit: number }
  /** The verifier's report. */
  | { readonly type: 'log'; readonly intent: number; readonly permit: number; readonly status: 'succeeded' | 'failed' }
  | { readonly type: 'withdraw'; readonly intent: number; readonly by: PersonName }
  | { readonly type: 'reconcile'; readonly intent: number; readonly by: PersonName; readonly happened: boolean }
  | { readonly type: 'sweep' }
  /** An operator accepts an older backup, which this one is as if it were, and gives the keys out again. */
  | { readonly type: 'restore' }
  | { readonly type: 'tick'; readonly seconds: number }
  | { readonly type: 'agent'; readonly paused: boolean }
  | { readonly type: 'policy'; readonly policy: PolicyName }
  | { readonly type: 'person'; readonly person: PersonName; readonly active: boolean }

/** In seconds; those of every policy, and the longest window where no policy says one. */
export const TERMS = {
  expiresIn: 1200,
  window: 1800,
  deadline: 900,
  ttl: 300,
  skew: 5,
  runsAgain: 20,
  reconcileAfter: 60,
  caution: 3600,
} as const
