import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { describe, expect, it } from 'vitest'
import { callContext, callInfo, modelCallOf, type ToolCall, type ToolConfig, toolCallKey } from '../src/tool-call.ts'

const inTask = (task: string, more: ToolConfig = {}): ToolConfig => ({
  executionInfo: { taskId: task },
  ...more,
  configurable: { thread_id: 'thread-1', checkpoint_ns: 'tools:1', __pregel_scratchpad: {}, ...more.configurable },
})
const call = (config: ToolConfig, id: string | undefined = 'call_1', args: unknown = {}): ToolCall => ({
  own: id === undefined ? undefined : { id, args },
  raw: args,
  config,
})
const byTool = (config: ToolConfig): ToolCall => ({ own: undefined, raw: {}, config })
const key = (one: ToolCall, name = 'refund') => toolCallKey(name, one)

describe('the key of a call', () => {
  it('is the same after a restart', () => {
    expect(key(call(inTask('task-1')))).toBe(key(call(inTask('task-1'))))
  })

  it('has no arguments in it: changed arguments under one key are a refusal', () => {
    expect(key(call(inTask('task-1'), 'call_1', { amount: 1 }))).toBe(
      key(call(inTask('task-1'), 'call_1', { amount: 1_000_000 })),
    )
  })

  it.each([
    ['another task: ids of calls repeat over turns', call(inTask('task-2'))],
    ['another id', call(inTask('task-1'), 'call_2')],
    ['another thread', call(inTask('task-1', { configurable: { thread_id: 'thread-2' } }))],
    ['another namespace', call(inTask('task-1', { configurable: { checkpoint_ns: 'tools:2' } }))],
  ])('is another one for %s', (_, other) => {
    expect(key(other)).not.toBe(key(call(inTask('task-1'))))
  })

  it('does not take parts of one name for parts of another', () => {
    const first = call(inTask('t', { configurable: { thread_id: 'a', checkpoint_ns: 'b:c' } }))
    const second = call(inTask('t', { configurable: { thread_id: 'a:b', checkpoint_ns: 'c' } }))
    expect(key(first)).not.toBe(key(second))
  })

  it.each([
    ['a model', call({})],
    ['a program', byTool({})],
  ])('is new each time outside of a graph, for a call of %s', (_, one) => {
    expect(key(one)).not.toBe(key(one))
  })

  it('counts the calls that a tool makes', () => {
    const config = inTask('task-1')
    expect(key(byTool(config))).not.toBe(key(byTool(config)))
  })

  it('counts alike in the next attempt of a task', () => {
    const keysOfAttempt = () => {
      const config = inTask('task-1')
      return [key(byTool(config)), key(byTool(config)), key(byTool(config), 'email'), key(byTool(config))]
    }
    expect(keysOfAttempt()).toEqual(keysOfAttempt())
  })

  it('counts each tool by itself, because calls of different tools may change places', () => {
    const [first, second] = [inTask('task-1'), inTask('task-1')]
    const before = [key(byTool(first), 'email'), key(byTool(first), 'refund')]
    const after = [key(byTool(second), 'refund'), key(byTool(second), 'email')]
    expect(after.reverse()).toEqual(before)
  })

  it('is not that of a model call for a call that a tool makes', () => {
    expect(key(byTool(inTask('task-1')))).not.toBe(key(call(inTask('task-1'))))
  })

  it('is new each time where nothing counts', () => {
    const config = inTask('task-1', { configurable: { __pregel_scratchpad: undefined } })
    expect(key(byTool(config))).not.toBe(key(byTool(config)))
  })
})

describe('the context of a call', () => {
  const said = new AIMessage({
    content: [
      { type: 'reasoning', reasoning: 'The parcel is lost.' },
      { type: 'text', text: 'I will refund it.' },
    ] as never,
    tool_calls: [{ id: 'call_1', name: 'refund', args: {} }],
    response_metadata: { model_name: 'some-model' },
  })
  const earlier = new AIMessage({ content: 'earlier', tool_calls: [{ id: 'call_1', name: 'refund', args: {} }] })
  const messages = [new HumanMessage('hi'), earlier, new HumanMessage('again'), said]

  it('has what the framework knows', () => {
    const config = inTask('task-1', { state: { messages }, configurable: { run_id: 'run-1' } })
    expect(callContext('refund', call(config))).toEqual({
      tool: 'refund',
      tool_call_id: 'call_1',
      thread: 'thread-1',
      run: 'run-1',
      model: 'some-model',
      reasoning: 'The parcel is lost.\nI will refund it.',
    })
  })

  it.each([
    ['a list of messages', messages],
    ['a state with messages', { messages }],
  ])('reads %s', (_, state) => {
    expect(callContext('refund', call(inTask('t', { state })))).toMatchObject({ model: 'some-model' })
  })

  it('reads the input of the task where the state was not handed over', () => {
    const config = inTask('t', { configurable: { __pregel_scratchpad: { currentTaskInput: { messages } } } })
    expect(callContext('refund', call(config))).toMatchObject({ model: 'some-model' })
  })

  it.each([
    ['no state', undefined],
    ['a state of another shape', { messages: 'none' }],
    ['messages without this call', { messages: [new HumanMessage('hi'), null] }],
    [
      'a message that cannot be read',
      {
        messages: [
          {
            tool_calls: [{ id: 'call_1' }],
            get contentBlocks() {
              throw new Error('unreadable')
            },
          },
        ],
      },
    ],
  ])('does without reasoning for %s', (_, state) => {
    expect(callContext('refund', call(inTask('t', { state })))).not.toHaveProperty('reasoning')
  })

  it('is short enough to be read, and can be stored', () => {
    const long = new AIMessage({
      content: `\0${'𝒳'.repeat(5000)}`,
      tool_calls: [{ id: 'call_1', name: 'refund', args: {} }],
    })
    const { reasoning } = callContext('refund', call(inTask('t', { state: [long] })))
    expect(String(reasoning).length).toBeLessThanOrEqual(4000)
    expect(String(reasoning)).not.toContain('\0')
    expect(String(reasoning).isWellFormed()).toBe(true)
  })
})

it('a call of a model is told from arguments', () => {
  const own = { type: 'tool_call', id: 'call_1', args: {} }
  expect([modelCallOf(own), modelCallOf({ amount: 1 }), modelCallOf('text'), modelCallOf(null)]).toEqual([
    own,
    undefined,
    undefined,
    undefined,
  ])
})

it('functions of the options are told of the call', () => {
  const { signal } = new AbortController()
  expect(callInfo('refund', call(inTask('t', { signal, state: { n: 1 } })))).toEqual({
    toolName: 'refund',
    toolCallId: 'call_1',
    threadId: 'thread-1',
    runId: undefined,
    state: { n: 1 },
    signal,
  })
})
