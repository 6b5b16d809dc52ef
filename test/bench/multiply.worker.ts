/**
 * Copies of one stored intent with everything that was written with it, made by the database itself: a million within a minute or two.
 *
 * @module
 */

export interface Database {
  ask(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** A `with` clause that gives the numbers `n`. */
  numbered(from: number, to: number): string
  /** A number as the 26 characters of an id. */
  padded(expression: string): string
  /** What is done after each chunk. */
  readonly finish: string
}

/** Where an intent stands, and the column that names it. */
const TABLES = {
  intents: 'id',
  idempotency_keys: 'intent_id',
  votes: 'intent_id',
  outbox: 'intent_id',
  audit_leaves: 'intent_id',
}
/** In one transaction: what is undone or written twice stays small. */
const CHUNK = 50_000
/** Instants go back by one millisecond for each copy. */
const INSTANTS: ReadonlySet<string> = new Set(['created_at', 'at', 'arrived'])

export async function multiply(database: Database, intentId: string, times: number): Promise<void> {
  for (let from = 1; from <= times; from += CHUNK) {
    await copy(database, intentId, database.numbered(from, Math.min(times, from + CHUNK - 1)))
    await database.ask(database.finish)
  }
}

async function copy(database: Database, intentId: string, numbers: string): Promise<void> {
  const leaves = await database.ask(`select id from audit_leaves where intent_id = '${intentId}'`)
  for (const [table, column] of Object.entries(TABLES)) {
    const rows = await database.ask(`select * from ${table} where ${column} = '${intentId}'`)
    for (const [index, row] of rows.entries()) {
      const columns = Object.keys(row)
      const values = columns.map((name) => copied(database, { intentId, index, perIntent: leaves.length }, row, name))
      await database.ask(
        `insert into ${table} (${columns.join(', ')}) ${numbers} select ${values.join(', ')} from numbers`,
      )
    }
  }
}

interface Copies {
  readonly intentId: string
  /** Of the row, among those of one intent. */
  readonly index: number
  /** Leaves that each intent has in the log. */
  readonly perIntent: number
}

function copied(
  { padded }: Database,
  { intentId, index, perIntent }: Copies,
  row: Readonly<Record<string, unknown>>,
  column: string,
): string {
  const value = row[column]
  if (value === null || value === undefined) return column === 'sequence' ? `n * ${perIntent} + ${index}` : 'null'
  if (column === 'sequence' && 'hash' in row) return `${value} + n * ${perIntent}`
  if (column === 'key') return padded('n')
  // `pg` gives what is larger than 32 bits as a text.
  if (INSTANTS.has(column)) return `${value} - n`
  if (typeof value === 'number') return String(value)
  let expression = quoted(String(value))
  const ids = column === 'id' || typeof row.id === 'string' ? [[String(row.id), `n * 10 + ${index}`] as const] : []
  for (const [id, number] of [...ids.filter(([id]) => id !== intentId), [intentId, 'n'] as const]) {
    if (!String(value).includes(id)) continue
    const prefix = id.slice(0, id.indexOf('_') + 1)
    expression = `replace(${expression}, ${quoted(id)}, ${quoted(prefix)} || ${padded(number)})`
  }
  return expression
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
