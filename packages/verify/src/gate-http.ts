/**
 * What every client of a gate over HTTP needs: its address, its answers, and limits on waiting for them. For our own packages;
 * not covered by semantic versioning.
 *
 * @module
 */
export { type GateAnswer, gateAnswer, gateUnavailable, type HttpResponse } from './gate-answer.js'
export { below, gateUrl, isLoopback } from './gate-url.js'
export { type SleepOptions, sleep, type TimeLimit, within } from './time-limit.js'
