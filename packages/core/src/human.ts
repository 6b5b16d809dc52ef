/**
 * A human being may have several accounts: linked ones count as one person, and are excluded together.
 *
 * @module
 */
import type { UserId } from './id.js'
import type { Directory } from './registry.js'

/** All accounts of the same human being, this one included. */
export function accountsOf(id: UserId, directory: Directory): readonly UserId[] {
  return humansOf(directory).get(id) ?? [id]
}

/** One id for all accounts of a human being. */
export function humanOf(id: UserId, directory: Directory): UserId {
  return accountsOf(id, directory)[0] ?? id
}

const humansByDirectory = new WeakMap<Directory, ReadonlyMap<UserId, readonly UserId[]>>()

/** Accounts joined by links, in either direction and over any number of steps, also through one that is not here. */
function humansOf(directory: Directory): ReadonlyMap<UserId, readonly UserId[]> {
  const known = humansByDirectory.get(directory)
  if (known) return known
  const groups = new Map<UserId, UserId[]>()
  const groupOf = (id: UserId): UserId[] => {
    const group = groups.get(id) ?? [id]
    groups.set(id, group)
    return group
  }
  for (const person of directory.people) {
    for (const id of person.linked) {
      const mine = groupOf(person.id)
      const theirs = groupOf(id)
      if (mine === theirs) continue
      mine.push(...theirs)
      for (const account of theirs) groups.set(account, mine)
    }
  }
  humansByDirectory.set(directory, groups)
  return groups
}
