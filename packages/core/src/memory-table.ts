/**
 * Rows in memory: a table has committed rows and indexes over them; a draft is what one transaction sees and writes, and
 * becomes part of the table in one step or not at all.
 *
 * @module
 */
import { conflict, type Unique } from './conflict.js'
import { frozenCopy } from './frozen-copy.js'

export interface Rows<Row> {
  get(key: string): Row | undefined
  /** By a value that is unique. */
  find(unique: Unique, value: string): Row | undefined
  values(): Iterable<Row>
}

export interface Table<Row> extends Rows<Row> {
  draft(): Draft<Row>
}

export interface Draft<Row> extends Rows<Row> {
  /** What this draft changed; undefined: deleted. */
  readonly written: ReadonlyMap<string, Row | undefined>
  put(row: Row): void
  delete(key: string): void
  /** Cannot fail. */
  commit(): void
}

export interface TableOptions<Row> {
  key(row: Row): string
  /** Values that no two rows share. */
  unique?: { readonly [Name in Unique]?: (row: Row) => readonly string[] }
  /** Values that occur once within a row. */
  distinct?: { readonly [Name in Unique]?: (row: Row) => readonly string[] }
  /** Called on commit, for indexes of another kind. */
  changed?(before: Row | undefined, after: Row | undefined): void
}

export function table<Row>({ key, unique = {}, distinct = {}, changed }: TableOptions<Row>): Table<Row> {
  const rows = new Map<string, Row>()
  const valuesOf = Object.entries(unique) as [Unique, (row: Row) => readonly string[]][]
  const distinctOf = Object.entries(distinct) as [Unique, (row: Row) => readonly string[]][]
  const indexes = new Map(valuesOf.map(([name]) => [name, new Map<string, string>()]))

  const committed: Rows<Row> = {
    get: (of) => rows.get(of),
    find(name, value) {
      const of = indexes.get(name)?.get(value)
      return of === undefined ? undefined : rows.get(of)
    },
    values: () => rows.values(),
  }

  function apply(of: string, after: Row | undefined): void {
    const before = rows.get(of)
    for (const [name, values] of valuesOf) {
      const index = indexes.get(name)
      if (before) for (const value of values(before)) index?.delete(value)
      if (after) for (const value of values(after)) index?.set(value, of)
    }
    if (after) rows.set(of, after)
    else rows.delete(of)
    changed?.(before, after)
  }

  function draft(): Draft<Row> {
    const written = new Map<string, Row | undefined>()
    const view: Draft<Row> = {
      written,
      get: (of) => (written.has(of) ? written.get(of) : rows.get(of)),
      find(name, value) {
        const values = unique[name]
        for (const row of written.values()) if (row && values?.(row).includes(value)) return row
        const of = indexes.get(name)?.get(value)
        return of === undefined || written.has(of) ? undefined : rows.get(of)
      },
      *values() {
        for (const [of, row] of rows) if (!written.has(of)) yield row
        for (const row of written.values()) if (row) yield row
      },
      put(given) {
        const row = frozenCopy(given)
        const of = key(row)
        for (const [name, values] of distinctOf) {
          const found = values(row)
          if (new Set(found).size < found.length) throw conflict(name)
        }
        for (const [name, values] of valuesOf) {
          for (const value of values(row)) {
            const other = view.find(name, value)
            if (other && key(other) !== of) throw conflict(name)
          }
        }
        written.set(of, row)
      },
      delete(of) {
        written.set(of, undefined)
      },
      commit() {
        // Deletions first: a value that one row gave up can be another's now.
        for (const [of, row] of written) if (!row) apply(of, undefined)
        for (const [of, row] of written) if (row) apply(of, row)
      },
    }
    return view
  }

  return { ...committed, draft }
}
