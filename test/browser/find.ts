/**
 * Finds a browser that really starts on this machine: `CHROMIUM_PATH`, else an installed Chrome or Chromium, else the one
 * that npm installed (Linux x64).
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chromium, type LaunchOptions } from 'playwright-core'

/** What a browser is launched with. Plain data, because it crosses from the global setup into the test processes. */
export type FoundBrowser =
  | { type: 'found'; from: string; launch: { executablePath: string; args: string[]; env: Record<string, string> } }
  | { type: 'missing'; reason: string }

/** No crash of a GPU that is not there, and no call to anybody's servers. */
const ARGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
]

const NAMES = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chrome']
const WELL_KNOWN = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** @param folder of this test run, empty and removed by the caller: what has to be unpacked goes there. */
export async function findBrowser(folder: string): Promise<FoundBrowser> {
  const named = process.env.CHROMIUM_PATH
  if (named) return tryToStart('CHROMIUM_PATH', named, {})

  const reasons: string[] = []
  for (const file of [...onPath(), ...WELL_KNOWN].filter(isExecutable)) {
    const found = await tryToStart(file, file, {})
    if (found.type === 'found') return found
    reasons.push(found.reason)
  }
  const packed = await fromNpm(folder)
  if (packed.type === 'found') return packed
  return { type: 'missing', reason: [...reasons, packed.reason].join('; ') }
}

async function fromNpm(folder: string): Promise<FoundBrowser> {
  const from = '@sparticuz/chromium'
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { type: 'missing', reason: `${from} has no build for ${process.platform} ${process.arch}` }
  }
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [fileURLToPath(new URL('inflate.ts', import.meta.url))],
      // It unpacks its NSS libraries only where it believes to be on that host.
      { env: { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' } },
    )
    const { executablePath, libraryPath } = JSON.parse(stdout) as { executablePath: string; libraryPath: string }
    const env = { LD_LIBRARY_PATH: libraryPath, FONTCONFIG_FILE: await fontsIn(folder) }
    return await tryToStart(from, executablePath, env)
  } catch (error) {
    return { type: 'missing', reason: `${from}: ${firstLine(error)}` }
  }
}

/** The machine's fonts, and the one that came along, for machines that have none. */
async function fontsIn(folder: string): Promise<string> {
  const file = path.join(folder, 'fonts.conf')
  await writeFile(
    file,
    `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>${path.join(folder, 'fonts')}</dir>
  <cachedir>${path.join(folder, 'fonts-cache')}</cachedir>
</fontconfig>
`,
  )
  return file
}

/** Only a browser that has opened a page counts: there are stubs on PATH, and machines that lack a library. */
async function tryToStart(from: string, executablePath: string, extra: Record<string, string>): Promise<FoundBrowser> {
  const inherited = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const launch = { executablePath, args: ARGS, env: { ...Object.fromEntries(inherited), ...extra } }
  try {
    const browser = await chromium.launch({ ...launch, timeout: 30_000 } satisfies LaunchOptions)
    await (await browser.newPage()).goto('about:blank')
    await browser.close()
    return { type: 'found', from, launch }
  } catch (error) {
    return { type: 'missing', reason: `${from}: ${firstLine(error)}` }
  }
}

function onPath(): string[] {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '')
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n')[0] ?? ''
}
