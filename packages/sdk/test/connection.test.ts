import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ConnectionOptions, connectionOf } from '../src/connection.js'

const PROD = { projectId: 'prj_1', secretKey: 'sk_prod', baseUrl: 'https://gate.example.com' } as const
const DEV = {
  url: 'http://127.0.0.1:4747',
  issuer: 'urn:silentauth:embedded:abc',
  project_id: 'prj_dev',
  jwks_url: 'http://127.0.0.1:4747/.well-known/jwks.json',
  secret_key: 'sk_dev',
}

describe('a connection from options', () => {
  it('is where they say', () => {
    const { gate, ...connection } = connectionOf(PROD, {})
    expect([gate.href, connection]).toEqual([
      'https://gate.example.com/',
      {
        projectId: 'prj_1',
        secretKey: 'sk_prod',
        trust: { issuer: 'https://gate.example.com', keys: 'https://gate.example.com/.well-known/jwks.json' },
        profile: 'v1',
      },
    ])
  })

  it('may say issuer and keys', () => {
    const trust = { issuer: 'https://issuer.example.com', keys: 'keys.json' }
    expect(connectionOf({ ...PROD, ...trust }, {}).trust).toEqual(trust)
  })

  it('has nothing to verify with in an hs256 project', () => {
    expect(connectionOf({ ...PROD, profile: 'hs256' }, {}).trust).toBeUndefined()
  })

  it.each<[string, ConnectionOptions]>([
    ['no key', { ...PROD, secretKey: undefined }],
    ['no project', { ...PROD, projectId: undefined }],
    ['no gate', { ...PROD, baseUrl: undefined }],
    ['a key that would break a header', { ...PROD, secretKey: 'sk_\r\nx: y' }],
    ['http to another machine', { ...PROD, baseUrl: 'http://gate.example.com' }],
    ['http to a name', { ...PROD, baseUrl: 'http://localhost:4747' }],
    ['credentials in the address', { ...PROD, baseUrl: 'https://a:b@gate.example.com' }],
    ['keys of a gate on this machine without its issuer', { ...PROD, baseUrl: DEV.url, keys: 'keys.json' }],
  ])('is refused with %s', (_, options) => {
    expect(() => connectionOf(options, {})).toThrow(TypeError)
  })

  it('says what is missing, how to set it, and where it looked', () => {
    expect(() => connectionOf({ dataFolder: '/nowhere' }, {})).toThrow(
      /secretKey.*SILENTAUTH_SECRET_KEY.*silentauth dev.*\/nowhere\/dev\.json/,
    )
  })

  it('never says the key', () => {
    expect(() => connectionOf({ ...PROD, secretKey: 'sk_hunter 2' }, {})).not.toThrow(/hunter/)
  })
})

describe('a connection from the environment', () => {
  it.each(['SILENTAUTH', 'SA'])('is where %s_* say', (prefix) => {
    const env = {
      [`${prefix}_PROJECT_ID`]: 'prj_env',
      [`${prefix}_SECRET_KEY`]: 'sk_env',
      [`${prefix}_URL`]: 'https://env.example.com',
    }
    const { projectId, secretKey, gate } = connectionOf({}, env)
    expect([projectId, secretKey, gate.href]).toEqual(['prj_env', 'sk_env', 'https://env.example.com/'])
  })

  it('gives way to options', () => {
    const env = {
      SILENTAUTH_PROJECT_ID: 'prj_env',
      SILENTAUTH_SECRET_KEY: 'sk_env',
      SILENTAUTH_URL: 'https://a.example',
    }
    expect(connectionOf(PROD, env).secretKey).toBe('sk_prod')
  })

  it('takes empty variables for absent ones', () => {
    expect(() => connectionOf({}, { SILENTAUTH_SECRET_KEY: '', SILENTAUTH_DATA: '/nowhere' })).toThrow(/secretKey/)
  })
})

describe('a connection from a data folder', () => {
  it('is to the gate that runs there, with its keys pinned', async () => {
    await using folder = await dataFolder()
    const { gate, ...connection } = connectionOf({ dataFolder: folder.path }, {})
    expect([gate.href, connection]).toEqual([
      `${DEV.url}/`,
      {
        projectId: 'prj_dev',
        secretKey: 'sk_dev',
        trust: { issuer: DEV.issuer, keys: path.join(folder.path, 'public.jwks.json') },
        profile: 'v1',
      },
    ])
  })

  it('is found by SILENTAUTH_DATA', async () => {
    await using folder = await dataFolder()
    expect(connectionOf({}, { SILENTAUTH_DATA: folder.path }).secretKey).toBe('sk_dev')
  })

  it('that the code names goes before the environment', async () => {
    await using folder = await dataFolder()
    const env = {
      SILENTAUTH_PROJECT_ID: 'prj_env',
      SILENTAUTH_SECRET_KEY: 'sk_env',
      SILENTAUTH_URL: 'https://a.example',
    }
    expect(connectionOf({ dataFolder: folder.path }, env).secretKey).toBe('sk_dev')
  })

  it('pins the keys of a gate on this machine that options or environment name', async () => {
    await using folder = await dataFolder()
    const options = { projectId: 'prj_dev', secretKey: 'sk_other', baseUrl: DEV.url }
    const { secretKey, trust } = connectionOf(options, { SILENTAUTH_DATA: folder.path })
    expect([secretKey, trust?.issuer]).toEqual(['sk_other', DEV.issuer])
  })

  it('cannot verify permits of a gate that left no keys', async () => {
    await using folder = await dataFolder({ jwks: undefined })
    expect(connectionOf({ dataFolder: folder.path }, {}).trust).toBeUndefined()
  })

  it.each<[string, ConnectionOptions]>([
    ['another gate', { baseUrl: 'https://gate.example.com', projectId: 'prj_1' }],
    ['another gate on this machine', { baseUrl: 'http://127.0.0.1:4748' }],
    ['another project', { projectId: 'prj_other' }],
  ])('gives its key to no %s', async (_, options) => {
    await using folder = await dataFolder()
    expect(() => connectionOf({ ...options, dataFolder: folder.path }, {})).toThrow(/secretKey/)
  })

  it('lends its keys to no other gate on this machine', async () => {
    await using folder = await dataFolder()
    const options = { projectId: 'prj_dev', secretKey: 'sk_1', baseUrl: 'http://127.0.0.1:4748' }
    expect(connectionOf(options, { SILENTAUTH_DATA: folder.path }).trust).toBeUndefined()
  })

  it('is not looked at by whoever was told everything', async () => {
    await using folder = await dataFolder({ dev: 'damaged' })
    expect(connectionOf(PROD, { SILENTAUTH_DATA: folder.path }).secretKey).toBe('sk_prod')
  })

  it.each<[string, Parameters<typeof dataFolder>[0]]>([
    ['is damaged', { dev: '{"url":"http://127.0' }],
    ['says less than it must', { dev: '{}' }],
    ['leads to another machine', { dev: JSON.stringify({ ...DEV, url: 'http://gate.example.com' }) }],
    ['can be read by the group', { mode: 0o640 }],
    ['can be read by everybody', { mode: 0o604 }],
    ['has keys that others can write', { jwksMode: 0o622 }],
  ])('is refused when it %s', async (_, contents) => {
    await using folder = await dataFolder(contents)
    expect(() => connectionOf({ dataFolder: folder.path }, {})).toThrow(TypeError)
  })

  it('is refused when its file is a link', async () => {
    await using folder = await dataFolder()
    await using other = await dataFolder()
    await rm(path.join(folder.path, 'dev.json'))
    await symlink(path.join(other.path, 'dev.json'), path.join(folder.path, 'dev.json'))
    expect(() => connectionOf({ dataFolder: folder.path }, {})).toThrow()
  })

  it('never says its key', async () => {
    await using folder = await dataFolder({ dev: '{"secret_key":"sk_hunter2",' })
    expect(() => connectionOf({ dataFolder: folder.path }, {})).not.toThrow(/hunter2/)
  })
})

async function dataFolder(
  contents: { dev?: string; mode?: number; jwks?: string | undefined; jwksMode?: number } = {},
): Promise<AsyncDisposable & { path: string }> {
  const { dev = JSON.stringify(DEV), mode = 0o600, jwksMode = 0o600 } = contents
  const jwks = 'jwks' in contents ? contents.jwks : '{"keys":[]}'
  const folder = await mkdtemp(path.join(tmpdir(), 'silentauth-connection-'))
  await writeFile(path.join(folder, 'dev.json'), dev)
  await chmod(path.join(folder, 'dev.json'), mode)
  if (jwks !== undefined) {
    await writeFile(path.join(folder, 'public.jwks.json'), jwks)
    await chmod(path.join(folder, 'public.jwks.json'), jwksMode)
  }
  return { path: folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
