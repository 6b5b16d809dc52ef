/**
 * The conformance suite of adapters: whatever framework runs the agent, a gated tool asks, waits, runs once with its
 * permit, or tells the model why not. Each scenario states what the model sees, what the caller sees, which intents there
 * are, and how often the tool ran; in each, all that was observed is searched for permits and keys.
 *
 * @module
 */
import { describe, expect, it, vi } from 'vitest'
import { ERROR_STATUS, type ErrorCode } from '../errors.js'
import type { GateEvent } from '../gate.js'
import type { Intent } from '../intent.js'
import { refusalText } from '../refusal.js'
import { refundAgent } from './adapter-agent.js'
import type { AdapterDriver, AgentEnd, AgentRun, Observed, SuspendDriver } from './adapter-driver.js'
import {
  type AdapterMode,
  calls,
  type Differences,
  type Expected,
  expectedIn,
  refund,
  type Scenario,
} from './adapter-scenario.js'
import { ADAPTER_SCENARIOS } from './adapter-scenarios.js'
import { leaksIn, secretOfPermit, watchLogs } from './adapter-secrets.js'
import { type GateOnStage, type Stage, stageOf } from './adapter-stage.js'

export interface DescribeAdapterOptions {
  /** `testGate` of `@silentauth/core/testing`. */
  readonly gate: () => Promise<GateOnStage>
  readonly differences?: Differences | undefined
}

/** What a tool does not speak to: events of the gate say what became of it, and the caller gets an answer. */
const UNREACHED_BY_TOOLS: readonly string[] = ['events', 'errors']

/** A whole agent runs in each scenario, on machines that do other things too. */
const TIMEOUT_MS = 30_000

/** A driver with `start` plays the mode in which runs are suspended while they wait; one with `run`, that in which processes wait. */
export function describeAdapter(
  name: string,
  driver: AdapterDriver | SuspendDriver,
  { gate, differences = {} }: DescribeAdapterOptions,
): void {
  const unknown = Object.keys(differences).filter(
    (different) => !ADAPTER_SCENARIOS.some((scenario) => scenario.name === different),
  )
  if (unknown.length > 0) throw new TypeError(`no scenario is called ${unknown.join(', ')}`)

  describe(name, () => {
    for (const scenario of ADAPTER_SCENARIOS) {
      const expected = expectedIn(scenario, modeOf(driver), differences)
      if (typeof expected === 'string') it.skip(`${scenario.name} (${expected})`)
      else {
        it(scenario.name, { timeout: TIMEOUT_MS }, async () => {
          await using test = await gate()
          const played = await play(driver, test, scenario)
          expect(played).toMatchObject(asMatchers(expected))
        })
      }
    }

    it.each([
      ['', false],
      [', streaming', true],
    ])(
      'what the tool tells is found in every place that is searched%s',
      { timeout: TIMEOUT_MS },
      async (_, streaming) => {
        await using test = await gate()
        using _silent = vi.spyOn(console, 'info').mockImplementation(() => {})
        const leaking: Scenario = {
          name: 'a tool that tells its permit and the key',
          streaming,
          decide: (stage, intent) => stage.approve(intent),
          during(stage) {
            const told = [...stage.permits.map((permit) => secretOfPermit(permit).text), stage.gate.secretKey].join(' ')
            console.info(told)
            return told
          },
          expected: { intents: [], ran: [] },
        }
        const { leaks, places } = await play(driver, test, leaking)
        const reached = places.filter((place) => !UNREACHED_BY_TOOLS.includes(place))
        expect(reached).toContain('logs')
        expect(leaks).toEqual(reached.flatMap((place) => [`a permit in ${place}`, `the secret key in ${place}`]).sort())
      },
    )
  })
}

/** What came of a scenario, in the words of `Expected`. */
interface Played {
  readonly sees: readonly string[]
  readonly caller: string
  readonly intents: readonly string[]
  /** Sorted: parallel calls may run in any order. */
  readonly ran: readonly (number | string)[]
  readonly events: readonly string[]
  /** `<secret> in <place>`. */
  readonly leaks: readonly string[]
  /** Where it was looked for secrets. */
  readonly places: readonly string[]
  /** What went wrong in the scenario itself. */
  readonly faults: readonly unknown[]
}

function modeOf(driver: AdapterDriver | SuspendDriver): AdapterMode {
  return suspends(driver) ? 'suspend' : 'hold'
}

function suspends(driver: AdapterDriver | SuspendDriver): driver is SuspendDriver {
  return 'start' in driver
}

async function play(driver: AdapterDriver | SuspendDriver, test: GateOnStage, scenario: Scenario): Promise<Played> {
  const stage = await stageOf(test, scenario)
  const agent = refundAgent(stage, scenario)
  const events: GateEvent[] = []
  using logs = watchLogs()
  await scenario.before?.(stage)

  const ends: AgentEnd[] = []
  for (let run = 0; run < (scenario.runs ?? 1); run++) {
    const agentRun: AgentRun = {
      gate: stage.gate,
      tools: agent.tools,
      turns: scenario.turns ?? calls(refund(250)),
      thread: test.project.id,
      options: {
        ...scenario.options,
        wait: modeOf(driver),
        onEvent: (event) => events.push(event),
      },
      streaming: scenario.streaming ?? false,
      signal: stage.controller.signal,
      repeats: scenario.repeats ?? [],
    }
    ends.push(suspends(driver) ? await playSuspended(driver, agentRun, stage, scenario) : await driver.run(agentRun))
  }
  await stage.settle()
  const intents = await stage.intents()
  const errors = ends.map(({ error }) => error)
  const observed = [...ends.map((end) => end.observed), { events, errors, logs: logs.seen }]
  const secrets = [
    ...stage.permits.map(secretOfPermit),
    { name: 'the secret key' as const, text: stage.gate.secretKey },
    ...ends.map(({ modelKey }) => ({ name: "the model's key" as const, text: modelKey })),
  ]
  return {
    sees: ends.flatMap(({ toolResults }) => toolResults).map((text) => refusalIn(text, intents) ?? text),
    caller: callerOf(ends, stage),
    intents: await stage.statuses(),
    ran: agent.ran.toSorted(),
    events: events.map(({ type }) => type),
    leaks: leaksIn(observed, secrets),
    places: placesOf(observed),
    faults: stage.faults,
  }
}

/** A place of which this run had none is not searched. */
function placesOf(observed: readonly Observed[]): string[] {
  const places = observed.flatMap(Object.entries).filter(([, seen]) => seen !== undefined)
  return [...new Set(places.map(([place]) => place))]
}

/** More than any scenario needs: what waits after them waits for good. */
const MAX_ROUNDS = 6

/** Each step as if in a process of its own. */
async function playSuspended(
  driver: SuspendDriver,
  run: AgentRun,
  stage: Stage,
  { meanwhile = [], afterwards = [] }: Scenario,
): Promise<AgentEnd> {
  await using suspended = await driver.start(run)
  for (const act of meanwhile) {
    if (act === 'decide') await stage.decideWaiting()
    else if (act === 'resume') await suspended.resume()
    else await suspended.act(act)
  }
  for (let round = 0; round < MAX_ROUNDS && (await suspended.isWaiting()); round++) {
    await stage.decideWaiting()
    await suspended.resume()
  }
  for (const act of afterwards) await suspended.act(act)
  return suspended.end()
}

/** What the caller of the last run saw. */
function callerOf(ends: readonly AgentEnd[], stage: Stage): string {
  const { answer, error, suspended } = ends.at(-1) as AgentEnd
  if (suspended && error === undefined) return 'a run that waits'
  if (error === undefined && answer === '') return 'an empty answer'
  if (error === undefined) return answer?.includes('All done.') ? 'the answer' : `another answer: ${answer}`
  return error === stage.controller.signal.reason ? 'the reason of the abort' : `another error: ${String(error)}`
}

function asMatchers({ sees, caller, intents, ran, events }: Expected): object {
  return {
    ...(caller && { caller: typeof caller === 'string' ? caller : expect.stringContaining(caller.error) }),
    ran,
    ...(sees && {
      sees: sees.map((seen) =>
        typeof seen === 'object' && 'refused' in seen
          ? `refused: ${sameText(seen.refused)}`
          : expect.stringContaining(typeof seen === 'string' ? seen : seen.error),
      ),
    }),
    ...(events && { events: expect.arrayContaining([...events]) }),
    intents: intents.map((status) => (typeof status === 'string' ? status : expect.stringMatching(status))),
    leaks: [],
    faults: [],
  }
}

const CODES = Object.keys(ERROR_STATUS) as ErrorCode[]

/** `refused: <code>` when the text holds what a model is told for it, about one of these intents or none. */
function refusalIn(text: string, intents: readonly Intent[]): string | undefined {
  const code = CODES.find((code) => [...intents, undefined].some((intent) => text.includes(told(code, intent))))
  return code && `refused: ${sameText(code)}`
}

/** Codes that a model is told in the same words are one; the first stands for all. */
function sameText(code: ErrorCode): ErrorCode {
  return CODES.find((other) => told(other, undefined) === told(code, undefined)) ?? code
}

function told(code: ErrorCode, intent: Intent | undefined): string {
  return refusalText({ type: 'refused', code, intent, closed: undefined, cause: undefined })
}
