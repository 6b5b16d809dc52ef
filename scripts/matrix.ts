/**
 * `npm run matrix`: what each adapter does in each scenario of the conformance suite, which its tests play. The same tables
 * stand in docs/adapters.md.
 *
 * @module
 */
import { type AdapterColumn, adapterTables } from '@silentauth/core/contracts'
import { DIFFERENCES_SUSPENDED as AI_SDK_SUSPENDED } from '../packages/ai-sdk/test/differences.ts'
import { DIFFERENCES as LANGCHAIN } from '../packages/langchain/test/differences.ts'
import {
  DIFFERENCES as OPENAI,
  DIFFERENCES_SUSPENDED as OPENAI_SUSPENDED,
  PLAIN_DIFFERENCES as PLAIN,
  PLAIN_DIFFERENCES_SUSPENDED as PLAIN_SUSPENDED,
} from '../packages/openai/test/differences.ts'

/** One for each `describeAdapter`. */
export const ADAPTERS: readonly AdapterColumn[] = [
  { framework: 'LangChain.js', mode: 'hold', differences: LANGCHAIN },
  { framework: 'LangChain.js', mode: 'suspend', differences: LANGCHAIN },
  { framework: 'AI SDK', mode: 'hold' },
  { framework: 'AI SDK', mode: 'suspend', differences: AI_SDK_SUSPENDED },
  { framework: 'OpenAI Agents SDK', mode: 'hold', differences: OPENAI },
  { framework: 'OpenAI Agents SDK', mode: 'suspend', differences: OPENAI_SUSPENDED },
  { framework: 'openai client', mode: 'hold', differences: PLAIN },
  { framework: 'openai client', mode: 'suspend', differences: PLAIN_SUSPENDED },
]

if (import.meta.main) process.stdout.write(adapterTables(ADAPTERS))
