/**
 * Unpacks the Chromium that npm installed into the folder that `TMPDIR` names. Started by find.ts as a process of its own,
 * because the package decides where, and whether to unpack its NSS libraries too, by the environment alone.
 *
 * @module
 */
import chromium from '@sparticuz/chromium'

const executablePath = await chromium.executablePath()
console.log(JSON.stringify({ executablePath, libraryPath: process.env.LD_LIBRARY_PATH }))
