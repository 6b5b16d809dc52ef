/**
 * What no model, trace, checkpoint, run state, stream or log may see of a run, and the search for it: permits, by the
 * signature that makes each worth something, and keys.
 *
 * @module
 */
import type { Observed } from './adapter-driver.js'

export interface Secret {
  readonly name: 'a permit' | 'the secret key' | "the model's key"
  readonly text: string
}

/** A part of a permit that no other has, and that is all a thief needs beside claims that can be guessed. */
export function secretOfPermit(permit: string): Secret {
  return { name: 'a permit', text: permit.slice(permit.lastIndexOf('.') + 1) }
}

/** `<secret> in <place>`, once for each, sorted. */
export function leaksIn(observed: readonly Observed[], secrets: readonly Secret[]): string[] {
  // An empty secret would be found everywhere, and its name says nothing of a leak.
  if (secrets.some(({ text }) => text.length < 16)) throw new TypeError('a secret of less than 16 characters')
  const leaks = observed.flatMap((places) =>
    Object.entries(places).flatMap(([place, seen]) => {
      const text = reachableText(seen)
      return secrets.filter((secret) => text.includes(secret.text)).map(({ name }) => `${name} in ${place}`)
    }),
  )
  return [...new Set(leaks)].sort()
}

/** Every text that can be reached from a value: names and values of members, bytes read as UTF-8. */
export function reachableText(value: unknown): string {
  const texts: string[] = []
  const seen = new Set<unknown>()
  const left: unknown[] = [value]
  while (left.length > 0) {
    const next = left.pop()
    if (typeof next === 'string') texts.push(next)
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    if (next instanceof Uint8Array) texts.push(new TextDecoder().decode(next))
    else if (next instanceof Map || next instanceof Set) left.push(...next)
    else if (next instanceof Error) left.push(next.message, next.stack, next.cause, Object.entries(next))
    else if (next instanceof URL) texts.push(next.href)
    else left.push(...Object.keys(next), ...Object.values(next))
  }
  return texts.join('\n')
}

/** Everything that is written to the console or to the streams of the process until it is disposed. */
export function watchLogs(): { readonly seen: readonly unknown[] } & Disposable {
  const seen: unknown[] = []
  const undo: (() => void)[] = []
  const listenTo = (owner: object, names: readonly string[]) => {
    const functions = owner as Record<string, (...given: unknown[]) => unknown>
    for (const name of names) {
      const original = functions[name]
      if (original === undefined) continue
      functions[name] = (...given) => {
        seen.push(given)
        return original.apply(owner, given)
      }
      undo.push(() => {
        functions[name] = original
      })
    }
  }
  listenTo(console, ['debug', 'dir', 'error', 'info', 'log', 'trace', 'warn'])
  for (const stream of [globalThis.process?.stdout, globalThis.process?.stderr]) if (stream) listenTo(stream, ['write'])
  return {
    seen,
    [Symbol.dispose]: () => {
      for (const restore of undo) restore()
    },
  }
}
