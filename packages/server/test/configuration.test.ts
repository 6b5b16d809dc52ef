import { describe, expect, it, vi } from 'vitest'
import { configurationOf, productionConfigurationOf } from '../src/configuration.js'
import { warnOfFewDescriptors } from '../src/file-descriptors.js'

describe('configurationOf', () => {
  it('reads what the environment says', () => {
    expect(
      configurationOf({
        SILENTAUTH_DATA: '/var/lib/gate',
        SILENTAUTH_DATABASE: 'sqlite:./gate.db',
        SILENTAUTH_PUBLIC_URL: 'https://gate.example.com',
        SILENTAUTH_PORT: '0',
        SILENTAUTH_KEYS: '/etc/gate',
        SILENTAUTH_STATE: '/var/lib/state',
        SILENTAUTH_ANCHORS: 'file:/mnt/worm/log.jsonl, https://witness.example.com/checkpoints',
      }),
    ).toEqual({
      dataDir: '/var/lib/gate',
      keysDir: '/etc/gate',
      stateDir: '/var/lib/state',
      anchors: [
        expect.objectContaining({ name: 'file log.jsonl' }),
        expect.objectContaining({ name: 'webhook witness.example.com' }),
      ],
      database: 'sqlite:./gate.db',
      replicated: false,
      host: undefined,
      publicUrl: 'https://gate.example.com',
      port: 0,
      executionSecret: undefined,
    })
  })

  it.each([
    ['a database that there is none of', { SILENTAUTH_DATABASE: 'mysql://ada:hunter2@db/gate' }],
    ['a database without a file', { SILENTAUTH_DATABASE: 'sqlite:' }],
    ['a port that is none', { SILENTAUTH_PORT: 'hunter2' }],
    ['a port that is too high', { SILENTAUTH_PORT: '65536' }],
    ['an anchor over http', { SILENTAUTH_ANCHORS: 'http://hunter2.example.com' }],
    ['an anchor that is nothing', { SILENTAUTH_ANCHORS: 'https://witness.example.com,,hunter2' }],
    ['an anchor without a file', { SILENTAUTH_ANCHORS: 'file:' }],
  ])('refuses %s by its name, without its value', (_, env) => {
    const [name = ''] = Object.keys(env)
    expect(() => configurationOf(env)).toThrow(name)
    expect(() => configurationOf(env)).not.toThrow(/hunter2/)
  })
})

describe('productionConfigurationOf', () => {
  const WHOLE = {
    SILENTAUTH_DATABASE: 'postgres://gate@db:5432/gate',
    SILENTAUTH_PUBLIC_URL: 'https://gate.example.com',
    SILENTAUTH_DATA: '/etc/gate',
    SILENTAUTH_REPLICATED: '1',
    SILENTAUTH_PROJECT: 'prj_a',
  }

  it('reads what the environment says', () => {
    expect(productionConfigurationOf(WHOLE)).toMatchObject({
      database: 'postgres://gate@db:5432/gate',
      publicUrl: 'https://gate.example.com',
      dataDir: '/etc/gate',
      replicated: true,
      projectId: 'prj_a',
    })
  })

  it('needs no folder but that of the keys', () => {
    const env = { ...WHOLE, SILENTAUTH_DATA: undefined, SILENTAUTH_KEYS: '/etc/keys' }
    expect(productionConfigurationOf(env)).toMatchObject({ dataDir: '/etc/keys', keysDir: '/etc/keys' })
  })

  it.each(['SILENTAUTH_DATABASE', 'SILENTAUTH_PUBLIC_URL', 'SILENTAUTH_DATA'])(
    'makes up no %s, and names it when it is missing',
    (name) => {
      expect(() => productionConfigurationOf({ ...WHOLE, [name]: undefined })).toThrow(name)
    },
  )
})

describe('file descriptors', () => {
  it.each([
    [1024, true],
    [10_500, false],
    [undefined, false],
  ])('of which there are %s: warned %s', (limit, warned) => {
    const logger = { warn: vi.fn() }
    warnOfFewDescriptors(logger as never, 10_000, limit)
    expect(logger.warn.mock.calls.length > 0).toBe(warned)
  })

  it('are counted by the system', () => {
    const logger = { warn: vi.fn() }
    warnOfFewDescriptors(logger as never, Number.MAX_SAFE_INTEGER)
    expect(logger.warn).toHaveBeenCalledTimes(process.platform === 'win32' ? 0 : 1)
  })
})
