import path from 'node:path'
import { describeHeldLives, describeSuspendedLives } from '../../../test/support/agent-lives.ts'

const worker = path.join(import.meta.dirname, 'plain.worker.ts')

describeSuspendedLives('openai, settled by hand', [worker, 'suspend'])
describeHeldLives('openai, runTools', [worker, 'hold'])
