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
  const prototype = Object.getPrototypeOf(value)
  let copy: object
  if (Array.isArray(value)) copy = value.map(copyOf)
  else if (prototype === Object.prototype || prototype === null) {
    const members = Object.entries(value).filter(([, item]) => item !== undefined)
    // Not by assignment: a member may be called __proto__.
    copy = Object.fromEntries(members.map(([member, item]) => [member, copyOf(item)]))
  } else throw new TypeError('a store keeps plain data, not instances')
  frozen.add(Object.freeze(copy))
  return copy
}
