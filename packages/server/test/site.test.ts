import { describe, expect, it } from 'vitest'
import { siteOf } from '../src/site.js'

describe('siteOf', () => {
  it.each([
    ['http on a host that others can reach', 'http://gate.example.com'],
    ['http on an address that others can reach', 'http://192.168.1.2:4747'],
    ['http on every address', 'http://0.0.0.0:4747'],
    ['http on a name that only begins like this host', 'http://localhost.example.com'],
    ['a path', 'https://gate.example.com/silentauth'],
    ['a query', 'https://gate.example.com/?x=1'],
    ['a user', 'https://ada:pw@gate.example.com'],
    ['another scheme', 'ftp://gate.example.com'],
    ['no URL', 'gate.example.com'],
  ])('refuses %s', (_, url) => {
    expect(() => siteOf(url)).toThrow(TypeError)
  })

  it.each([
    ['https://gate.example.com', 'https://gate.example.com', ['gate.example.com']],
    ['https://gate.example.com:8443/', 'https://gate.example.com:8443', ['gate.example.com:8443']],
    ['http://127.0.0.1:4747', 'http://127.0.0.1:4747', ['127.0.0.1:4747', 'localhost:4747', '[::1]:4747']],
    ['http://[::1]:80', 'http://[::1]', ['127.0.0.1', 'localhost', '[::1]']],
  ])('answers at %s to its own names only', (url, publicUrl, hosts) => {
    const site = siteOf(url)
    expect([site.publicUrl, [...site.originByHost.keys()]]).toEqual([publicUrl, hosts])
  })

  it('gives two gates on one host cookies of different names', () => {
    const names = ['http://127.0.0.1:4747', 'http://127.0.0.1:4748'].map((url) => siteOf(url).cookieName)
    expect(new Set(names).size).toBe(2)
  })
})
