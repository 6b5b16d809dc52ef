import { expect, it } from 'vitest'
import vectors from '../../../test/vectors/audit.json' with { type: 'json' }
import { verifyAudit } from '../src/audit-verify.js'

const { vkey, fingerprint } = vectors

it.each(vectors.cases)('an export of which $name', async ({ lines, checkpoint, older, exitCode, findings }) => {
  const exported = { lines, checkpoint, vkeys: [vkey] }
  const verdict = await verifyAudit(exported, { trust: fingerprint, olderCheckpoints: older })
  const told = verdict.findings.map(({ field, sequence }) => ({ field, sequence: sequence ?? null }))
  expect(told).toEqual(expect.arrayContaining<unknown>(findings))
  expect([verdict.exitCode, told.length > 0]).toEqual([exitCode, findings.length > 0])
})
