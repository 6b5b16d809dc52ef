import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { sqliteStore } from '@silentauth/store/sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dataFolder } from '../src/data-folder.js'

let base: string
beforeEach(async () => {
  base = await mkdtemp(path.join(tmpdir(), 'silentauth-first-'))
})
afterEach(() => rm(base, { recursive: true }))

interface Said {
  readonly projectId: `prj_${string}`
  readonly secretKey: string
  readonly permitKid: string
  readonly refused?: string
}

const ROUNDS = 8

describe('two first starts in one empty folder', () => {
  it('are one gate: whoever is second signs with the keys of the first', { timeout: 120_000 }, async () => {
    const [one, other] = [starter(), starter()]
    try {
      await Promise.all([one.next(), other.next()])
      for (let round = 0; round < ROUNDS; round++) {
        const dataDir = path.join(base, `gate-${round}`)
        const task = { dataDir, stateDir: path.join(base, `state-${round}`) }
        one.start(task)
        other.start(task)
        const [mine, theirs] = await Promise.all([one.next() as Promise<Said>, other.next() as Promise<Said>])
        expect(theirs).toEqual(mine)
        expect(mine).toMatchObject({ declared: 'auto_approve' })

        const folder = await dataFolder(dataDir)
        expect(await folder.read('permit-key.json')).toMatchObject({ kid: mine.permitKid })
        expect(await folder.read('dev.json')).toMatchObject({ secret_key: mine.secretKey })
        expect((await readdir(dataDir)).filter((name) => name.startsWith('.'))).toEqual([])
        await using store = await sqliteStore({ file: folder.fileIn('gate.db') })
        expect(await store.projects()).toHaveLength(1)
        expect(await store.keys(mine.projectId)).toHaveLength(1)
        expect((await store.directory(mine.projectId)).people).toHaveLength(1)
      }
    } finally {
      await Promise.all([one.end(), other.end()])
    }
  })
})

function starter() {
  const here = fileURLToPath(new URL('.', import.meta.url))
  const sources = process.env.SA_DIST
    ? []
    : ['--conditions=@silentauth/source', '--import', path.join(here, 'sources.mjs')]
  const child = spawn(process.execPath, [...sources, path.join(here, 'first-start-process.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    start: (task: object) => child.stdin.write(`${JSON.stringify(task)}\n`),
    async next(): Promise<unknown> {
      const { done, value } = await lines.next()
      if (done) throw new Error('the process has ended')
      return JSON.parse(value)
    },
    async end() {
      child.stdin.end()
      child.kill('SIGKILL')
      await exited
    },
  }
}
