/**
 * Group commit: transactions that wait at the same time share one commit, because a commit waits for the disk and little else
 * does. Each stays whole by a savepoint of its own, and none is answered before the commit that holds it.
 *
 * @module
 */
import { AsyncResource } from 'node:async_hooks'

/** The write lock, and what is done under it. */
export interface CommitOptions {
  /** Takes the write lock, waiting for it if it must. */
  begin(): Promise<void>
  commit(): void
  /** Ends what `begin` began, whatever state it is in. Must not throw. */
  rollback(): void
  /** Called after the rollback of a whole group: what its work read of each other was never true. */
  lost(): void
  savepoint(): void
  /** Keeps what was done since the savepoint. */
  release(): void
  /** Undoes what was done since the savepoint. @throws when the database has ended the transaction by itself */
  undo(): void
}

export interface GroupCommit {
  /** Runs `work` alone; what it wrote is on the disk when this resolves, and undone when it rejects. */
  run<Result>(work: () => Promise<Result>): Promise<Result>
  /** Resolves once everything that was asked for before has ended. */
  idle(): Promise<void>
}

/** Others wait for the write lock meanwhile. */
const MAX_GROUP = 64

interface Job {
  /** Runs the work, and says how to tell the caller. Never rejects. */
  attempt(): Promise<{ kept: boolean; tell(): void }>
  fail(error: unknown): void
}

export function groupCommit(lock: CommitOptions): GroupCommit {
  const waiting: Job[] = []
  let draining: Promise<void> | undefined

  /** @throws what `begin` or `commit` threw; then nothing of the group was kept */
  async function runGroup(jobs: readonly Job[]): Promise<void> {
    const tell: (() => void)[] = []
    await lock.begin()
    try {
      let kept = 0
      for (const job of jobs) {
        // One alone needs no savepoint: it is undone by the rollback.
        if (jobs.length > 1) lock.savepoint()
        const done = await job.attempt()
        if (jobs.length > 1) {
          if (!done.kept) lock.undo()
          lock.release()
        }
        if (done.kept) kept++
        tell.push(done.tell)
      }
      if (kept > 0) lock.commit()
      else lock.rollback()
    } catch (error) {
      lock.rollback()
      lock.lost()
      throw error
    }
    // Only now, failures too: what they failed on may have been written by another of the group.
    for (const one of tell) one()
  }

  async function drain(): Promise<void> {
    // Whoever is read from the network in this turn of the loop comes along.
    await new Promise((resolve) => setImmediate(resolve))
    while (waiting.length > 0) {
      const jobs = waiting.splice(0, MAX_GROUP)
      try {
        await runGroup(jobs)
      } catch (error) {
        for (const job of jobs) job.fail(error)
      }
    }
    draining = undefined
  }

  return {
    run: <Result>(work: () => Promise<Result>) =>
      new Promise<Result>((resolve, reject) => {
        // In the caller's async context, not in that of whoever began the group.
        const inContext = AsyncResource.bind(work)
        waiting.push({
          async attempt() {
            try {
              const result = await inContext()
              return { kept: true, tell: () => resolve(result) }
            } catch (error) {
              return { kept: false, tell: () => reject(error) }
            }
          },
          fail: reject,
        })
        draining ??= drain()
      }),
    async idle() {
      await draining
    },
  }
}
