import { describe, expect, it } from 'vitest'
import { leaksIn, reachableText, secretOfPermit, watchLogs } from '../src/contracts/adapter-secrets.js'
import { randomToken } from '../src/id.js'

const secret = { name: 'the secret key' as const, text: `sk_test_${randomToken(32)}` }
const permit = `${randomToken(8)}.${randomToken(40)}.${randomToken(64)}`

function cycle(): object {
  const one: Record<string, unknown> = { name: 'of a cycle' }
  one.itself = one
  return one
}

describe('a secret is found', () => {
  it.each<[string, unknown]>([
    ['in a text', `key: ${secret.text}!`],
    ['in a member', { deep: [{ deeper: secret.text }] }],
    ['in the name of a member', { [secret.text]: true }],
    ['in a map', new Map([[secret.text, 1]])],
    ['in a set', new Set([secret.text])],
    ['in bytes', { channel: new TextEncoder().encode(JSON.stringify(secret.text)) }],
    ['in the message of an error', new Error(secret.text)],
    ['in the cause of an error', new Error('closed', { cause: new Error('why', { cause: secret.text }) })],
    ['in what an error carries', Object.assign(new Error('closed'), { request: { headers: [secret.text] } })],
    ['in an address', new URL(`https://example.com/?key=${secret.text}`)],
    ['behind what leads back to itself', Object.assign(cycle(), { key: secret.text })],
  ])('%s', (_, seen) => {
    expect(leaksIn([{ traces: seen, streams: 'nothing' }], [secret])).toEqual(['the secret key in traces'])
  })

  it('once for each place, whatever number of runs showed it there', () => {
    const seen = { traces: secret.text, streams: [secret.text, secret.text] }
    expect(leaksIn([seen, seen], [secret])).toEqual(['the secret key in streams', 'the secret key in traces'])
  })

  it('of a permit by its signature alone', () => {
    const [header, claims, signature] = permit.split('.')
    const found = (text: string) => leaksIn([{ logs: text }], [secretOfPermit(permit)])
    expect([permit, `${signature}`, `${header}.${claims}`].map(found)).toEqual([
      ['a permit in logs'],
      ['a permit in logs'],
      [],
    ])
  })
})

it('a secret that is none is not searched for: it would be found everywhere, or nowhere', () => {
  expect(() => leaksIn([{ logs: 'text' }], [secretOfPermit('a.b.')])).toThrow(TypeError)
})

it('what can be reached is read once', () => {
  expect(reachableText(cycle()).split('\n').sort()).toEqual(['itself', 'name', 'of a cycle'])
})

it.each<[string, (text: string) => void]>([
  ['console.log', (text) => console.log('told', { text })],
  ['console.error', (text) => console.error(text)],
  ['the standard error', (text) => void process.stderr.write(`${text}\n`)],
])('what goes to %s is seen, and no longer once it is disposed', (_, write) => {
  const undone = [console.log, console.error, process.stderr.write]
  const text = 'said by a test of what is logged'
  const logs = watchLogs()
  write(text)
  logs[Symbol.dispose]()
  expect(reachableText(logs.seen)).toContain(text)
  expect([console.log, console.error, process.stderr.write]).toEqual(undone)
})
