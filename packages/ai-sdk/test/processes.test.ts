import path from 'node:path'
import { describeHeldLives, describeSuspendedLives } from '../../../test/support/agent-lives.ts'

const worker = path.join(import.meta.dirname, 'agent.worker.ts')

describeSuspendedLives('AI SDK', [worker, 'suspend'])
describeHeldLives('AI SDK', [worker, 'hold'])
