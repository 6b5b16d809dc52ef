/**
 * What is asked of a store again and again, however large its tables are.
 *
 * @module
 */
import { newId, type StoreTransaction } from '@silentauth/core'

export const PAGE = { projectId: 'prj_a', limit: 50 } as const
const LATER = { ...PAGE, cursor: `1.${newId('int')}` }

export const QUESTIONS: Record<string, (tx: StoreTransaction) => Promise<unknown>> = {
  intent: (tx) => tx.intent('int_a'),
  lockIntent: (tx) => tx.lockIntent('int_a'),
  intentByIdempotencyKey: (tx) => tx.intentByIdempotencyKey('key_a', 'k'),
  intentByPermit: (tx) => tx.intentByPermit('pmt_a'),
  'intents of a project': (tx) => tx.intents(PAGE),
  'a later page': (tx) => tx.intents(LATER),
  'intents of a status': (tx) => tx.intents({ ...LATER, status: 'pending' }),
  'intents of an action': (tx) => tx.intents({ ...LATER, action: 'issue_refund' }),
  'intents of a source': (tx) => tx.intents({ ...LATER, source: 'refund-agent' }),
  'intents of owners': (tx) => tx.intents({ ...LATER, owners: ['key_a', 'key_b'] }),
  settledAmong: (tx) => tx.settledAmong(['int_a', 'int_b']),
  due: (tx) => tx.due({ projectId: 'prj_a', now: 1, limit: 10 }),
  countPending: (tx) => tx.countPending('key_a'),
  countDeclared: (tx) => tx.countDeclared('key:key_a', 'issue_refund'),
  sameAction: (tx) =>
    tx.sameAction({ projectId: 'prj_a', declaredBy: 'key:key_a', action: 'issue_refund', paramsDigest: 'sha-256:a' }),
  recordedResult: (tx) => tx.recordedResult('prj_a', 'int_a'),
  leaves: (tx) => tx.leaves({ projectId: 'prj_a', from: 10, limit: 10 }),
  project: (tx) => tx.project('prj_a'),
  key: (tx) => tx.key('key_a'),
  keyBySecretHash: (tx) => tx.keyBySecretHash('hash'),
  keys: (tx) => tx.keys('prj_a'),
  agent: (tx) => tx.agent('agt_a'),
  agentByFingerprint: (tx) => tx.agentByFingerprint('prj_a', 'refund-agent'),
  agents: (tx) => tx.agents('prj_a'),
  person: (tx) => tx.person('usr_a'),
  directory: (tx) => tx.directory('prj_a'),
  policies: (tx) => tx.policies('prj_a'),
  sessionByCookieHash: (tx) => tx.sessionByCookieHash('hash'),
  request: (tx) => tx.request('key_a', 'k'),
  takeSignInToken: (tx) => tx.takeSignInToken('hash'),
}
