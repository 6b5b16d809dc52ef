import path from 'node:path'
import { describeHeldLives, describeSuspendedLives } from '../../../test/support/agent-lives.ts'

const worker = path.join(import.meta.dirname, 'agents.worker.ts')

describeSuspendedLives('OpenAI Agents SDK', [worker, 'suspend'])
describeHeldLives('OpenAI Agents SDK', [worker, 'hold'])
