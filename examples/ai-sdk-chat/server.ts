/**
 * A chat that asks before it pays, with its gate in the same process. `npm start`, open the two links that it prints, and ask
 * for a refund. The model is scripted unless OPENAI_API_KEY is set.
 */
import path from 'node:path'
import { serve } from '@hono/node-server'
import { SilentAuth } from '@silentauth/sdk'
import { startServer } from '@silentauth/server'
import { demoModel } from '../ai-sdk/model.ts'
import { chatApp } from './chat-app.ts'

const dataDir = path.resolve('.silentauth')
const gate = await startServer({ dataDir })
const { model } = await demoModel()
const app = chatApp({
  gate: new SilentAuth({ dataFolder: dataDir }),
  model,
  folder: path.join(dataDir, 'chats'),
  pages: path.join(import.meta.dirname, 'dist'),
  pay: async ({ customer_id, amount }) => console.log(`paid ${amount} to ${customer_id}`),
})

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 3000 }, () =>
  console.log('The chat:     http://127.0.0.1:3000/'),
)
console.log(`The approver: ${await gate.signInLink(gate.owner.id)}`)
