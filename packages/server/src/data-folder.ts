/**
 * The data folder of a gate: its database, its keys and who it is. Only the user that runs the gate may look into it; each
 * file is written whole or not at all.
 *
 * @module
 */
import { constants } from 'node:fs'
import { chmod, copyFile, link, lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { randomToken } from '@silentauth/core'

export interface DataFolder {
  readonly path: string
  fileIn(name: string): string
  /** The JSON in a file; undefined when there is none. @throws Error when others can read it, or it is no JSON */
  read(name: string): Promise<unknown>
  /** 0600. */
  write(name: string, content: unknown): Promise<void>
  /**
   * What is in the file; where there is none, what `make` gives is written first. Of several processes that find none, one
   * writes, and all get what that one wrote.
   */
  readOrMake(name: string, make: () => unknown): Promise<unknown>
  /** For good; nothing happens when it is not there. */
  remove(name: string): Promise<void>
}

/** Makes the folder, or tightens the one that is there. @throws Error when it is no folder, or somebody else's */
export async function dataFolder(folder: string): Promise<DataFolder> {
  const where = path.resolve(folder)
  try {
    await mkdir(where, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Error(`${where} cannot be used as data folder: name one that this user may write to`, { cause })
  }
  const stats = await lstat(where)
  if (!stats.isDirectory()) throw new Error(`${where} is not a folder`)
  const uid = process.getuid?.()
  // Whoever owns the folder can replace what is in it.
  if (uid !== undefined && stats.uid !== uid) throw new Error(`${where} belongs to another user`)
  if (uid !== undefined && (stats.mode & 0o077) !== 0) await chmod(where, 0o700)

  const fileIn = (name: string): string => path.join(where, name)
  const read = async (name: string): Promise<unknown> => {
    const text = await readPrivate(fileIn(name))
    if (text === undefined) return undefined
    try {
      return JSON.parse(text)
    } catch {
      // Without the cause: a parser's message quotes the text, and this one can be a key.
      throw new Error(`${fileIn(name)} is damaged`)
    }
  }
  /** @param put gives the whole, synced file its name */
  const written = async <Result>(
    name: string,
    content: unknown,
    put: (from: string, to: string) => Promise<Result>,
  ): Promise<Result> => {
    const temporary = fileIn(`.${name}.${randomToken(8)}`)
    try {
      const handle = await open(temporary, 'wx', 0o600).catch((cause: unknown) => {
        throw new Error(`${where} cannot be written to: name a data folder that this user may write to`, { cause })
      })
      try {
        await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
      const result = await put(temporary, fileIn(name))
      await syncFolder(where)
      return result
    } finally {
      await rm(temporary, { force: true })
    }
  }
  return {
    path: where,
    fileIn,
    read,
    write: (name, content) => written(name, content, rename),
    async readOrMake(name, make) {
      const there = await read(name)
      if (there !== undefined) return there
      const made = await make()
      return (await written(name, made, linked)) ? made : read(name)
    },
    async remove(name) {
      await rm(fileIn(name), { force: true })
      await syncFolder(where)
    },
  }
}

/** A link takes a name only when nobody has it, unlike a rename. @returns whether it did */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch((error: NodeJS.ErrnoException) => {
      if (error.code === undefined || !WITHOUT_LINKS.includes(error.code)) throw error
      // As exclusive, if not as whole: what a crash leaves of it is damaged, and is not taken for a key.
      return copyFile(from, to, constants.COPYFILE_EXCL)
    })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** What file systems that know no links say. */
const WITHOUT_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** Else a loss of power could take the new name back. Windows has no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Looks at the very file that it reads, and follows no link. */
async function readPrivate(file: string): Promise<string | undefined> {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { mode } = await handle.stat()
    if (process.getuid && (mode & 0o077) !== 0)
      throw new Error(`${file} can be read by others: chmod 600, or delete it`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}
