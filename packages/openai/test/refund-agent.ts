/**
 * What the agents of the process tests share: a model that asks for one refund, and then is done.
 *
 * @module
 */
import { type ScriptedOpenai, scriptedOpenai } from '../../../examples/demo/scripted-openai.ts'

export const hello = 'Refund 250 to cust_4821.'

export function refundModel(): Promise<ScriptedOpenai> {
  return scriptedOpenai(({ messages }) =>
    messages.at(-1)?.role === 'user'
      ? { calls: [{ id: 'call_1', name: 'issue_refund', args: { customer_id: 'cust_4821', amount: 250 } }] }
      : { text: 'All done.' },
  )
}
