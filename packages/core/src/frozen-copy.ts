/**
 * Frozen copies: what a store was given, as a database would give it back. Nobody's later assignment reaches it, so one
 * copy serves every reader.
 *
 * @module
 */

/** Copies made here: they cannot change, so a copy of one is itself. */
const frozen = new WeakSet<object>()

/**
 * A deep-frozen copy of plain data. Absent and undefined members are the same to a database, so undefined ones are left out.
 *
 * @throws TypeError for what JSON would lose or change
 */
export function frozenCopy<Value>(value: Value): Value {
  return copyOf(value) as Value
}

function copyOf(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('a store keeps finite numbers only')
      return value
    case 'object':
      return value === null || frozen.has(value) ? value : copyOfObject(value)
    case 'undefined':
    case 'bigint':
    case 'function':
    case 'symbol':
      throw new TypeError(`a store keeps plain data, not ${typeof value}`)
  }
}

function copyOfObject(value: object): object {
  const copy = Array.isArray(value) ? value.map(copyOf) : copyOfMembers(value as Record<string, unknown>)
  frozen.add(Object.freeze(copy))
  return copy
}

function copyOfMembers(value: Readonly<Record<string, unknown>>): object {
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null)
    throw new TypeError('a store keeps plain data, not instances')
  const copy: Record<string, unknown> = {}
  for (const member of Object.keys(value)) {
    const item = value[member]
    if (item === undefined) continue
    // An assignment would give the copy another prototype.
    if (member === '__proto__') Object.defineProperty(copy, member, { value: copyOf(item), enumerable: true })
    else copy[member] = copyOf(item)
  }
  return copy
}
