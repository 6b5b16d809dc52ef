import { AsyncLocalStorage } from 'node:async_hooks'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { groupCommit } from '../src/group-commit.js'

describe('groupCommit', () => {
  it('keeps what work wrote, and gives what it gave', async () => {
    using lock = aLock()
    expect(await lock.group.run(async () => lock.write('a'))).toBe('a')
    expect([lock.kept(), lock.commits]).toEqual([['a'], 1])
  })

  it('undoes work that fails, alone, and throws what it threw', async () => {
    using lock = aLock()
    const thrown = new RangeError('undone')
    const outcomes = await Promise.allSettled([
      lock.group.run(async () => lock.write('a')),
      lock.group.run(async () => {
        lock.write('b')
        throw thrown
      }),
      lock.group.run(async () => lock.write('c')),
    ])
    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : outcome.value))).toEqual([
      'a',
      thrown,
      'c',
    ])
    expect([lock.kept(), lock.commits]).toEqual([['a', 'c'], 1])
  })

  it('undoes work that fails when it is alone', async () => {
    using lock = aLock()
    const failed = lock.group.run(async () => {
      lock.write('a')
      throw new RangeError('undone')
    })
    await expect(failed).rejects.toThrow(RangeError)
    expect([lock.kept(), lock.commits, lock.losses]).toEqual([[], 0, 0])
  })

  it('answers nobody before the commit, neither success nor failure', async () => {
    using lock = aLock()
    const answered: string[] = []
    lock.onCommit = () => answered.push('commit')
    await Promise.allSettled([
      lock.group.run(async () => lock.write('a')).then(() => answered.push('kept')),
      lock.group.run(() => Promise.reject(new Error('undone'))).catch(() => answered.push('undone')),
    ])
    expect(answered).toEqual(['commit', 'kept', 'undone'])
  })

  it('fails all of a group whose commit fails, those too that failed for another reason', async () => {
    using lock = aLock()
    lock.onCommit = () => {
      throw new Error('disk full')
    }
    const outcomes = await Promise.allSettled([
      lock.group.run(async () => lock.write('a')),
      lock.group.run(() => Promise.reject(new Error('undone'))),
    ])
    const reasons = outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.message)
    expect([reasons, lock.kept(), lock.losses]).toEqual([['disk full', 'disk full'], [], 1])
  })

  it('fails the group when the database ended the transaction by itself, and goes on with the next', async () => {
    using lock = aLock()
    const failed = await Promise.allSettled([
      lock.group.run(async () => lock.write('a')),
      // As a full disk does.
      lock.group.run(async () => {
        lock.database.exec('rollback')
        throw new Error('undone')
      }),
    ])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await lock.group.run(async () => lock.write('b'))
    expect(lock.kept()).toEqual(['b'])
  })

  it('fails the group when the write lock cannot be had', async () => {
    using lock = aLock()
    lock.onBegin = () => {
      throw new Error('busy')
    }
    await expect(lock.group.run(async () => lock.write('a'))).rejects.toThrow('busy')
    lock.onBegin = () => undefined
    await lock.group.run(async () => lock.write('b'))
    expect(lock.kept()).toEqual(['b'])
  })

  it('never runs two pieces of work at the same time', async () => {
    using lock = aLock()
    let running = 0
    const most: number[] = []
    await Promise.all(
      Array.from({ length: 100 }, () =>
        lock.group.run(async () => {
          most.push(++running)
          await new Promise((resolve) => setImmediate(resolve))
          running--
        }),
      ),
    )
    expect([most.length, Math.max(...most)]).toEqual([100, 1])
  })

  it('lets go of the lock now and then, however many wait', async () => {
    using lock = aLock()
    await Promise.all(Array.from({ length: 200 }, (_, index) => lock.group.run(async () => lock.write(`${index}`))))
    expect(lock.commits).toBe(4)
    expect(lock.kept()).toHaveLength(200)
  })

  it('runs each piece of work in the context of its caller', async () => {
    using lock = aLock()
    const caller = new AsyncLocalStorage<string>()
    const seen = await Promise.all(
      ['ann', 'bob'].map((name) => caller.run(name, () => lock.group.run(async () => caller.getStore()))),
    )
    expect(seen).toEqual(['ann', 'bob'])
  })

  it('is idle once everything has ended', async () => {
    using lock = aLock()
    const written = [lock.group.run(async () => lock.write('a')), lock.group.run(async () => lock.write('b'))]
    await lock.group.idle()
    expect(lock.kept()).toEqual(['a', 'b'])
    await Promise.all(written)
    await lock.group.idle()
  })
})

/** A group commit over a database of one table. */
function aLock() {
  const database = new DatabaseSync(':memory:')
  database.exec('create table notes (text text)')
  const lock = {
    database,
    commits: 0,
    onBegin: (): unknown => undefined,
    onCommit: (): unknown => undefined,
    losses: 0,
    write(text: string): string {
      database.prepare('insert into notes values (?)').run(text)
      return text
    },
    kept: () =>
      database
        .prepare('select text from notes')
        .all()
        .map(({ text }) => text),
    group: groupCommit({
      async begin() {
        lock.onBegin()
        database.exec('begin immediate')
      },
      commit() {
        lock.onCommit()
        database.exec('commit')
        lock.commits++
      },
      rollback() {
        if (database.isTransaction) database.exec('rollback')
      },
      lost() {
        lock.losses++
      },
      savepoint: () => database.exec('savepoint work'),
      release: () => database.exec('release work'),
      undo: () => database.exec('rollback to work'),
    }),
    [Symbol.dispose]: () => database.close(),
  }
  return lock
}
