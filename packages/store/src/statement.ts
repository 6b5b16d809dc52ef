/**
 * A statement is a query that kysely builds and compiles once, with places for its values: asking it costs no building.
 *
 * @module
 */
import type { Compilable } from 'kysely'
import type { Query } from './connection.js'

export type Statement<Values> = (values: Values) => Query

/** @param build is called once, with a place for every value; none of them may be looked at */
export function statement<Values extends object>(build: (values: Values) => Compilable): Statement<Values> {
  const places = new Map<unknown, string | symbol>()
  const values = new Proxy({} as Values, {
    get(_, name) {
      const place = {}
      places.set(place, name)
      return place
    },
    ownKeys() {
      throw new TypeError('name each value of a statement: a spread gives none')
    },
  })
  const { sql, parameters } = build(values).compile()
  const fills = parameters.map((parameter) => {
    const name = places.get(parameter)
    return (given: Values): unknown => (name === undefined ? parameter : given[name as keyof Values])
  })
  return (given) => ({ sql, parameters: fills.map((fill) => fill(given)) })
}
