import path from 'node:path'
import { describeSuspendedLives } from '../../../test/support/agent-lives.ts'

describeSuspendedLives('LangChain.js', [path.join(import.meta.dirname, 'agent.worker.ts')])
