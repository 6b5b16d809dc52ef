/**
 * Chats as the server keeps them: a JSON file each, and one turn of a chat at a time.
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { UIMessage } from 'ai'

export type KeptChats = ReturnType<typeof keptChats>

/** Names what a turn goes on doing after it was answered. */
export type Until = (end: Promise<unknown>) => void

export function keptChats(folder: string) {
  const turns = new Map<string, Promise<unknown>>()
  const fileOf = (id: string) => path.join(folder, `${id}.json`)

  return {
    async load(id: string): Promise<UIMessage[]> {
      try {
        return JSON.parse(await readFile(fileOf(id), 'utf8')) as UIMessage[]
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
        throw error
      }
    },
    async save(id: string, messages: readonly UIMessage[]): Promise<void> {
      await mkdir(folder, { recursive: true })
      await writeFile(`${fileOf(id)}.new`, JSON.stringify(messages))
      await rename(`${fileOf(id)}.new`, fileOf(id))
    },
    /** One after the other: of two turns at once, each would save a chat without the other's. */
    async alone<Result>(id: string, work: (until: Until) => Promise<Result>): Promise<Result> {
      const before = turns.get(id)
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      turns.set(id, ended)
      await before
      let end: Promise<unknown> = Promise.resolve()
      try {
        return await work((later) => {
          end = later
        })
      } finally {
        void end.finally(resolve)
        void ended.then(() => turns.get(id) === ended && turns.delete(id))
      }
    },
  }
}
