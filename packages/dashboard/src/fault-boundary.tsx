/**
 * What is shown when a page itself fails: nothing was decided, and nothing half-drawn stays on the screen.
 *
 * @module
 */
import { Component, type ReactNode } from 'react'
import { Button } from './button.js'
import { messages } from './messages.js'
import { StatePage } from './state-page.js'

/** A class, because React has no other form for it. */
export class FaultBoundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false }

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true }
  }

  override render(): ReactNode {
    if (!this.state.failed) return this.props.children
    return (
      <StatePage icon="warning" title={messages.error.crashedTitle}>
        <p role="alert">{messages.error.crashed}</p>
        <p className="mt-4">
          <Button onClick={() => location.reload()}>{messages.error.reload}</Button>
        </p>
      </StatePage>
    )
  }
}
