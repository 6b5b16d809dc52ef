import { describe, expect, it } from 'vitest'
import { commandOf, type KeyPress, neighbour } from '../src/keys.ts'

const press = (key: string, change: Partial<KeyPress> = {}): KeyPress => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  repeat: false,
  isComposing: false,
  defaultPrevented: false,
  target: { tagName: 'BODY' },
  ...change,
})

describe('commandOf', () => {
  it.each([
    ['a', 'approve'],
    ['d', 'deny'],
    ['r', 'request_changes'],
    ['j', 'next'],
    ['k', 'previous'],
  ])('reads %s as %s', (key, command) => {
    expect(commandOf(press(key), false)).toBe(command)
  })

  it.each<[string, KeyPress]>([
    ['with Control', press('a', { ctrlKey: true })],
    ['with Command', press('a', { metaKey: true })],
    ['with Alt', press('a', { altKey: true })],
    ['with Shift', press('a', { shiftKey: true })],
    ['as a capital', press('A')],
    ['held down', press('a', { repeat: true })],
    ['while a character is composed', press('a', { isComposing: true })],
    ['that somebody handled', press('a', { defaultPrevented: true })],
    ['in an input', press('a', { target: { tagName: 'INPUT' } })],
    ['in a text area', press('a', { target: { tagName: 'TEXTAREA' } })],
    ['in a select', press('a', { target: { tagName: 'SELECT' } })],
    ['in editable text', press('a', { target: { tagName: 'DIV', isContentEditable: true } })],
    ['that means nothing', press('x')],
    ['named like a member of every object', press('constructor')],
  ])('does nothing for a key %s', (_, event) => {
    expect(commandOf(event, false)).toBeUndefined()
  })

  it('does nothing while a dialog is open', () => {
    expect(commandOf(press('a'), true)).toBeUndefined()
  })
})

describe('neighbour', () => {
  it.each<[string, string | undefined, 1 | -1, string | undefined]>([
    ['the next', 'b', 1, 'c'],
    ['the previous', 'b', -1, 'a'],
    ['nothing after the last', 'c', 1, undefined],
    ['nothing before the first', 'a', -1, undefined],
    ['the first when none is current', undefined, 1, 'a'],
    ['the last when none is current', undefined, -1, 'c'],
    ['the first when the current one has gone', 'gone', 1, 'a'],
  ])('gives %s', (_, current, step, expected) => {
    expect(neighbour(['a', 'b', 'c'], current, step)).toBe(expected)
  })
})
