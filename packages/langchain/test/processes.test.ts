import path from 'node:path'
import { describeHeldLives, describeSuspendedLives } from '../../../test/support/agent-lives.ts'

const worker = path.join(import.meta.dirname, 'agent.worker.ts')

describeSuspendedLives('LangChain.js', [worker, 'suspend'])
describeHeldLives('LangChain.js', [worker, 'hold'], { isKept: true })
