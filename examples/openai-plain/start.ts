/** Starts an example of this folder, with a scripted model unless OPENAI_API_KEY is set. */
import { demoEnvironment } from '../demo/environment.ts'

await using _ = await demoEnvironment()
await import(`./${process.argv[2] ?? 'refund.ts'}`)
