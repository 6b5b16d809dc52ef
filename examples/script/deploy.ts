/**
 * A deploy script that asks first. Run `npx silentauth dev` in this folder, then `npm start`, and open the link that it
 * prints.
 */
import { SilentAuth } from '@silentauth/sdk'

await using sa = new SilentAuth()

const intent = await sa.createIntent({
  action: 'deploy_production',
  params: { service: 'checkout', version: '4.2.0' },
  riskTier: 'high',
  sourceType: 'devops',
  context: { reasoning: 'fixes the rounding of totals' },
})
if (intent.status === 'pending') console.error(`A person must decide: ${intent.approvalUrl}`)

// Throws when it is denied, expires, or is sent back; waits over restarts of the gate.
const permit = await intent.waitForApproval({ timeout: 10 * 60_000 })

// What executes takes `permit.headers()` and verifies them itself; a script without a backend looks at least.
const { valid, error } = await sa.validatePermit(permit.token, { action: intent.action, params: intent.params })
if (!valid) throw new Error(`not deployed: ${error}`)
console.log(`deploying ${intent.params.service} ${intent.params.version}, approved by ${permit.approvedBy}`)

await sa.logExecution({ permitId: permit.permitId, status: 'completed' })
