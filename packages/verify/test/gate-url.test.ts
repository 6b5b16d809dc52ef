import { describe, expect, it } from 'vitest'
import { below, gateUrl, isLoopback } from '../src/gate-url.js'

describe('the address of a gate', () => {
  it.each([
    ['https', 'https://gate.example.com'],
    ['http on the loopback address', 'http://127.0.0.1:4747'],
    ['http on the loopback address of IPv6', 'http://[::1]:4747'],
  ])('may be %s', (_, address) => {
    expect(gateUrl(address, 'baseUrl').href).toBe(`${address}/`)
  })

  it.each([
    ['http to another host', 'http://gate.example.com'],
    ['http to a name that usually is this machine', 'http://localhost:4747'],
    ['http to another loopback address', 'http://127.0.0.2:4747'],
    ['http to a name that begins like an address', 'http://127.0.0.1.example.com'],
    ['another protocol', 'ftp://gate.example.com'],
    ['credentials', 'https://user:secret@gate.example.com'],
    ['a path alone', '/gate'],
  ])('is refused with %s', (_, address) => {
    expect(() => gateUrl(address, 'baseUrl')).toThrow(TypeError)
  })

  it('is not in the message when it is refused', () => {
    expect(() => gateUrl('https://user:hunter2@gate.example.com', 'baseUrl')).not.toThrow(/hunter2/)
  })

  it('tells the gate on this machine from others', () => {
    expect(
      ['http://127.0.0.1:1', 'http://[::1]:1', 'https://127.0.0.1'].map((url) => isLoopback(new URL(url))),
    ).toEqual([true, true, false])
  })

  it.each([
    ['https://gate.example.com', 'https://gate.example.com/api/x'],
    ['https://example.com/gate/', 'https://example.com/gate/api/x'],
  ])('leads on from %s', (address, expected) => {
    expect(below(new URL(address), '/api/x')).toBe(expected)
  })
})
