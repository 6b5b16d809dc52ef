import { ToolMessage } from '@langchain/core/messages'
import { Command } from '@langchain/langgraph'
import { describe, expect, it } from 'vitest'
import { withEditNotice } from '../src/tool-result.ts'

const to = { name: 'refund', toolCallId: 'call_1' }
const notice = '[A reviewer changed the arguments; this ran with {"amount":3}]'
const noticed = (output: unknown, more: object = {}) => withEditNotice(output, { amount: 3 }, { ...to, ...more })

describe('the notice of an edit', () => {
  const blocks = [{ type: 'text', text: 'refunded' }]

  it.each([
    ['a text', 'refunded', `${notice}\nrefunded`],
    ['content blocks', blocks, [{ type: 'text', text: notice }, ...blocks]],
    ['an object', { refunded: 3 }, `${notice}\n{"refunded":3}`],
    ['nothing', undefined, `${notice}\n`],
  ])('stands in front of %s', (_, output, expected) => {
    expect(noticed(output)).toEqual(expected)
  })

  it('stands in front of the content, and the artifact stays', () => {
    expect(noticed(['refunded', { id: 7 }], { responseFormat: 'content_and_artifact' })).toEqual([
      `${notice}\nrefunded`,
      { id: 7 },
    ])
  })

  it('stands in front of a message, which stays the message that it was', () => {
    const message = new ToolMessage({
      content: 'refunded',
      tool_call_id: 'call_1',
      artifact: { id: 7 },
      name: 'refund',
      id: 'm1',
    })
    const { content, artifact, name, id, tool_call_id } = noticed(message) as ToolMessage
    expect({ content, artifact, name, id, tool_call_id }).toEqual({
      content: `${notice}\nrefunded`,
      artifact: { id: 7 },
      name: 'refund',
      id: 'm1',
      tool_call_id: 'call_1',
    })
  })

  it.each([
    ['a command, which no model reads', new Command({ update: {} }), to.toolCallId],
    ['what a program gets', 'refunded', undefined],
  ])('is not in %s', (_, output, toolCallId) => {
    expect(noticed(output, { toolCallId })).toBe(output)
  })
})
