/**
 * The ways in which approvals were forged or bypassed in this field, each with where that is known from, and what comes of it
 * here. The tests take their names from this list, and docs/field-failures.md is made of it.
 *
 * @module
 */
import { describe } from 'vitest'

export interface FieldFailure {
  /** What stock frameworks and peers do. */
  readonly stock: string
  /** Its public source: name → address. */
  readonly sources: Readonly<Record<string, string>>
  /** What comes of it here; codes in backticks are asserted. */
  readonly ours: string
}

const AI_SDK = {
  'vercel/ai #15947': 'https://github.com/vercel/ai/pull/15947',
  'vercel/ai #16068': 'https://github.com/vercel/ai/pull/16068',
}
const HITL = { 'LangChain #40166': 'https://github.com/langchain-ai/langchain/issues/40166' }
const HITL_SOURCE = {
  'LangChain.js, `hitl.ts`':
    'https://github.com/langchain-ai/langchainjs/blob/main/libs/langchain/src/agents/middleware/hitl.ts',
}
const OPENAI = { 'Agents SDK, human in the loop': 'https://openai.github.io/openai-agents-js/guides/human-in-the-loop' }
const REPLAY = { 'RFC 8725, JWT best practices': 'https://www.rfc-editor.org/rfc/rfc8725' }

export const FIELD_FAILURES = {
  'F1: an approval that a client made up from nothing': {
    stock: 'AI SDK 6 and 7 take call, request and approval from the messages that a client posts, and run the tool',
    sources: AI_SDK,
    ours: 'the tool asks the gate: `NOT_FOUND`, and nobody is asked',
  },
  'F2: an edit that turns the call into another tool': {
    stock:
      'the human-in-the-loop middleware of LangChain runs the other tool, though its own rule allows nothing but a rejection',
    sources: HITL,
    ours: 'the other tool asks for itself: `INTENT_DENIED`; an edit at the gate can change arguments only: `EDITS_NOT_ACCEPTED`',
  },
  'F3: an outcome that is no denial runs the tool': {
    stock: 'an adapter that throws for `deny` alone lets `require_approval`, and whatever comes next, pass',
    sources: {
      'Authensor, its LangChain adapter at first':
        'https://github.com/AUTHENSOR/AUTHENSOR/blob/db398937e45b910d7d25dae56f001bbfc323741d/adapters/langchain/index.ts',
    },
    ours: 'only a granted claim runs it: every other answer, known or not, is a refusal, `GATE_UNAVAILABLE` where it is none of ours',
  },
  'F4: the agent approves with its own credential': {
    stock: 'the socket on which the agent asks takes its approval, too, and the name of whoever is to have approved',
    sources: {
      'faramesh-core, `server.go`':
        'https://github.com/faramesh/faramesh-core/blob/e8f6220ee1ef1011c8307e2155e241788abacb5c/internal/adapter/sdk/server.go',
    },
    ours: "an agent's key is refused on every route that decides: `FORBIDDEN`",
  },
  'F5: a link that decides when it is opened': {
    stock: '`GET` performs the decision: scanners of mail and previews of chats approve',
    sources: {
      'agentgate, `decide.ts`':
        'https://github.com/agentkitai/agentgate/blob/12ddcddf94e64931ace0df1ff3a3ac1901afc165/packages/server/src/routes/decide.ts',
    },
    ours: 'links show; `GET`, `HEAD` and `OPTIONS` change nothing on any route that decides, signed in or not',
  },
  'F6: an approval that does not say of what': {
    stock: 'a passkey signs a random challenge: it proves that somebody was there, and not what they were shown',
    sources: {
      'agentsh, `webauthn.go`':
        'https://github.com/canyonroad/agentsh/blob/3e3f84df3d5c52fd5e1dffa11d1f567bb410d8b0/internal/approvals/webauthn.go',
    },
    ours: 'a vote carries the hash of what was shown: `STALE_VIEW` for any other, `MISSING_FIELDS` for none',
  },
  'F7: a quorum of names in a body': {
    stock: 'approvals are counted by an id that the request itself states: one person is any number of people',
    sources: {
      'Authensor, `approvals.ts`':
        'https://github.com/AUTHENSOR/AUTHENSOR/blob/f8bf83372f014b6acf004c204f0827e7e80e0519/packages/control-plane/src/routes/approvals.ts',
    },
    ours: 'who votes comes from the session: `INVALID_FIELD` for a name, `ALREADY_VOTED` for the second vote',
  },
  'F8: an approval that other arguments ride on': {
    stock:
      'what is approved is the tool, for a while or for good (`alwaysApprove` of the OpenAI Agents SDK): the next call runs with any arguments',
    sources: { ...OPENAI, 'autogen #5891': 'https://github.com/microsoft/autogen/issues/5891' },
    ours: 'each call is an intent of its own: the next one waits, or is refused where an approval of the SDK kept it from being asked for (`NOT_FOUND`)',
  },
  'the browser approves itself': {
    stock:
      'the AI SDK signs the request, not the answer: whoever is shown a request can approve it, even with `experimental_toolApprovalSecret`',
    sources: { 'vercel/ai #16071': 'https://github.com/vercel/ai/pull/16071' },
    ours: 'what a client answers is not read: the call waits on, `NOT_APPROVED`',
  },
  'an approval that is posted again': {
    stock: 'an approved call of the AI SDK runs each time that its messages are posted, with the secret, too',
    sources: AI_SDK,
    ours: 'once per approval: `ALREADY_EXECUTED`',
  },
  'an approved call with other contents': {
    stock:
      'without the secret, AI SDK 6 and 7 run the approved call with the arguments, and as the tool, that the client says',
    sources: AI_SDK,
    ours: '`IDEMPOTENCY_MISMATCH`, as another tool `NOT_FOUND`; nobody is asked anew',
  },
  'approval switched off by the invocation': {
    stock:
      'the human-in-the-loop middleware of LangChain merges the context of the call over its own rules; an approval function of AI SDK 7 that answers nothing switches off what each tool asks for',
    sources: HITL_SOURCE,
    ours: 'what is gated is fixed where the tool is made: it asks all the same (`INTENT_DENIED`), or is refused (`NOT_FOUND`)',
  },
  'a resume value that says approved': {
    stock: 'LangGraph resumes with whatever value comes; the middleware takes it for the decision of a person',
    sources: HITL_SOURCE,
    ours: 'a resume value is a wake-up: the call waits on, or ends as the gate says',
  },
  'an inner middleware that changes the call': {
    stock: 'what the middleware of LangChain has approved, another one behind it may change: 250 approved, 9999 run',
    sources: HITL_SOURCE,
    ours: 'approvers are shown what the tool is given, after all middleware',
  },
  'a run state that was changed': {
    stock:
      'the run state of the OpenAI Agents SDK is JSON without a signature: it takes approvals and arguments that somebody wrote into it',
    sources: OPENAI,
    ours: 'the envelope is authenticated: `FORBIDDEN`; in a loop of your own `IDEMPOTENCY_MISMATCH`',
  },
  'a run that is resumed twice': {
    stock: 'the run state of the OpenAI Agents SDK runs the approved call each time that it is resumed',
    sources: OPENAI,
    ours: 'once per approval: `ALREADY_EXECUTED`',
  },
  'a stolen permit, with other arguments': {
    stock: 'a token that a JWT library finds valid says nothing of what is about to run',
    sources: REPLAY,
    ours: '`PERMIT_PARAMS`; for another action `PERMIT_ACTION` or `PERMIT_AUDIENCE`',
  },
  'a stolen permit, in the hands of another agent': {
    stock: 'a valid token is good for whoever holds it',
    sources: REPLAY,
    ours: 'its adapter refuses it (`PERMIT_CLAIMS`, `PERMIT_PARAMS`), the gate knows no such intent of it (`NOT_FOUND`), a backend that knows who calls says so (`PERMIT_CLAIMS`), and one that demands proof of possession takes none without (`PERMIT_POP`). A backend that does none of it pays once, and exactly what was approved',
  },
  'a stolen permit, twice': {
    stock: 'a valid token is valid until it expires',
    sources: REPLAY,
    ours: '`PERMIT_REPLAYED`, over all processes that share a store, or over all backends that ask the gate',
  },
  'a stolen permit, over two generations': {
    stock: 'single use by token id (`jti`) counts each new signing of one approval as another one',
    sources: REPLAY,
    ours: 'single use is of the intent: the second signing is `PERMIT_REPLAYED`',
  },
} as const satisfies Readonly<Record<string, FieldFailure>>

/** The tests of one of them, under its name. */
export function describeFailure(name: keyof typeof FIELD_FAILURES, tests: () => void): void {
  describe(name, tests)
}
