/**
 * The held checkpoint as a file outside of the data folder and the database: a gate that finds its log behind it does not start.
 *
 * @module
 */
import { type HeldCheckpoint, type ProjectId, readCheckpoint } from '@silentauth/core'
import { z } from 'zod'
import type { DataFolder } from './data-folder.js'

const heldForm = z.strictObject({ checkpoint: z.string() })

/** One file per log, which is replaced whole. */
export function heldFile(folder: DataFolder, projectId: ProjectId): HeldCheckpoint {
  const name = heldFileName(projectId)
  const read = async (): Promise<string | undefined> => {
    const stored = await folder.read(name)
    if (stored === undefined) return undefined
    const held = heldForm.safeParse(stored)
    if (!held.success) throw new Error(`${folder.fileIn(name)} is damaged`)
    return held.data.checkpoint
  }
  return {
    read,
    async write(checkpoint) {
      const other = await read()
      // Of another process of this user, which was faster.
      if (other !== undefined && isOlder(checkpoint, other)) return
      await folder.write(name, { checkpoint })
    },
  }
}

function isOlder(one: string, other: string): boolean {
  const [mine, theirs] = [readCheckpoint(one), readCheckpoint(other)]
  return mine.epoch < theirs.epoch || (mine.epoch === theirs.epoch && mine.size < theirs.size)
}

export function heldFileName(projectId: ProjectId): string {
  return `held-${projectId}.json`
}
