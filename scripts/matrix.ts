/**
 * `npm run matrix`: what each adapter does in each scenario of the conformance suite, which its tests play. The same table
 * stands in docs/adapters.md.
 *
 * @module
 */
import { type AdapterColumn, adapterMatrix } from '@silentauth/core/contracts'
import { NOT_SUSPENDED } from '../packages/ai-sdk/test/not-suspended.ts'
import { SKIPPED, SKIPPED_SUSPENDED } from '../packages/openai/test/skipped.ts'

/** One for each `describeAdapter`. */
export const ADAPTERS: readonly AdapterColumn[] = [
  { framework: 'LangChain.js', mode: 'hold' },
  { framework: 'LangGraph.js', mode: 'suspend' },
  { framework: 'AI SDK', mode: 'hold' },
  { framework: 'AI SDK', mode: 'suspend', skip: NOT_SUSPENDED },
  { framework: 'OpenAI Agents SDK', mode: 'hold', skip: SKIPPED },
  { framework: 'OpenAI Agents SDK', mode: 'suspend', skip: SKIPPED_SUSPENDED },
]

if (import.meta.main) process.stdout.write(adapterMatrix(ADAPTERS))
