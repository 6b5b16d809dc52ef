/**
 * A LangGraph checkpointer on `node:sqlite`, so that threads outlive a process without a native module. Not for
 * production: it knows the current checkpoint format only.
 *
 * @module
 */
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import type { RunnableConfig } from '@langchain/core/runnables'
import {
  BaseCheckpointSaver,
  type Checkpoint,
  type CheckpointMetadata,
  type CheckpointTuple,
  copyCheckpoint,
} from '@langchain/langgraph'

type Row = Record<string, SQLOutputValue>
type ListOptions = NonNullable<Parameters<BaseCheckpointSaver['list']>[1]>

type PendingWrite = Parameters<BaseCheckpointSaver['putWrites']>[1][number]

/** Of the format: where LangGraph's own channels stand. */
const OWN_CHANNELS: Readonly<Record<string, number>> = {
  __error__: -1,
  __scheduled__: -2,
  __interrupt__: -3,
  __resume__: -4,
}

const TABLES = `
  create table if not exists checkpoints (thread text, ns text, id text, parent text, type text, body blob, metadata_type text,
    metadata blob, primary key (thread, ns, id));
  create table if not exists writes (thread text, ns text, id text, task text, idx int, channel text, type text, body blob,
    primary key (thread, ns, id, task, idx))`

export class SqliteSaver extends BaseCheckpointSaver {
  readonly #db: DatabaseSync

  constructor(file: string) {
    super()
    this.#db = new DatabaseSync(file, { timeout: 10_000 })
    this.#db.exec(`pragma journal_mode = wal; ${TABLES}`)
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const { thread, ns, id } = placeOf(config)
    const row = id
      ? this.#db.prepare('select * from checkpoints where thread = ? and ns = ? and id = ?').get(thread, ns, id)
      : this.#db
          .prepare('select * from checkpoints where thread = ? and ns = ? order by id desc limit 1')
          .get(thread, ns)
    return row && this.#tuple(row)
  }

  override async *list(config: RunnableConfig, { limit = 1000 }: ListOptions = {}): AsyncGenerator<CheckpointTuple> {
    const { thread, ns } = placeOf(config)
    const rows = this.#db
      .prepare('select * from checkpoints where thread = ? and ns = ? order by id desc limit ?')
      .all(thread, ns, limit)
    for (const row of rows) yield this.#tuple(row)
  }

  override async put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
  ): Promise<RunnableConfig> {
    const { thread, ns, id: parent } = placeOf(config)
    const [type, body] = await this.serde.dumpsTyped(copyCheckpoint(checkpoint))
    const [metadataType, about] = await this.serde.dumpsTyped(metadata)
    this.#db
      .prepare('insert or replace into checkpoints values (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(thread, ns, checkpoint.id, parent, type, body, metadataType, about)
    return { configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: checkpoint.id } }
  }

  override async putWrites(config: RunnableConfig, writes: PendingWrite[], task: string): Promise<void> {
    const { thread, ns, id } = placeOf(config)
    for (const [index, [channel, value]] of writes.entries()) {
      const place = OWN_CHANNELS[channel] ?? index
      const [type, body] = await this.serde.dumpsTyped(value)
      // LangGraph's own channels are replaced; results are written once.
      const verb = place >= 0 ? 'insert or ignore' : 'insert or replace'
      this.#db
        .prepare(`${verb} into writes values (?, ?, ?, ?, ?, ?, ?, ?)`)
        .run(thread, ns, id, task, place, String(channel), type, body)
    }
  }

  override async deleteThread(thread: string): Promise<void> {
    for (const table of ['checkpoints', 'writes']) this.#db.prepare(`delete from ${table} where thread = ?`).run(thread)
  }

  async #tuple(row: Row): Promise<CheckpointTuple> {
    const { thread, ns, id, parent } = row as Record<string, string>
    const configOf = (checkpointId: string | undefined) => ({
      configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: checkpointId },
    })
    const writes = this.#db
      .prepare('select * from writes where thread = ? and ns = ? and id = ? order by rowid')
      .all(thread as string, ns as string, id as string)
    const loaded = async (type: unknown, body: unknown) => this.serde.loadsTyped(String(type), body as Uint8Array)
    const pendingWrites = writes.map(async ({ task, channel, type, body }): Promise<[string, string, unknown]> => {
      return [String(task), String(channel), await loaded(type, body)]
    })
    return {
      config: configOf(id),
      ...(parent && { parentConfig: configOf(parent) }),
      checkpoint: await loaded(row.type, row.body),
      metadata: await loaded(row.metadata_type, row.metadata),
      pendingWrites: await Promise.all(pendingWrites),
    }
  }
}

function placeOf({ configurable = {} }: RunnableConfig) {
  const { thread_id: thread, checkpoint_ns: ns = '', checkpoint_id: id = null } = configurable
  return { thread: String(thread), ns: String(ns), id: id as string | null }
}
