/**
 * The checkpoint header: answers to claims and redemptions carry the latest checkpoint of the log, so that whoever asks the gate can
 * hold it to what its log was.
 *
 * @module
 */
import type { LivingLog } from '@silentauth/core'

/** Base64url of the signed note, which has lines. */
export const CHECKPOINT_HEADER = 'silentauth-checkpoint'

export function checkpointHeader(log: Pick<LivingLog, 'head'> | undefined): Readonly<Record<string, string>> {
  const note = log?.head()?.note
  return note === undefined ? {} : { [CHECKPOINT_HEADER]: Buffer.from(note, 'utf8').toString('base64url') }
}
