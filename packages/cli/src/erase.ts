/**
 * `silentauth erase`: takes the values of a settled intent out of the audit log, for good. Its leaves, and who erased them, stay.
 *
 * @module
 */
import { z } from 'zod'
import { agreed } from './agreement.js'
import { ask, readSession } from './approver-session.js'
import { printable } from './printable.js'

export interface EraseOptions {
  readonly reason: string
  readonly yes?: boolean
}

const erasedForm = z.object({ values: z.int() })

/** How many values went is the one line on stdout. */
export async function erase(id: string, { reason, yes }: EraseOptions): Promise<number> {
  const session = await readSession()
  const question = `Erase the values of ${printable(id)}? They cannot be brought back, nor proved any more.`
  if (!(await agreed(question, { yes }))) {
    console.error('Nothing was erased.')
    return 0
  }
  const { data } = await ask(session, `/api/audit/erase/${encodeURIComponent(id)}`, { reason })
  const { values } = erasedForm.parse(data)
  console.error(values === 0 ? 'They are gone already.' : 'The log says who erased them, and why; its leaves stay.')
  console.log(String(values))
  return 0
}
