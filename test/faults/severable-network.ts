/**
 * A network that can be severed: a namespace of its own for one process, joined to this machine by a pair of virtual interfaces.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { promisify } from 'node:util'

export interface SeverableNetwork extends AsyncDisposable {
  /** Of this machine, as seen from inside. */
  readonly outside: string
  /** Of the process inside. */
  readonly inside: string
  /** What a command is prefixed with to run inside. */
  readonly command: readonly string[]
  /** No packet passes from now on, and nobody is told. */
  sever(): Promise<void>
  mend(): Promise<void>
}

/** @throws Error when this machine has no namespaces, or does not let us make one */
export async function severableNetwork(): Promise<SeverableNetwork> {
  const id = randomInt(2 ** 24)
    .toString(16)
    .padStart(6, '0')
  const [space, near, far] = [`silentauth-${id}`, `sa${id}n`, `sa${id}f`]
  // Of the block for tests of networks (RFC 2544), so that no real one is hidden.
  const subnet = `198.${18 + randomInt(2)}.${randomInt(256)}`
  const [outside, inside] = [`${subnet}.1`, `${subnet}.2`]

  async function remove(): Promise<void> {
    await ip('link', 'del', near).catch(() => undefined)
    await ip('netns', 'del', space).catch(() => undefined)
  }

  try {
    await ip('netns', 'add', space)
    await ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', space)
    await ip('addr', 'add', `${outside}/30`, 'dev', near)
    await ip('link', 'set', near, 'up')
    await ip('-n', space, 'addr', 'add', `${inside}/30`, 'dev', far)
    await ip('-n', space, 'link', 'set', far, 'up')
    await ip('-n', space, 'link', 'set', 'lo', 'up')
  } catch (error) {
    await remove()
    throw error
  }
  return {
    outside,
    inside,
    command: ['ip', 'netns', 'exec', space],
    sever: () => ip('link', 'set', near, 'down'),
    mend: () => ip('link', 'set', near, 'up'),
    [Symbol.asyncDispose]: remove,
  }
}

async function ip(...args: readonly string[]): Promise<void> {
  await promisify(execFile)('ip', [...args], { timeout: 10_000 })
}
