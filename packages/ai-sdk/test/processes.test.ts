import path from 'node:path'
import { describeSuspendedLives } from '../../../test/support/agent-lives.ts'

describeSuspendedLives('AI SDK', [path.join(import.meta.dirname, 'agent.worker.ts')])
