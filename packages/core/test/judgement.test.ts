import { describe, expect, it } from 'vitest'
import { judge } from '../src/judgement.js'
import { AGENT, aScene, HOUR, NOW, type Setting } from './a-scene.js'

const person = { decision: 'require_approval' }
const pinned = aScene()

function judged(setting: Setting, declaring: Setting = {}, now = NOW) {
  return judge(aScene(declaring).declare().declaration, aScene(setting).facts, now)
}

describe('judge', () => {
  it('E8 demands what the pinned and the current policy demand, the pinned one first', () => {
    const two = { ...person, approval: { approvers_required: 2 } }
    const { bench } = judged({ policies: [two] })
    expect(bench.rules.map(({ approversRequired }) => approversRequired)).toEqual([1, 2])
  })

  it('E8 demands nothing of people where a policy approves, then and now', () => {
    const auto = { policies: [{ decision: 'auto_approve', any_params: true }] }
    expect(judged(auto, auto).bench.rules).toEqual([])
  })

  it('E8 judges the tier anew, never lower', () => {
    const raised = judged({ project: { actionTiers: { 'issue_*': 'critical' } } })
    const lowered = judged({}, { project: { actionTiers: { 'issue_*': 'critical' } } })
    expect([raised, lowered].map(({ bench }) => bench.rules.map(({ typedConfirmation }) => typedConfirmation))).toEqual(
      [
        [false, true],
        [true, true],
      ],
    )
  })

  it('E8 takes the tier that the agent enforces now', () => {
    const { bench } = judged({ agent: { ...AGENT, enforce: true, riskSensitivity: 'high' } })
    expect(bench.rules[1]?.allowVia).toEqual(['session', 'webauthn'])
  })

  it.each([
    ['the pinned policy', {}, { policies: [{ ...person, time_restrictions: { block_hours: [13, 14] } }] }],
    ['the current policy', { policies: [{ ...person, time_restrictions: { block_hours: [13, 14] } }] }, {}],
  ])('E8 blocks the hours of %s', (_, now, then) => {
    const restricted = [NOW, NOW + HOUR, NOW + 2 * HOUR].map((at) => judged(now, then, at).timeRestricted)
    expect(restricted).toEqual([false, true, false])
  })

  it('E8 blocks by the zone of the project', () => {
    const setting = {
      project: { timezone: 'Europe/Berlin' },
      policies: [{ ...person, time_restrictions: { block_hours: [13, 14] as [number, number] } }],
    }
    expect(judged(setting).timeRestricted).toBe(true)
  })

  it('counts a claimed low for nothing that the project does not name', () => {
    const medium = { match: { risk_tier: 'medium' }, decision: 'auto_deny' }
    const auto = { decision: 'auto_approve', any_params: true }
    const { declaration } = pinned.declare({ riskTier: 'low' })
    const { verdict } = judge(declaration, aScene({ policies: [medium, auto] }).facts, NOW)
    expect(verdict).not.toBe('auto_approve')
  })
})
