import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SilentAuth } from '@silentauth/sdk'
import { type RunningServer, restoreServer, startServer } from '@silentauth/server'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { linesOf, MAX_LINE_BYTES, writeAuditFolder } from '../src/audit-folder.js'
import { main } from '../src/main.js'

let folder: string
let server: RunningServer
let trust: string
let intent: string
const said: string[] = []

const start = (dataDir: string): Promise<RunningServer> =>
  startServer({ dataDir, stateDir: path.join(folder, 'state'), port: 0, alg: 'EdDSA', dashboardDir: false })

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-audit-'))
  const dataDir = path.join(folder, 'gate')
  server = await start(dataDir)
  vi.stubEnv('SILENTAUTH_DATA', path.join(folder, 'person'))
  vi.stubEnv('SILENTAUTH_URL', undefined)
  for (const to of ['log', 'error'] as const) {
    vi.spyOn(console, to).mockImplementation((line: unknown) => void said.push(String(line)))
  }
  await using sdk = new SilentAuth({ dataFolder: dataDir })
  const declared = await sdk.declare({ action: 'issue_refund', params: { amount: 250 } })
  intent = declared.id
  expect(await main(['login', await server.signInLink(server.owner.id)])).toBe(0)
  expect(await main(['approve', intent, '--yes'])).toBe(0)
  const attempt = { executionId: 'execution', attemptId: 'attempt-0123456789abcdef' }
  await sdk.claim(declared.id, attempt)
  await sdk.report(declared.id, attempt, { status: 'succeeded' })
  await server.log.settle()
  trust = JSON.parse(await readFile(path.join(dataDir, 'log-vkey.json'), 'utf8')).fingerprint
})
afterAll(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await server.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  said.length = 0
})

/** A copy of a file with one byte changed. */
async function flipped(file: string, to: string, at: number): Promise<string> {
  const bytes = await readFile(file)
  bytes[at] = (bytes[at] as number) ^ 1
  await writeFile(to, bytes)
  return to
}

describe('silentauth audit', () => {
  it('exports the log once, and verifies the export without the gate', async () => {
    const out = path.join(folder, 'export')
    expect(await main(['audit', 'export', '--out', out])).toBe(0)
    expect(said.join('\n')).toContain(trust)
    expect(await main(['audit', 'export', '--out', out])).not.toBe(0)
    said.length = 0
    expect(await main(['audit', 'verify', out, '--trust', trust])).toBe(0)
    expect(said.at(-1)).toMatch(/^Whole: \d+ leaves, the checkpoint of \d+ \(.*withheld\.$/)
    expect(await main(['audit', 'verify', out, '--trust', trust, '--since', path.join(out, 'checkpoint')])).toBe(0)
  })

  it('names leaf and field of a changed byte, in whatever file it is', async () => {
    const out = path.join(folder, 'changed')
    await main(['audit', 'export', '--out', out, '--values'])
    for (const [name, marker, field] of [
      ['audit.jsonl', '"verdict\\":\\"approve', 'body:'],
      ['audit.jsonl', 'amount', 'payloads/params:'],
      ['checkpoint', '\n\n', 'checkpoint/'],
      ['vkey', '+', 'vkey:'],
    ] as const) {
      const file = path.join(out, name)
      const good = await readFile(file)
      await flipped(file, file, good.indexOf(marker) + marker.length - 1)
      said.length = 0
      expect(await main(['audit', 'verify', out, '--trust', trust])).toBe(1)
      expect(said.find((line) => line.startsWith('TAMPERED'))).toContain(field)
      await writeFile(file, good)
    }
    expect(await main(['audit', 'verify', out, '--trust', trust])).toBe(0)
  })

  it('ends with 2 for what it cannot look at, and never with 1', async () => {
    const out = path.join(folder, 'export')
    expect(await main(['audit', 'verify', out])).toBe(2)
    expect(await main(['audit', 'verify', '--trust', trust])).toBe(2)
    expect(await main(['audit', 'verify', path.join(folder, 'nothing'), '--trust', trust])).toBe(2)
    expect(await main(['audit', 'verify', out, '--trust', 'everybody'])).toBe(2)
    expect(await main(['audit', 'verify', out, '--trust', trust, '--since', 'nothing'])).toBe(2)
    expect(await main(['verify', path.join(folder, 'nothing'), '--trust', trust])).toBe(2)
    expect(await main(['verify', out, '--trust'])).toBe(2)
  })

  it('takes what is no export, no checkpoint and no bundle for wrong usage, in one line', async () => {
    const out = path.join(folder, 'export')
    const bundle = path.join(folder, 'given.json')
    await main(['proof', intent, '--out', bundle])
    const empty = path.join(folder, 'empty')
    await writeFile(empty, '')
    const broken = path.join(folder, 'broken-export')
    await mkdir(path.join(broken, 'audit.jsonl'), { recursive: true })
    for (const args of [
      ['audit', 'verify', bundle],
      ['audit', 'verify', broken],
      ['audit', 'verify', out, '--since', bundle],
      ['audit', 'verify', out, '--since', out],
      ['verify', out],
      ['verify', empty],
      ['verify', bundle, '--action', 'issue_refund'],
      ['verify', bundle, '--params', '{}'],
    ]) {
      said.length = 0
      expect(await main([...args, '--trust', trust])).toBe(2)
      expect(said).toHaveLength(1)
      expect(said[0]).not.toMatch(/\n|^E[A-Z]+:/)
    }
  })

  it('ends on a file that is far larger than any export or bundle', async () => {
    const out = path.join(folder, 'large')
    await main(['audit', 'export', '--out', out])
    await writeFile(path.join(out, 'audit.jsonl'), '{}\n'.repeat(3_000_000))
    expect(await main(['audit', 'verify', out, '--trust', trust])).toBe(1)
    await writeFile(path.join(out, 'audit.jsonl'), Buffer.alloc(80_000_000, 'a'))
    expect(await main(['audit', 'verify', out, '--trust', trust])).toBe(1)
    expect(await main(['verify', path.join(out, 'audit.jsonl'), '--trust', trust])).toBe(1)
    if (process.platform === 'linux') expect(await main(['verify', '/dev/zero', '--trust', trust])).toBe(1)
  })

  it.each([
    ['a quote that is gone', '"hash":"', 7, 'hash'],
    ['a sign that is no UTF-8', '"body":"', 20, 'body'],
  ])('names the field of a line with %s', async (_, marker, further, field) => {
    const out = path.join(folder, `line-${field}`)
    await main(['audit', 'export', '--out', out])
    const file = path.join(out, 'audit.jsonl')
    const bytes = await readFile(file)
    const at = bytes.indexOf(marker) + further
    bytes[at] = (bytes[at] as number) ^ (field === 'body' ? 0x80 : 1)
    await writeFile(file, bytes)
    said.length = 0
    expect(await main(['audit', 'verify', out, '--trust', trust, '--json'])).toBe(1)
    const { findings } = JSON.parse(said.find((line) => line.startsWith('{')) ?? '')
    expect(findings[0]).toMatchObject({ sequence: 0, field })
  })

  it('writes over nothing, and leaves nothing of an export that breaks off', async () => {
    const file = path.join(folder, 'once.json')
    expect(await main(['proof', intent, '--out', file])).toBe(0)
    expect(await main(['proof', intent, '--out', file])).toBe(64)
    expect(await main(['audit', 'export', '--out', path.join(folder, 'export')])).toBe(64)
    const half = path.join(folder, 'half')
    const breaks = async function* () {
      yield Buffer.from('{"sequence":0}')
      throw new Error('the connection is gone')
    }
    await expect(writeAuditFolder(half, { checkpoint: '', vkey: '' }, breaks())).rejects.toThrow()
    expect(existsSync(half)).toBe(false)
  })

  it('prints what was found for machines', async () => {
    expect(await main(['audit', 'verify', path.join(folder, 'export'), '--trust', trust, '--json'])).toBe(0)
    const line = said.find((each) => each.startsWith('{')) ?? ''
    expect(JSON.parse(line)).toMatchObject({ exitCode: 0, findings: [], found: 0 })
  })

  it('proves a leaf, and that the log begins as it did', async () => {
    const since = path.join(folder, 'export', 'checkpoint')
    expect(await main(['audit', 'proof', '0', '--since', since])).toBe(0)
    expect(JSON.parse(said[0] ?? '')).toMatchObject({ sequence: 0, consistency: { since: expect.any(Number) } })
    expect(await main(['audit', 'proof', '999999'])).toBe(12)
    const note = await readFile(since, 'utf8')
    const [origin, size, root = ''] = note.split('\n')
    const other = root.startsWith('A') ? `B${root.slice(1)}` : `A${root.slice(1)}`
    await writeFile(
      path.join(folder, 'other'),
      note.replace(`${origin}\n${size}\n${root}`, `${origin}\n${size}\n${other}`),
    )
    expect(await main(['audit', 'proof', '0', '--since', path.join(folder, 'other')])).toBe(1)
  })
})

describe('silentauth proof', () => {
  it('writes one file that verifies without the gate, and tells the story', async () => {
    const file = path.join(folder, 'bundle.json')
    expect(await main(['proof', intent, '--out', file])).toBe(0)
    expect(await main(['proof', intent, '--out', file])).not.toBe(0)
    said.length = 0
    expect([await main(['verify', file, '--trust', trust]), ...said.filter((line) => line.startsWith('TAMP'))]).toEqual(
      [0],
    )
    expect(said.join('\n')).toMatch(
      /issue_refund {2}medium {2}approved[\s\S]*approve .* by user:usr_[\s\S]*permit pmt_[\s\S]*Proved by the log/,
    )
  })

  it('names the member of a changed byte', async () => {
    const file = path.join(folder, 'bundle.json')
    const bundle = await readFile(file, 'utf8')
    for (const [marker, field] of [
      ['"status":"a', 'intent/status:'],
      ['"checkpoint":"u', 'checkpoint/signature:'],
      ['"vkey":"u', 'vkey:'],
    ] as const) {
      said.length = 0
      const at = Buffer.from(bundle).indexOf(marker) + marker.length - 1
      expect(await main(['verify', await flipped(file, path.join(folder, 'off.json'), at), '--trust', trust])).toBe(1)
      expect(said[0]).toContain(field)
      expect(said.at(-1)).toBe('NOT proved.')
    }
  })

  it('is still a permit that is verified without --trust', async () => {
    expect(await main(['verify', path.join(folder, 'bundle.json')])).toBe(64)
    expect(said[0]).toContain('--trust')
  })

  it('is refused for an intent that is not there', async () => {
    expect(await main(['proof', 'int_00000000'])).toBe(12)
  })
})

describe('silentauth erase', () => {
  it('takes the values of a settled intent away, says so in the log, and keeps that whole', async () => {
    const out = path.join(folder, 'before')
    expect(await main(['audit', 'export', '--out', out, '--values'])).toBe(0)
    expect(await readFile(path.join(out, 'audit.jsonl'), 'utf8')).toContain('amount')
    said.length = 0
    expect(await main(['erase', intent, '--reason', 'asked to be forgotten', '--yes'])).toBe(0)
    expect(Number(said.at(-1))).toBeGreaterThan(0)
    expect(await main(['erase', intent, '--reason', 'again'])).toBe(0)
    expect(said.at(-1)).toBe('0')
    await server.log.settle()
    const erased = path.join(folder, 'erased')
    expect(await main(['audit', 'export', '--out', erased, '--values'])).toBe(0)
    const text = await readFile(path.join(erased, 'audit.jsonl'), 'utf8')
    expect([text.includes('amount'), text.includes('values.erased')]).toEqual([false, true])
    const since = ['--since', path.join(out, 'checkpoint')]
    expect(await main(['audit', 'verify', erased, '--trust', trust, ...since])).toBe(0)
  })

  it.each([
    ['without a reason', ['erase', 'int_1'], 64],
    ['of an intent that is not there', ['erase', 'int_none', '--reason', 'no'], 12],
  ])('is refused %s', async (_, args, code) => {
    expect(await main(args)).toBe(code)
  })

  it('is refused for a signed-in person who is no admin', async () => {
    const { id } = await server.addPerson({ email: 'auditor@localhost', roles: ['auditor'] })
    vi.stubEnv('SILENTAUTH_DATA', path.join(folder, 'auditor'))
    try {
      expect(await main(['login', await server.signInLink(id)])).toBe(0)
      expect(await main(['erase', intent, '--reason', 'no'])).toBe(12)
    } finally {
      vi.stubEnv('SILENTAUTH_DATA', path.join(folder, 'person'))
    }
  })
})

describe('lines', () => {
  async function read(...chunks: (string | Uint8Array)[]): Promise<string[]> {
    const bytes = (async function* () {
      for (const chunk of chunks) yield Buffer.from(chunk)
    })()
    const lines: string[] = []
    for await (const line of linesOf(bytes)) lines.push(line)
    return lines
  }

  it('end with a line feed and nothing else', async () => {
    expect(await read('a\u2028b\r\nc', 'd\n\ne')).toEqual(['a\u2028b\r', 'cd', '', 'e'])
    expect(await read('€'.slice(0), '\n')).toEqual(['€'])
    expect(await read(Buffer.from('€').subarray(0, 1), Buffer.from('€').subarray(1), '\n')).toEqual(['€'])
  })

  it('that are longer than any leaf are no leaves, and are not kept in memory', async () => {
    const part = Buffer.alloc(1024 * 1024, 'a')
    const parts = Array.from({ length: MAX_LINE_BYTES / part.length + 1 }, () => part)
    expect(await read(...parts, '\n{}\n', ...parts)).toEqual(['longer than any leaf', '{}', 'longer than any leaf'])
  })

  it('that are no UTF-8 are no leaves, and say where', async () => {
    expect(await read(Buffer.from([0x61, 0xff, 0xc3, 0x0a, 0x62]))).toEqual(['a\ud800\ufffd', 'b'])
  })
})

describe('silentauth audit proof, after a restore', () => {
  it('calls a checkpoint that the restore kept a part of the log, and one that it gave up incomplete, not tampered', async () => {
    const [kept, lost] = [path.join(folder, 'kept'), path.join(folder, 'lost')]
    const [dataDir, backup] = [path.join(folder, 'gate'), path.join(folder, 'backup')]
    await writeFile(kept, server.log.head()?.note ?? '')
    await server.close()
    await cp(dataDir, backup, { recursive: true })
    server = await start(dataDir)
    for (let leaves = 0; leaves < 30; leaves++) await server.signInLink(server.owner.id)
    await server.log.settle()
    await writeFile(lost, server.log.head()?.note ?? '')
    await server.close()
    await rm(dataDir, { recursive: true })
    await cp(backup, dataDir, { recursive: true })
    const accepted = await restoreServer({ dataDir, stateDir: path.join(folder, 'state'), accept: true })
    expect(accepted.type).toBe('accepted')

    server = await start(dataDir)
    await server.log.settle()
    expect(await main(['login', await server.signInLink(server.owner.id)])).toBe(0)
    expect(await main(['audit', 'proof', '0', '--since', kept])).toBe(0)
    expect(await main(['audit', 'proof', '0', '--since', lost])).toBe(3)
    expect(said.at(-1)).toMatch(/^INCOMPLETE {2}a restore came after/)
  })
})
