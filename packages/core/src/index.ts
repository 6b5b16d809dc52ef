/**
 * Intents, policies, permits and the gate.
 *
 * @module
 */
export { actionName } from './action-name.js'
export { type Anchor, type AnchoringOptions, anchoring } from './anchor.js'
export { type ApprovalRule, approvalRule } from './approval-rule.js'
export { type AuditLeaf, auditLeaf, commitment, type LeafPayload, leafHash, type StoredLeaf } from './audit.js'
export { type ExportRange, type ExportReader, exportAudit } from './audit-export.js'
export { type AuditFinding, MOST_FINDINGS } from './audit-findings.js'
export { type AuditLine, auditLine, completedBy, type LinePayload, type Shows, WITHHELD } from './audit-line.js'
export {
  type AuditVerdict,
  type ExportedAudit,
  VALUES_ERASED,
  type VerifyAuditOptions,
  verifyAudit,
} from './audit-verify.js'
export { type BoundArguments, bindArguments, bindProjection, type Parse } from './bound-arguments.js'
export { boundCopy } from './bound-copy.js'
export { type CallIdentity, callKey } from './call-key.js'
export { canonicalJson } from './canonical-json.js'
export type { Changes } from './changes.js'
export {
  type Checkpoint,
  checkpointText,
  type LogOrigin,
  logName,
  logOrigin,
  type OpenCheckpoint,
  openCheckpoint,
  parseOrigin,
  readCheckpoint,
  signCheckpoint,
} from './checkpoint.js'
export { type Conflict, conflict, isConflict, MAX_RUNS, type Unique } from './conflict.js'
export type { Counter, ExecutionReport, RedeemRequest, VerifyRequest } from './counter.js'
export { currentPermit, type Permit } from './current-permit.js'
export type { DeadLetters } from './dead-letters.js'
export type { Declaration } from './declaration.js'
export { type DelegationDraft, MAX_DELEGATION_SECONDS } from './delegation.js'
export { DEFAULT_DENIAL_MEMORY_SECONDS, type Denial, type DeniedAction, deniedAction } from './denial.js'
export { DERIVE_KEY, derivedKeyOf, deriveKey, type KeyDeriving } from './derived-key.js'
export type { Desk, InboxFilter, InboxItem, Review, ReviewDenial, ReviewVote } from './desk.js'
export { digestAnywhere, digestOf } from './digest.js'
export { dueAt } from './due-at.js'
export {
  ERROR_HINT,
  ERROR_STATUS,
  type ErrorCode,
  type ErrorDetails,
  isSilentAuthError,
  SilentAuthError,
} from './errors.js'
export {
  type Begun,
  begin,
  type CallOptions,
  type Claim,
  type FinalOutcome,
  type Gate,
  type GateCall,
  type GateEvent,
  type GuardOptions,
  guard,
  HEARTBEAT_MS,
  hold,
  type Look,
  look,
  type Outcome,
  type Refusal,
  refusalError,
  refusalOfSettled,
  type Trust,
  type WaitOptions,
  waitingEvent,
} from './gate.js'
export { noticeStatus, tellQuietly } from './gate-notice.js'
export {
  type AdapterAbilities,
  checkGateOptions,
  type GatedToolOptions,
  needsGate,
  passesByItself,
  type RefusalAnswer,
  refusalAnswer,
  refusalRoute,
  waitsForLater,
} from './gate-options.js'
export {
  deniedByRule,
  type GateRule,
  type GateRules,
  type RuleBook,
  type RuledTool,
  ruleBook,
  ruledTools,
  type ToolGating,
} from './gate-rules.js'
export {
  type AnsweredCall,
  type AskedCall,
  answerBegun,
  answerCall,
  type BoundCall,
  bindCall,
  type CallAnswer,
  type Running,
} from './gated-call.js'
export { compileGlob, type Glob } from './glob.js'
export { type Execution, isTimeout } from './granted-execution.js'
export {
  type AgentId,
  type IntentId,
  type KeyId,
  type LeafId,
  newId,
  type PermitId,
  type PolicyId,
  type PolicyRef,
  type ProjectId,
  randomToken,
  type SessionId,
  type UserId,
} from './id.js'
export {
  ACTION_PATTERN,
  type Approval,
  type Delivery,
  type Edits,
  type ExecutionState,
  type ExecutionStatus,
  type Intent,
  type IntentDraft,
  type IntentStatus,
  isSettled,
  parseDraft,
  type Resolution,
  type SettledIntent,
  type SourceType,
  type Verdict,
  type Via,
} from './intent.js'
export { type Digest, type EpochMs, type Json, type JsonObject, type JsonPointer, pointerStep } from './json.js'
export { type HmacKeyRing, type KeyRing, keyRing, secretRing } from './key-ring.js'
export { hmacSha256 } from './keyed-digest.js'
export { type KnownOfCall, knownContext } from './known-context.js'
export { type Command, clock, transition } from './lifecycle.js'
export {
  type LocalCallOptions,
  type LocalGate,
  type LocalGateOptions,
  type LocalKeyGate,
  localGate,
} from './local-gate.js'
export { type ChainOptions, type ChainReader, headOf, type LogHead, requireChain } from './log-chain.js'
export { LOG_RESTORED, type RestoreRecord, restoreEventData } from './log-restore.js'
export type { LogEpoch, LoggedLeaf, LogReader, LogWriter, StoredCheckpoint } from './log-store.js'
export { type OfferedKeys, trustedKey } from './log-trust.js'
export { memoryStore } from './memory-store.js'
export {
  type Consistency,
  consistencyProof,
  EMPTY_ROOT,
  EMPTY_TREE,
  growTree,
  type Inclusion,
  inclusionProof,
  isConsistent,
  isIncluded,
  isTreeHash,
  type NodeReader,
  nodeHash,
  readEdge,
  rightEdge,
  type TreeEdge,
  type TreeHash,
  type TreeNode,
  type TreePlace,
  treeRoot,
} from './merkle-tree.js'
export type { Notifier, NotifierEvent } from './notifier.js'
export type {
  ChannelOf,
  ClaimedDelivery,
  DeadDelivery,
  DeadQuery,
  DeliveryClaim,
  DeliveryCounts,
  DeliveryEnd,
  OutboxEvent,
  OutboxRow,
  Redrive,
} from './outbox.js'
export {
  type DeliveryFailure,
  MAX_ATTEMPTS,
  type OutboxDelivery,
  type OutboxDeliveryOptions,
  outboxDelivery,
} from './outbox-delivery.js'
export type { Finding } from './oversight.js'
export { type PagePosition, pageCursor, parsePageCursor } from './page-cursor.js'
export { mutableCopy, type ParamsLimits, type Snapshot, snapshot } from './params.js'
export {
  type HmacVerifyOptions,
  type ReadOptions,
  type Revocable,
  readPermit,
  signPermit,
  type VerifiedPermit,
  type VerifyOptions,
  verifyPermit,
} from './permit.js'
export {
  defaultAudience,
  type HmacClaims,
  MAX_LIFETIME_SECONDS,
  type PermitApproval,
  type PermitClaims,
  type PermitDecision,
} from './permit-claims.js'
export type { PermitDemands } from './permit-demands.js'
export {
  changedTraces,
  isStopped,
  type PermitTrace,
  type RevocationQuery,
  type Stopped,
  type StoredRevocations,
} from './permit-trace.js'
export { type Policy, type PolicyDefinition, type PolicyTerms, policyRef, policyTerms } from './policy.js'
export { parsePolicyFile } from './policy-file.js'
export { parsePolicy, policyToWire } from './policy-form.js'
export { type Evaluation, evaluate, type PolicySet, policySet, type Subject } from './policy-set.js'
export {
  type ProofBundle,
  type ProofBundleOptions,
  type ProofLeaf,
  type ProofReader,
  proofBundle,
} from './proof-bundle.js'
export type { ProofSections } from './proof-sections.js'
export { MAX_BUNDLE_BYTES, type ProofVerdict, type VerifyProofOptions, verifyProofBundle } from './proof-verify.js'
export type { PublicAlg, PublicJwk } from './public-key.js'
export { type RecentMap, recentMap } from './recent-map.js'
export { type RecordedResult, type ResultPlace, type ResultSealer, resultSealer } from './recorded-result.js'
export { REDACTED, type RedactedView, redactClaims, redactView } from './redaction.js'
export { type GateRefusal, gateRefusal, isGateRefusal, type NotExecuted, refusalCode, refusalText } from './refusal.js'
export type { AgentDraft, KeyDraft, PersonDraft, Registrar } from './registrar.js'
export type {
  Agent,
  AgentFramework,
  Delegation,
  Directory,
  KeyPrincipal,
  Person,
  Principal,
  Project,
  ProjectKey,
  Role,
  Session,
  SignInToken,
  StoredPolicies,
} from './registry.js'
export type { LivingLog } from './release.js'
export { acceptRestore, type RestoreOptions, type RestoreReport } from './restore.js'
export { MIN_RETENTION_SECONDS, type PruneOptions, prune } from './retention.js'
export { type RevocationIssuer, type RevocationIssuerOptions, revocationIssuer } from './revocation-issuer.js'
export {
  LIST_SECONDS,
  MAX_LIST_LENGTH,
  MAX_LISTED_PERMITS,
  type ReadListOptions,
  type RevocationClaims,
  type RevocationList,
  readRevocationList,
  revocationClaims,
  signRevocationList,
} from './revocation-list.js'
export {
  type EffectiveTier,
  effectiveTier,
  RISK_FACTORS,
  RISK_TIERS,
  type Risk,
  type RiskFactor,
  type RiskInput,
  type RiskTier,
  riskScore,
  type TierInput,
} from './risk.js'
export {
  clipText,
  escapedText,
  type SafeText,
  safeText,
  TEXT_FLAGS,
  type TextFlag,
  type TextPart,
} from './safe-text.js'
export {
  type HeldCheckpoint,
  heldInMemory,
  type Sequencer,
  type SequencerOptions,
  sequencer,
} from './sequencer.js'
export {
  type NoteKey,
  type NoteSigner,
  noteSigner,
  type OpenNote,
  openNote,
  parseVkey,
  signNote,
  vkeyFingerprint,
} from './signed-note.js'
export { generateSigningKey, type PrivateJwk, privateKeySigner, type Signer, secretSigner } from './signer.js'
export { sleep } from './sleep.js'
export type {
  Attempt,
  ClosedReason,
  ExecutionRecord,
  LifecycleEvent,
  PermitRecord,
  State,
  Transition,
} from './state.js'
export type {
  DueQuery,
  EndedQuery,
  IntentPlace,
  IntentQuery,
  Page,
  RequestRecord,
  SameActionQuery,
  StatePage,
  Store,
  StoreReader,
  StoreTransaction,
} from './store.js'
export { parseStrictJson } from './strict-json.js'
export { supersede } from './superseded.js'
export { type TerminalReporterOptions, terminalReporter } from './terminal-reporter.js'
export { isTimeZone } from './time-restriction.js'
export { type ApprovalStatement, confirmationText, intentHash, statementDigest, type View } from './view.js'
export { type CanVote, type CastVote, seatsOf, type Vote } from './vote.js'
