import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { SilentAuth } from '@silentauth/sdk'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const BIN = path.join(import.meta.dirname, '../bin/silentauth.js')

// Each command is a process of its own, and there can be many at once.
vi.setConfig({ testTimeout: 60_000 })

let folder: string
let running: ChildProcess[]

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'silentauth-cli-'))
  running = []
})

afterEach(async () => {
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
})

interface Ready {
  url: string
  issuer: string
  project_id: string
  jwks_url: string
  secret_key: string
  sign_in_url: string
  persona_sign_in_url: string
}

/** The built command, as npm links it. */
function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  running.push(child)
  return child
}

async function dev(...args: string[]): Promise<{ ready: Ready; child: ChildProcess; said: string[] }> {
  const child = start(['dev', '--port', '0', '--json', '--with-sign-in', ...args])
  const said: string[] = []
  if (!child.stdout || !child.stderr) throw new Error('no pipes')
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`ended with ${code}: ${said.join('\n')}`)),
  )
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [string]
  return { ready: JSON.parse(line) as Ready, child, said }
}

async function run(args: readonly string[], input = ''): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(args)
  child.stdin?.end(input)
  if (!child.stdout || !child.stderr) throw new Error('no pipes')
  const exited = once(child, 'exit')
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  const [code] = (await exited) as [number | null]
  return { code, out: out.trim(), err }
}

const REFUND = { action: 'issue_refund', params: { customer_id: 'cust_4821', amount: 250 } }

describe('silentauth dev', () => {
  it('says in one line where it is, and leaves what the SDK finds, for this user alone', async () => {
    const { ready } = await dev()
    expect(ready).toMatchObject({
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      issuer: expect.stringMatching(/^urn:silentauth:embedded:/),
      project_id: expect.stringMatching(/^prj_/),
      jwks_url: `${ready.url}/.well-known/jwks.json`,
      secret_key: expect.stringMatching(/^sk_/),
      sign_in_url: expect.stringContaining('/sign-in#token='),
    })
    const data = path.join(folder, '.silentauth')
    expect((await stat(data)).mode & 0o777).toBe(0o700)
    expect((await stat(path.join(data, 'dev.json'))).mode & 0o777).toBe(0o600)
    await using sdk = new SilentAuth({ dataFolder: data })
    expect((await sdk.declare(REFUND)).status).toBe('pending')
  })

  it('starts with one policy: reading needs nobody', async () => {
    await dev()
    await using sdk = new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
    expect((await sdk.declare({ action: 'read_logs', params: {} })).decision).toBe('auto_approve')
    expect((await sdk.declare({ action: 'write_logs', params: {} })).decision).toBe('require_approval')
  })

  it('keeps project, key and intents over a restart, also over a kill -9', async () => {
    const first = await dev()
    await using sdk = new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
    const { id } = await sdk.declare(REFUND)
    first.child.kill('SIGKILL')
    await once(first.child, 'exit')
    const second = await dev()
    expect(second.ready).toMatchObject({ issuer: first.ready.issuer, secret_key: first.ready.secret_key })
    await using again = new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
    expect((await again.read(id)).status).toBe('pending')
  })

  it('stores the policy file again when it changes, and keeps the old policies when it is wrong', async () => {
    const file = path.join(folder, 'policies.json')
    const rule = (action: string) => JSON.stringify({ rules: [{ action, require_approval: false }] })
    await writeFile(file, rule('deploy_staging'))
    const { said } = await dev('--policies', 'policies.json')
    await using sdk = new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
    const decisionOn = async (action: string) => (await sdk.declare({ action, params: {} })).decision
    expect(await decisionOn('deploy_staging')).toBe('auto_approve')

    await writeFile(file, rule('deploy_preview'))
    await expect.poll(() => said.join('\n'), { timeout: 15_000 }).toContain('stored')
    expect([await decisionOn('deploy_preview'), await decisionOn('deploy_staging')]).toEqual([
      'auto_approve',
      'require_approval',
    ])

    await writeFile(file, '{ "rules": [{ "action": "deploy_preview" }')
    await expect.poll(() => said.join('\n'), { timeout: 15_000 }).toContain('not stored')
    expect(await decisionOn('deploy_preview')).toBe('auto_approve')
  })

  it('does not start on a policy file that is wrong', async () => {
    await writeFile(path.join(folder, 'policies.json'), '{ "name": "no decision", "match": {} }')
    const { code, err } = await run(['dev', '--port', '0', '--policies', 'policies.json'])
    expect([code, err]).toEqual([12, expect.stringContaining('decision')])
  })

  it('prints a sign-in link for every request that waits', async () => {
    const child = start(['dev', '--port', '0'])
    const said: string[] = []
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => said.push(line))
    await expect.poll(() => said.join('\n'), { timeout: 15_000 }).toContain('policies')
    await using sdk = new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
    await sdk.declare({ action: 'read_logs', params: {} })
    const { id } = await sdk.declare(REFUND)
    await expect
      .poll(() => said.find((line) => line.includes(id)), { timeout: 15_000 })
      .toMatch(/^issue_refund waits for approval: http:\/\/127\.0\.0\.1:\d+\/sign-in#token=/)
    expect(said.join('\n')).not.toContain('read_logs waits')
  })

  it('ends on SIGTERM, with exit code 0', async () => {
    const { child } = await dev()
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

describe('an approver in the terminal', () => {
  async function signedIn(link: 'sign_in_url' | 'persona_sign_in_url' = 'sign_in_url', ...args: string[]) {
    const { ready } = await dev(...args)
    expect((await run(['login', ready[link]])).code).toBe(0)
    return new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
  }

  it('signs in, sees what waits, approves it, and the agent executes with the permit', async () => {
    await using sdk = await signedIn()
    const intent = await sdk.declare(REFUND)
    expect((await run(['inbox'])).out).toContain(intent.id)
    expect((await run(['inbox', intent.id])).out).toContain('"customer_id": "cust_4821"')
    expect(await run(['approve', intent.id, '--comment', 'checked'])).toMatchObject({ code: 0, out: 'approved' })
    expect((await sdk.read(intent.id)).approvals).toMatchObject([{ label: 'you@localhost', via: 'cli' }])
  })

  it('denies with a reason that the agent reads', async () => {
    await using sdk = await signedIn()
    const intent = await sdk.declare(REFUND)
    expect(await run(['deny', intent.id, '--comment', 'refunded yesterday'])).toMatchObject({ code: 0, out: 'denied' })
    expect((await sdk.read(intent.id)).resolution?.comment).toBe('refunded yesterday')
  })

  it('cannot approve what is high: a terminal is the weaker channel', async () => {
    await using sdk = await signedIn()
    const intent = await sdk.declare({ ...REFUND, riskTier: 'high' })
    expect(await run(['approve', intent.id])).toMatchObject({
      code: 12,
      err: expect.stringContaining('ASSURANCE_REQUIRED'),
    })
    expect((await sdk.read(intent.id)).status).toBe('pending')
  })

  it('cannot approve what the agent that they own asks for', async () => {
    await using sdk = await signedIn('persona_sign_in_url', '--personas')
    const intent = await sdk.declare({ ...REFUND, source: 'dev-agent' })
    expect(await run(['approve', intent.id])).toMatchObject({ code: 12, err: expect.stringContaining('SELF_APPROVAL') })
    expect((await sdk.read(intent.id)).status).toBe('pending')
  })

  it('shows what an agent wrote without letting it write on the terminal', async () => {
    await using sdk = await signedIn()
    const intent = await sdk.declare({ action: 'send_mail', params: { to: '\u001b[2J\u202egnp.exe' } })
    const { out } = await run(['inbox', intent.id])
    expect(out).toContain('U+202E')
    expect(out).not.toContain('\u001b')
    expect(out).not.toContain('\u202e')
  })

  it('keeps the session for this user alone, and refuses one that others can read', async () => {
    await using _sdk = await signedIn()
    const file = path.join(folder, '.silentauth', 'approver-session.json')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const session = await readFile(file)
    await rm(file)
    await writeFile(file, session, { mode: 0o644 })
    expect((await run(['inbox'])).code).toBe(77)
  })

  it('has nothing to show before the sign-in, and after the sign-out', async () => {
    expect((await run(['inbox'])).code).toBe(77)
    await using _sdk = await signedIn()
    expect((await run(['logout'])).code).toBe(0)
    expect((await run(['inbox'])).code).toBe(77)
  })

  it('cannot use a sign-in link twice', async () => {
    const { ready } = await dev()
    await run(['login', ready.sign_in_url])
    expect((await run(['login', ready.sign_in_url])).code).toBe(77)
  })
})

describe('silentauth verify', () => {
  async function permit() {
    await dev()
    await using sdk = new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
    const { permit } = await sdk.createIntent({ action: 'read_logs', params: { lines: 10 } })
    if (!permit) throw new Error('no permit')
    return permit.token
  }

  it('prints the claims of a permit for exactly this', async () => {
    const token = await permit()
    const { code, out } = await run(['verify', '-', '--action', 'read_logs', '--params', '{"lines":10}'], token)
    expect([code, JSON.parse(out)]).toMatchObject([0, { action: 'read_logs', decision: { kind: 'policy' } }])
  })

  it.each([
    ['other arguments', ['--action', 'read_logs', '--params', '{"lines":11}'], 'PERMIT_PARAMS'],
    ['another action', ['--action', 'read_mail', '--params', '{"lines":10}', '--audience', 'urn:x'], 'PERMIT_AUDIENCE'],
    ['another gate', ['--action', 'read_logs', '--params', '{"lines":10}', '--issuer', 'urn:other'], 'PERMIT_ISSUER'],
  ])(
    'says why a permit is not for %s',
    async (_, args, code) => {
      const token = await permit()
      const ended = await run(['verify', '-', ...args], token)
      expect(ended).toMatchObject({ code: 12, out: '', err: expect.stringContaining(code) })
      expect(ended.err).not.toContain(token)
    },
    60_000,
  )

  it('says what is missing where there is no gate', async () => {
    const { code, err } = await run(['verify', 'x', '--action', 'a', '--params', '{}'])
    expect([code, err]).toEqual([64, expect.stringContaining('--issuer')])
  })
})

describe('an admin in the terminal', () => {
  it('stops an agent by its fingerprint, which then asks in vain, and lets it run again', async () => {
    const { ready } = await dev('--personas')
    expect((await run(['login', ready.sign_in_url])).code).toBe(0)
    await using sdk = new SilentAuth({ dataFolder: path.join(folder, '.silentauth'), source: 'dev-agent' })
    expect((await run(['agents'])).out).toMatch(/^agt_\w+ +active +dev-agent/)
    expect((await run(['agents', 'pause', 'dev-agent'])).out).toBe('paused')
    await expect(sdk.declare(REFUND)).rejects.toMatchObject({ code: 'AGENT_PAUSED' })
    expect((await run(['agents', 'resume', 'dev-agent'])).out).toBe('active')
    expect((await sdk.declare(REFUND)).status).toBe('pending')
    expect((await run(['agents', 'pause', 'nobody'])).code).toBe(64)
  })

  it('makes a key, whose secret is all that stands on stdout, and ends it', async () => {
    const { ready } = await dev()
    expect((await run(['login', ready.sign_in_url])).code).toBe(0)
    const { out: secretKey, err } = await run(['keys', 'create', 'batch job'])
    const id = /key_\w+/.exec(err)?.[0] ?? ''
    const { url: baseUrl, project_id: projectId, issuer } = ready
    const keys = path.join(folder, '.silentauth', 'public.jwks.json')
    await using sdk = new SilentAuth({ baseUrl, projectId: projectId as `prj_${string}`, secretKey, issuer, keys })
    expect((await sdk.declare(REFUND)).status).toBe('pending')
    expect((await run(['keys', 'disable', id])).code).toBe(0)
    await expect(sdk.declare(REFUND)).rejects.toMatchObject({ code: 'UNAUTHORIZED' })
    expect((await run(['keys'])).out).toMatch(new RegExp(`${id} +agent +disabled +batch job`))
  })
})

describe('the operator of a gate', () => {
  it('rotates its permit key, which is then shown beside the new one', async () => {
    const first = await dev()
    await using sdk = new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
    await sdk.declare(REFUND)
    first.child.kill('SIGTERM')
    await once(first.child, 'exit')
    const kids = async (): Promise<string[]> => {
      const { keys } = JSON.parse(await readFile(path.join(folder, '.silentauth', 'public.jwks.json'), 'utf8'))
      return keys.map(({ kid }: { kid: string }) => kid)
    }
    const [before] = await kids()
    const { out: kid, err } = await run(['keys', 'rotate'])
    expect([await kids(), err.includes(before ?? '-')]).toEqual([[kid, before], true])
    const { out: last } = await run(['keys', 'rotate', '--compromised'])
    expect(await kids()).toEqual([last])
  })

  it('cannot rotate the key of a gate that never ran', async () => {
    expect((await run(['keys', 'rotate', '--data', 'nobody'])).code).toBe(64)
  })
})

describe('silentauth serve', () => {
  const environment = () => ({
    SILENTAUTH_DATABASE: `sqlite:${path.join(folder, 'gate.db')}`,
    SILENTAUTH_PUBLIC_URL: 'http://127.0.0.1:4747',
    SILENTAUTH_DATA: path.join(folder, 'keys'),
    SILENTAUTH_STATE: path.join(folder, 'state'),
    SILENTAUTH_PORT: '0',
  })

  async function ended(args: readonly string[], env: Record<string, string>): Promise<{ code: number; err: string }> {
    const child = start(['serve', ...args], env)
    if (!child.stderr) throw new Error('no pipe')
    const exited = once(child, 'exit')
    const err = await text(child.stderr)
    return { code: ((await exited) as [number])[0], err }
  }

  it.each(['SILENTAUTH_DATABASE', 'SILENTAUTH_PUBLIC_URL', 'SILENTAUTH_DATA'])(
    'does not start without %s, and names it',
    async (name) => {
      const { code, err } = await ended([], { ...environment(), [name]: undefined } as unknown as Record<
        string,
        string
      >)
      expect({ code, named: err.includes(name) }).toEqual({ code: 64, named: true })
    },
  )

  it('does not start on an empty database whose owner nobody named', async () => {
    const { code, err } = await ended([], environment())
    expect({ code, told: err.includes('--first-owner') }).toEqual({ code: 64, told: true })
  })

  it('serves until it is told to stop, and goes on where it was', async () => {
    const serveOnce = async (...args: string[]) => {
      const child = start(['serve', '--json', ...args], environment())
      if (!child.stdout) throw new Error('no pipe')
      const exited = once(child, 'exit')
      const first = Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited.then(() => ['{}'])])
      const ready = JSON.parse(((await first) as [string])[0])
      const status = (await fetch(`${ready.address}/readyz`)).status
      child.kill('SIGTERM')
      return { ready, status, code: ((await exited) as [number])[0] }
    }
    const first = await serveOnce('--first-owner', 'owner@example.com')
    const second = await serveOnce()
    expect([first.status, first.code, second.status, second.code]).toEqual([200, 0, 200, 0])
    expect(first.ready.sign_in_url).toContain('/sign-in#token=')
    expect(second.ready).toEqual({ ...first.ready, address: second.ready.address, sign_in_url: undefined })

    // The same from a file, which not everybody may read.
    const file = path.join(folder, 'gate.env')
    const lines = Object.entries(environment()).map(([name, value]) => `${name}=${value}\n`)
    await writeFile(file, lines.join(''), { mode: 0o600 })
    const prune = async () => {
      const child = start(['prune', '--older-than', '1d'], { SILENTAUTH_CONFIG: file })
      if (!child.stdout) throw new Error('no pipe')
      const exited = once(child, 'exit')
      return [(await text(child.stdout)).trim(), ((await exited) as [number])[0]]
    }
    expect(await prune()).toEqual(['0', 0])
    await chmod(file, 0o644)
    expect(await prune()).toEqual(['', 64])
  })
})

describe('silentauth prune', () => {
  it('takes nothing away that is not over for that long, and says how much went', async () => {
    await dev()
    await using sdk = new SilentAuth({ dataFolder: path.join(folder, '.silentauth') })
    const { id } = await sdk.declare(REFUND)
    await sdk.cancel(id, 'no need')
    expect(await run(['prune', '--older-than', '1d'])).toMatchObject({ code: 0, out: '0' })
    expect((await sdk.read(id)).status).toBe('cancelled')
  })

  it.each([
    ['no duration', [], 64],
    ['less than a day', ['--older-than', '1h'], 64],
    ['a folder without a gate', ['--older-than', '90d', '--data', 'nowhere'], 1],
  ])('refuses %s', async (_, args, code) => {
    expect((await run(['prune', ...args])).code).toBe(code)
  })
})
