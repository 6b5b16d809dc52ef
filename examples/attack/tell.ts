/** The story of four attacks on approvals, each first on a framework as it comes, then with one wrap. */
import { type AttackGate, attackGate } from './attack-gate.ts'
import { type Attack, type AttackReport, isRefused } from './attack-report.ts'
import { forgedApproval, selfApproval } from './forged-approval.ts'
import { retargetingEdit } from './retargeting-edit.ts'
import { stolenPermit } from './stolen-permit.ts'

const ATTACKS: readonly ((gate: AttackGate) => Attack)[] = [forgedApproval, selfApproval, retargetingEdit, stolenPermit]

export interface Teller {
  say(line?: string): void
  /** As long as a line takes to read. */
  pause(): Promise<void>
}
export interface Told extends AttackReport {
  readonly name: string
  readonly refused: boolean
}

export async function tell({ say, pause }: Teller): Promise<readonly Told[]> {
  await using gate = await attackGate()
  const told: Told[] = []
  say(
    'Approvals under attack. Each attack runs twice: on the framework as it comes, and with one wrap around the tools.',
  )
  say('Real frameworks, a real gate, a scripted model; nothing leaves this machine.')
  for (const [index, attackOn] of ATTACKS.entries()) {
    const attack = attackOn(gate)
    say()
    say(`${index + 1}. ${attack.name.toUpperCase()}  (${attack.stock})`)
    for (const line of attack.story) {
      await pause()
      say(`   ${line}`)
    }
    const report = await attack.run()
    const refused = isRefused(report)
    await pause()
    say(`   → without a gate   ${report.stock.length > 0 ? `PAID ${report.stock.join(', ')}` : 'paid nothing'}`)
    await pause()
    say(`   One wrap:          ${attack.wrap}`)
    await pause()
    const paid = refused ? 'REFUSED' : `NOT REFUSED: paid ${report.gated.join(', ')}`
    const codes = Object.entries(report.refusals).map(([tried, code]) => `${tried}: ${code ?? 'no refusal'}`)
    say(`   → with the gate    ${paid}  (${codes.join('; ')})`)
    await pause()
    say(`   Why: ${attack.why}.`)
    told.push({ name: attack.name, refused, ...report })
  }
  say()
  say(`${told.filter(({ refused }) => refused).length} of ${told.length} attacks refused.`)
  say('All of them, with sources: docs/field-failures.md. To approve something yourself: npm run demo')
  return told
}

/** Of the process that tells it: 1 if any attack is not refused. */
export function exitCodeOf(told: readonly Pick<Told, 'refused'>[]): number {
  return told.length > 0 && told.every(({ refused }) => refused) ? 0 : 1
}
