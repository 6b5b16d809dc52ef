import { ERROR_STATUS } from '@silentauth/core'
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { openApiDocument } from '../src/openapi.js'
import { route } from '../src/route-table.js'
import { type TestApp, testApp } from './test-app.js'

let test: TestApp
afterEach(() => test?.[Symbol.asyncDispose]())

type Node = Record<string, unknown>

function dangling(document: unknown): string[] {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => ref as string)
  return refs.filter((ref) => {
    if (!ref.startsWith('#/')) return true
    return (
      ref
        .slice(2)
        .split('/')
        .reduce<unknown>((at, step) => (at as Node | undefined)?.[step], document) === undefined
    )
  })
}

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 and has every route', async () => {
    test = await testApp()
    const { json } = await test.ask('GET', '/openapi.json')
    const described = Object.entries(json.paths as Record<string, Node>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(json.openapi).toBe('3.1.0')
    expect(described.sort()).toEqual(test.app.table.map(({ method, path }) => `${method} ${path}`).sort())
  })

  it('has schemas that recur, and no reference that leads nowhere', async () => {
    test = await testApp()
    const { json, text } = await test.ask('GET', '/openapi.json')
    expect(text.match(/\$ref/g)?.length).toBeGreaterThan(3)
    expect(dangling(json)).toEqual([])
    expect(text).not.toContain('$defs')
  })

  it('names every operation differently', async () => {
    test = await testApp()
    const { text } = await test.ask('GET', '/openapi.json')
    const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('sorts the codes of a route under their status', async () => {
    test = await testApp()
    const { json } = await test.ask('GET', '/openapi.json')
    for (const methods of Object.values(json.paths as Record<string, Record<string, { responses: Node }>>)) {
      for (const { responses } of Object.values(methods)) {
        for (const [status, { description }] of Object.entries(responses as Record<string, { description: string }>)) {
          const codes = [...description.matchAll(/`(\w+)`/g)].map(([, code]) => code as keyof typeof ERROR_STATUS)
          for (const code of codes) expect(String(ERROR_STATUS[code] ?? 503)).toBe(status)
        }
      }
    }
  })

  it('describes a body that recurs by itself', () => {
    const probe = route({
      method: 'POST',
      path: '/api/probe',
      access: 'open',
      summary: 'A probe.',
      body: z.strictObject({ any: z.json() }),
      data: z.json(),
      handle: () => ({ data: null }),
    })
    expect(dangling(openApiDocument([probe], { cookieName: 'sa_session', version: '0' }))).toEqual([])
  })
})
