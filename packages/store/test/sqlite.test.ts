import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describeStore } from '@silentauth/core/contracts'
import { afterAll } from 'vitest'
import { sqliteStore } from '../src/sqlite.js'

const folder = mkdtempSync(path.join(tmpdir(), 'silentauth-store-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

describeStore('sqliteStore in a file', () => sqliteStore({ file: path.join(folder, `${++files}.db`) }))
describeStore('sqliteStore in memory', () => sqliteStore({ file: ':memory:' }))
