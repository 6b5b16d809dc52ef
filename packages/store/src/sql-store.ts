/**
 * What a store on SQL reads and writes, whatever the engine below its connection.
 *
 * @module
 */
import type { StoreReader, StoreTransaction } from '@silentauth/core'
import { sqlAuditLog } from './audit-log.js'
import { sqlAuditTree } from './audit-tree.js'
import type { Connection } from './connection.js'
import { sqlDenials } from './denials.js'
import type { Builder, DatabaseClock, Engine } from './engine.js'
import { sqlExpiring } from './expiring.js'
import { sqlIntents } from './intents.js'
import { IMMEDIATE, type LogPlaces } from './log-places.js'
import { sqlOutbox } from './outbox.js'
import { sqlPermitTraces } from './permit-traces.js'
import { sqlRecordedResults } from './recorded-results.js'
import { sqlRegistry } from './registry.js'

export interface SqlStore {
  reader(connection: Connection): StoreReader
  /** Reads and writes of one transaction, which has begun on this connection. */
  transaction(connection: Connection): StoreTransaction
  /** Must be called when a commit failed. */
  forget(): void
}

/** @param db builds the queries */
export function sqlStore(db: Builder, engine: Engine & DatabaseClock, places: LogPlaces = IMMEDIATE): SqlStore {
  const traces = sqlPermitTraces(db)
  const results = sqlRecordedResults(db)
  const intents = sqlIntents(db, engine, traces, results)
  const log = sqlAuditLog(db, places)
  const tree = sqlAuditTree(db)
  const outbox = sqlOutbox(db, engine)
  const registry = sqlRegistry(db, engine)
  const expiring = sqlExpiring(db, engine)
  const denials = sqlDenials(db, engine)
  return {
    reader: (connection) => ({
      now: () => engine.now(connection),
      ...intents.reader(connection),
      ...log.reader(connection),
      ...tree.reader(connection),
      ...registry.reader(connection),
      ...expiring.reader(connection),
      ...outbox.reader(connection),
      ...denials.reader(connection),
      ...results.reader(connection),
      ...traces.reader(connection, registry.reader(connection)),
    }),
    transaction: (connection) => ({
      now: () => engine.now(connection),
      ...intents.reader(connection),
      ...intents.writer(connection),
      ...log.reader(connection),
      ...tree.reader(connection),
      ...log.writer(connection),
      ...tree.writer(connection),
      ...outbox.reader(connection),
      ...outbox.writer(connection),
      ...registry.transaction(connection),
      ...expiring.reader(connection),
      ...expiring.writer(connection),
      ...traces.reader(connection, registry.reader(connection)),
      ...denials.reader(connection),
      ...denials.writer(connection),
      ...results.reader(connection),
      ...results.writer(connection),
      ...traces.writer(connection),
    }),
    forget: registry.forget,
  }
}
