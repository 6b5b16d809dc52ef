/**
 * The grammar of ordinary permits: the payload as gates write it, read in one step.
 *
 * What it matches is canonical JSON with every claim in shape, by construction: members in order, no whitespace, no escapes, whole
 * numbers in their one spelling. So it stands for parsing, comparing and checking, which together cost more than any other step but
 * the signature. What it does not match (rare claims, escapes, anything wrong) is read the careful way, by `permit-segment.ts` and
 * `permit-claims.ts`, and means the same there: a test holds the two together.
 *
 * @module
 */
import type { PermitClaims } from './permit-claims.js'

/** The claims in the text of a payload, or undefined when it is not an ordinary one. Parties, times, approvals are not judged. */
export function ordinaryClaims(text: string): PermitClaims | undefined {
  const found = ORDINARY.exec(text)
  if (found === null) return undefined
  // By number: names for the groups would cost an object of 21 members.
  const [labels, leaf, view, kind, policy, quorum] = [found[3], found[5], found[7], found[8], found[9], found[10]]
  const approvals = approvalsIn(found[2] as string)
  const isHuman = kind === 'human'
  if (approvals === undefined || isHuman !== (labels !== undefined) || isHuman !== (view !== undefined))
    return undefined
  if (isHuman ? quorum === '0' : quorum !== '0' || policy === undefined) return undefined
  if ((view !== undefined && view.length !== 51) || (leaf !== undefined && leaf.length !== 43)) return undefined
  const [exp, iat, until] = [found[12] as string, found[13] as string, found[21] as string]
  if (Math.max(exp.length, iat.length, until.length, (quorum as string).length) > MOST_DIGITS) return undefined
  const claims: Record<string, unknown> = {
    action: found[1],
    approvals,
    aud: found[4],
    decision: { kind, policy: policy ?? null, quorum: Number(quorum) },
    declared_by: found[11],
    exp: Number(exp),
    iat: Number(iat),
    intent_id: found[14],
    iss: found[15],
    jti: found[16],
    params_digest: found[17],
    project_id: found[18],
    risk_tier: found[19],
    sub: found[20],
    use_until: Number(until),
    uses: 1,
    ver: 1,
  }
  if (labels !== undefined) {
    claims.approved_by = labelsIn(labels)
    claims.context_digest = view
  }
  if (leaf !== undefined) claims.audit = { leaf, log: found[6] }
  return claims as unknown as PermitClaims
}

/** Printable ASCII without `"` and `\`: not empty, and nothing in it that JSON escapes. */
const TEXT = '[ !#-[\\]-~]+'
/** Counting digits here would cost as much as all the rest: see `MOST_DIGITS`. */
const WHOLE = '[1-9]\\d*'
/** Far below 2^53, so that every number has one spelling. */
const MOST_DIGITS = 11
const ID = '[\\w-]+'
/** base64url of 32 bytes, but for its length. */
const HASH = '[\\w-]+[AEIMQUYcgkosw048]'

const ORDINARY = new RegExp(
  [
    `^\\{"action":"(${TEXT})"`,
    `,"approvals":\\[([^\\]]*)\\]`,
    `(?:,"approved_by":\\[("${TEXT}"(?:,"${TEXT}")*)\\])?`,
    `,"aud":"(${TEXT})"`,
    `(?:,"audit":\\{"leaf":"(${HASH})","log":"(${TEXT})"\\})?`,
    `(?:,"context_digest":"(sha-256:${HASH})")?`,
    `,"decision":\\{"kind":"(human|policy)","policy":(?:null|"(pol_${ID}@${WHOLE})"),"quorum":(0|${WHOLE})\\}`,
    `,"declared_by":"((?:agent:agt|key:key)_${ID})"`,
    `,"exp":(${WHOLE})`,
    `,"iat":(${WHOLE})`,
    `,"intent_id":"(int_${ID})"`,
    `,"iss":"(${TEXT})"`,
    `,"jti":"(pmt_${ID})"`,
    `,"params_digest":"(${TEXT})"`,
    `,"project_id":"(${TEXT})"`,
    `,"risk_tier":"(low|medium|high|critical)"`,
    `,"sub":"(${TEXT})"`,
    `,"use_until":(${WHOLE})`,
    `,"uses":1,"ver":1\\}$`,
  ].join(''),
)
const APPROVAL = new RegExp(
  `\\{"at":(${WHOLE}),"by":"(user:usr_${ID})","ref":"(${HASH})","via":"(api|cli|session|slack|teams|webauthn)"\\}(,|$)`,
  'y',
)

function approvalsIn(text: string): readonly unknown[] | undefined {
  const approvals: unknown[] = []
  let end = text === '' ? '' : ','
  APPROVAL.lastIndex = 0
  while (end === ',') {
    const found = APPROVAL.exec(text)
    if (found === null || found[3]?.length !== 43 || (found[1] as string).length > MOST_DIGITS) return undefined
    approvals.push({ at: Number(found[1]), by: found[2], ref: found[3], via: found[4] })
    end = found[5] as string
  }
  return approvals
}

/** `"a","b"`; no label holds a quote. (Splitting costs four times as much.) */
function labelsIn(text: string): readonly string[] {
  const labels: string[] = []
  for (let start = 1; start < text.length; ) {
    const end = text.indexOf('"', start)
    labels.push(text.slice(start, end))
    start = end + 3
  }
  return labels
}
