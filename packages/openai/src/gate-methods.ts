/**
 * Gated methods of an object that acts for an agent: a shell, an editor, a computer. The process waits in the call. Whatever
 * the SDK does in between, the last hop before the effect asks.
 *
 * @module
 */
import type { ApplyPatchTool, Computer, Editor, Shell, ShellTool } from '@openai/agents'
import { callKey, knownContext } from '@silentauth/core'
import { type CallInfo, checkOptions, type GateToolOptions } from './gate-options.js'
import { GATED, isGated } from './gate-tool.js'
import { heldCall } from './gated-call.js'
import { drivenRun } from './run-scope.js'
import { methodHook, type OwnPolicy, spentMethod } from './suspended-method.js'

/** Those of `gateTool`, but for what needs a model's call. */
export type GateMethodOptions = Omit<GateToolOptions, 'allowEdits' | 'reenters' | 'wait'>

export interface SuspendableMethodOptions extends GateMethodOptions {
  /** `suspend` only in `runWithGate` and `streamWithGate`. @default 'hold' */
  wait?: 'hold' | 'suspend' | undefined
}

/**
 * For `shellTool({ shell })`; or what that makes, of which a copy is given. The action is `shell`; a denial is its error output.
 *
 * @throws TypeError for options that make no sense; for what is no shell; for a tool without a local shell, or, where it suspends,
 * with an `onApproval`
 */
export function gateShell(tool: ShellTool, options: SuspendableMethodOptions): ShellTool
export function gateShell<Gated extends Shell>(shell: Gated, options: GateMethodOptions): Gated
export function gateShell(given: Shell | ShellTool, options: SuspendableMethodOptions): Shell | ShellTool {
  if (isGated(given)) return given
  if (!('type' in given && given.type === 'shell')) return gatedShell(given as Shell, options, 'hold')
  if (!given.shell) throw new TypeError(`${given.name}: has no local shell: it acts where no gate can be asked`)
  return gatedTool(given, options, (wait) => ({ shell: gatedShell(given.shell as Shell, options, wait) }))
}

function gatedShell(shell: Shell, options: SuspendableMethodOptions, wait: Wait): Shell {
  if (isGated(shell)) return shell
  if (!hasMethod(shell, 'run'))
    throw new TypeError('gateShell takes a shell, which is an object that can run, or its tool')
  checkMethodOptions('shell', options, wait)
  const refusal = (stderr: string) => ({
    output: [{ stdout: '', stderr, outcome: { type: 'exit' as const, exitCode: 1 } }],
  })
  return withMethods(shell, {
    run: (action) => METHODS[wait]('shell', action, options as never, refusal, (given) => shell.run(given as never)),
  })
}

/**
 * For `applyPatchTool({ editor })`; or what that makes, of which a copy is given. Actions: `create_file`, `update_file`,
 * `delete_file`.
 *
 * @throws TypeError as `gateShell`
 */
export function gateEditor(tool: ApplyPatchTool, options: SuspendableMethodOptions): ApplyPatchTool
export function gateEditor<Gated extends Editor>(editor: Gated, options: GateMethodOptions): Gated
export function gateEditor(given: Editor | ApplyPatchTool, options: SuspendableMethodOptions): Editor | ApplyPatchTool {
  if (isGated(given)) return given
  if (!('type' in given && given.type === 'apply_patch')) return gatedEditor(given as Editor, options, 'hold')
  return gatedTool(given, options, (wait) => ({ editor: gatedEditor(given.editor, options, wait) }))
}

function gatedEditor(editor: Editor, options: SuspendableMethodOptions, wait: Wait): Editor {
  if (isGated(editor)) return editor
  if (typeof editor !== 'object') throw new TypeError('gateEditor takes an editor, which is an object, or its tool')
  checkMethodOptions('editor', options, wait)
  const refusal = (output: string) => ({ status: 'failed' as const, output })
  const gated = (name: string, method: 'createFile' | 'updateFile' | 'deleteFile') => [
    method,
    (operation: unknown, context: unknown) =>
      METHODS[wait](name, operation, options as never, refusal, (given) =>
        editor[method](given as never, context as never),
      ),
  ]
  const methods = [
    gated('create_file', 'createFile'),
    gated('update_file', 'updateFile'),
    gated('delete_file', 'deleteFile'),
  ]
  return withMethods(editor, Object.fromEntries(methods))
}

type Wait = 'hold' | 'suspend'
const METHODS = { hold: held, suspend: spentMethod }

function checkMethodOptions(name: string, options: SuspendableMethodOptions, wait: Wait): void {
  if (wait === 'hold') checkOptions(name, options as never, 'hold')
  else checkOptions(name, options as never)
}

/** A copy. Every call of one that suspends is interrupted, and its own policy is asked by the driver. */
function gatedTool<Tool extends ShellTool | ApplyPatchTool>(
  tool: Tool,
  options: SuspendableMethodOptions,
  members: (wait: Wait) => Partial<Tool>,
): Tool {
  const { wait = 'hold' } = options
  const gated = members(wait)
  if (wait === 'hold') return { ...tool, ...gated }
  if (isGated('shell' in tool ? tool.shell : (tool as ApplyPatchTool).editor)) {
    throw new TypeError(`${tool.name}: is gated where it acts, and would ask twice`)
  }
  if (tool.onApproval) throw new TypeError(`${tool.name}: onApproval would decide before the gate: leave it out`)
  const hook = methodHook(options as GateToolOptions, tool.needsApproval as OwnPolicy)
  return Object.defineProperty({ ...tool, ...gated, needsApproval: async (): Promise<boolean> => true }, GATED, {
    value: hook,
  })
}

/** What a computer does that changes nothing. */
const LOOKS = new Set(['screenshot', 'wait', 'initRun'])

/**
 * For `computerTool({ computer })`. Everything but looking and waiting is asked for, as `computer_<method>`; what is refused
 * is thrown, because these give no result.
 *
 * @throws TypeError as `gateShell`
 */
export function gateComputer<Gated extends Computer>(
  computer: Gated,
  options: Omit<GateMethodOptions, 'onDenied' | 'onGateError' | 'replay'>,
): Gated {
  if (isGated(computer)) return computer
  if (!hasMethod(computer, 'screenshot')) {
    throw new TypeError('gateComputer takes a computer itself, neither its tool nor what makes one')
  }
  checkOptions('computer', options as never, 'hold')
  const strict: GateMethodOptions = { ...options, onDenied: 'throw', onGateError: 'throw', replay: 'error' }
  return new Proxy(computer, {
    has: (object, name) => isMember(object, name),
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      if (typeof name !== 'string' || LOOKS.has(name)) return value.bind(target)
      return (...args: unknown[]) => {
        const toolName = `computer_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`
        // The run's context comes last, and is no part of what is done.
        const context = isContext(args.at(-1)) ? args.splice(-1) : []
        const act = ({ arguments: approved }: { arguments: unknown[] }) =>
          // JSON knows no undefined.
          value.call(target, ...approved.map((arg, place) => (args[place] === undefined ? undefined : arg)), ...context)
        return held(toolName, { arguments: args }, strict, (text) => text, act as never)
      }
    },
  })
}

function isContext(arg: unknown): boolean {
  return typeof arg === 'object' && arg !== null && 'context' in arg
}

function hasMethod(given: object, name: string): boolean {
  return typeof given === 'object' && given !== null && typeof Reflect.get(given, name) === 'function'
}

/** Nothing says which call it is, so no two are the same one. What runs is a copy: what was given can be changed meanwhile. */
export function held(
  toolName: string,
  given: unknown,
  options: GateMethodOptions,
  shape: (text: string) => unknown,
  run: (given: unknown) => unknown,
): Promise<never> {
  const plain: unknown = JSON.parse(JSON.stringify(given))
  const signal = drivenRun()?.signal
  const info: CallInfo = {
    toolName,
    toolCallId: undefined,
    agentName: undefined,
    runContext: undefined,
    signal,
  }
  return heldCall({
    toolName,
    options,
    key: callKey({ scope: '', run: crypto.randomUUID(), agent: `tool:${toolName}`, occurrence: 0 }),
    raw: plain,
    parsed: plain,
    parse: async (again) => again,
    info,
    known: knownContext({ tool: toolName }),
    edits: false,
    signal,
    shape,
    passed: () => run(plain),
    run,
  }) as Promise<never>
}

/** Methods of a class may read #private fields, which only the object itself has. */
function withMethods<Target extends object>(
  target: Target,
  methods: Readonly<Record<string, (...args: never[]) => unknown>>,
): Target {
  return new Proxy(target, {
    has: (object, name) => isMember(object, name),
    get(_, name) {
      if (typeof name === 'string' && Object.hasOwn(methods, name)) return methods[name]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function isMember(target: object, name: PropertyKey): boolean {
  return name === GATED || Reflect.has(target, name)
}
