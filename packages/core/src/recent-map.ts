/**
 * A map that keeps its latest entries only: for what is noted now and asked for soon, in processes that never end.
 *
 * @module
 */

export interface RecentMap<Value> {
  get(name: string): Value | undefined
  set(name: string, value: Value): void
}

export function recentMap<Value>(most: number): RecentMap<Value> {
  const entries = new Map<string, Value>()
  return {
    get: (name) => entries.get(name),
    set(name, value) {
      entries.delete(name)
      entries.set(name, value)
      for (const oldest of entries.keys()) {
        if (entries.size <= most) return
        entries.delete(oldest)
      }
    },
  }
}
