/**
 * Agreement: what cannot be taken back is asked once more, where somebody sits at the terminal.
 *
 * @module
 */
import { createInterface } from 'node:readline/promises'

/** True for whoever says yes, and where nobody can be asked. */
export async function agreed(
  question: string,
  { yes = false }: { readonly yes?: boolean | undefined },
): Promise<boolean> {
  if (yes || !process.stdin.isTTY) return true
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
