/**
 * Documents that are read far more often than written: each is parsed once per revision, however large it is.
 *
 * @module
 */

export interface Revised<Document> {
  /** @param revision of `document`, as committed: what a transaction has only written itself must not come here */
  at(id: string, revision: number, read: () => Promise<Document>): Promise<Document>
  forget(): void
}

export function revised<Document>(): Revised<Document> {
  const kept = new Map<string, { revision: number; document: Document }>()
  return {
    async at(id, revision, read) {
      const known = kept.get(id)
      if (known?.revision === revision) return known.document
      const document = deepFrozen(await read())
      kept.set(id, { revision, document })
      return document
    },
    forget() {
      kept.clear()
    },
  }
}

/** Everybody gets the same one. */
function deepFrozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const member of Object.values(value)) deepFrozen(member)
  return Object.freeze(value)
}
