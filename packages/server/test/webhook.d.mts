import type { Notifier } from '@silentauth/core'

export function webhook(url: string): Notifier
