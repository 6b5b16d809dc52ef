/** A gate in this process whose decisions outlive it: run twice, the second declare finds the first intent. */
import { generateSigningKey, localGate, type Project, type ProjectKey, privateKeySigner } from '@silentauth/core'
import { sqliteStore } from '@silentauth/store/sqlite'

const project: Project = {
  id: 'prj_refunds',
  name: 'Refunds',
  timezone: 'UTC',
  actionTiers: {},
  requireRegisteredAgents: false,
  approverLabels: 'email',
}
const key: ProjectKey = {
  id: 'key_refunds',
  lineage: 'key_refunds',
  projectId: project.id,
  kind: 'agent',
  name: 'refund agent',
  agents: [],
  environment: undefined,
  createdBy: 'system:setup',
  status: 'active',
  secretHash: 'not used in this process',
  createdAt: Date.now(),
}

await using store = await sqliteStore({ file: process.argv[2] ?? './data/gate.db' })
await using gates = localGate({
  store,
  projectId: project.id,
  signer: await privateKeySigner(await generateSigningKey('EdDSA')),
  issuer: 'https://gate.example.com',
  publicUrl: 'https://gate.example.com',
})
await gates.administer('system:setup', 'registry.changed', {}, async (tx) => {
  await tx.putProject(project)
  await tx.putKey(key)
})

const gate = gates.gateFor({ type: 'key', id: key.id, projectId: project.id })
const params = { customer_id: 'cust_4821', amount: 250 }
const intent = await gate.declare({ action: 'issue_refund', params, idempotencyKey: 'order-1017' })
console.log(intent.id, intent.status)
