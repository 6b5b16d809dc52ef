/**
 * The tree over the audit log in a SQL store: perfect subtrees, signed checkpoints, epochs.
 *
 * @module
 */
import type { LogEpoch, LogReader, LogWriter, ProjectId, StoredCheckpoint, TreePlace } from '@silentauth/core'
import { sql } from 'kysely'
import { type Connection, first } from './connection.js'
import type { Builder } from './engine.js'
import { statement } from './statement.js'
import type { AuditCheckpointsTable, Tables } from './tables.js'

export interface SqlAuditTree {
  reader(connection: Connection): Pick<LogReader, 'treeHashes' | 'lastCheckpoint' | 'logEpochs'>
  writer(connection: Connection): Pick<LogWriter, 'putTreeNodes' | 'putCheckpoint' | 'putLogEpoch'>
}

export function sqlAuditTree(db: Builder): SqlAuditTree {
  const ask = treeStatements(db)

  async function hashAt(connection: Connection, projectId: ProjectId, place: TreePlace): Promise<string | undefined> {
    const { level, index } = place
    const row = await first<{ hash: string }>(
      connection,
      level === 0 ? ask.leafHash({ projectId, index }) : ask.node({ projectId, level, index }),
    )
    return row?.hash
  }

  return {
    reader: (connection) => ({
      async treeHashes(projectId, places) {
        const hashes: string[] = []
        for (const place of places) {
          const hash = await hashAt(connection, projectId, place)
          if (hash !== undefined) hashes.push(hash)
        }
        return hashes
      },
      async lastCheckpoint(projectId) {
        const row = await first<AuditCheckpointsTable>(connection, ask.lastCheckpoint({ projectId }))
        return row && checkpointOf(row)
      },
      async logEpochs(projectId) {
        const rows = await connection.all<EpochRow>(ask.epochs({ projectId }))
        return rows.map(epochOf)
      },
    }),
    writer: (connection) => ({
      async putTreeNodes(projectId, nodes) {
        for (const { level, index, hash } of nodes) await connection.run(ask.putNode({ projectId, level, index, hash }))
      },
      putCheckpoint: ({ projectId, epoch, size, root, note, at }) =>
        connection.run(ask.putCheckpoint({ projectId, epoch, size, root, note, at })),
      putLogEpoch: (epoch) =>
        connection.run(ask.putEpoch({ projectId: epoch.projectId, epoch: epoch.epoch, body: JSON.stringify(epoch) })),
    }),
  }
}

interface Node {
  readonly projectId: string
  readonly level: number
  readonly index: number
}

function treeStatements(db: Builder) {
  return {
    leafHash: statement(({ projectId, index }: Omit<Node, 'level'>) =>
      db.selectFrom('audit_leaves').select('hash').where('project_id', '=', projectId).where('sequence', '=', index),
    ),
    node: statement(({ projectId, level, index }: Node) =>
      db
        .selectFrom('audit_nodes')
        .select('hash')
        .where('project_id', '=', projectId)
        .where('level', '=', level)
        .where('place', '=', index),
    ),
    putNode: statement(({ projectId, level, index, hash }: Node & { hash: string }) =>
      db.insertInto('audit_nodes').values({ project_id: projectId, level, place: index, hash }),
    ),
    lastCheckpoint: statement(({ projectId }: { projectId: string }) =>
      db
        .selectFrom('audit_checkpoints')
        .selectAll()
        .where('project_id', '=', projectId)
        .orderBy('epoch', 'desc')
        .orderBy('size', 'desc')
        .limit(sql.lit(1)),
    ),
    putCheckpoint: statement(({ projectId, epoch, size, root, note, at }: StoredCheckpoint) =>
      db.insertInto('audit_checkpoints').values({ project_id: projectId, epoch, size, root, note, at }),
    ),
    epochs: statement(({ projectId }: { projectId: string }) =>
      db.selectFrom('audit_epochs').select(['epoch', 'body']).where('project_id', '=', projectId).orderBy('epoch'),
    ),
    putEpoch: statement(({ projectId, epoch, body }: { projectId: string; epoch: number; body: string }) =>
      db.insertInto('audit_epochs').values({ project_id: projectId, epoch, body }),
    ),
  }
}

type EpochRow = Pick<Tables['audit_epochs'], 'epoch' | 'body'>

/** A row that contradicts itself is of no epoch: whoever compares it with the log finds none that is like it. */
function epochOf({ epoch, body }: EpochRow): LogEpoch {
  const stored = JSON.parse(body) as LogEpoch
  return stored.epoch === epoch ? stored : { ...stored, epoch: -1 }
}

function checkpointOf({ project_id, epoch, size, root, note, at }: AuditCheckpointsTable): StoredCheckpoint {
  return { projectId: project_id as ProjectId, epoch, size, root, note, at }
}
