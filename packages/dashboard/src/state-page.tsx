/**
 * Pages that have nothing to show but a state: loading, a problem, nothing there.
 *
 * @module
 */
import type { ReactNode } from 'react'
import { Button } from './button.js'
import { Icon, type IconName } from './icons.js'
import { messages } from './messages.js'

/** Empty at first: most answers arrive before anybody could read a word. */
export function Loading() {
  return (
    <p role="status" className="appear py-16 text-center text-soft">
      {messages.loading}
    </p>
  )
}

export function Problem({ title, onRetry, children }: { title: string; onRetry?: () => void; children: ReactNode }) {
  return (
    <div role="alert">
      <StatePage icon="warning" title={title}>
        <p>{children}</p>
        {onRetry && (
          <p className="mt-4">
            <Button onClick={onRetry}>{messages.tryAgain}</Button>
          </p>
        )}
      </StatePage>
    </div>
  )
}

export function StatePage({
  icon,
  title,
  heading = 'h1',
  children,
}: {
  icon: IconName
  title: string
  heading?: 'h1' | 'h2'
  children: ReactNode
}) {
  const Heading = heading
  return (
    <div className="appear mx-auto max-w-md py-14 text-center sm:py-20">
      <span className="mx-auto grid size-14 place-items-center rounded-full bg-sunken text-soft">
        <Icon name={icon} className="size-7" />
      </span>
      <Heading className="mt-5 text-xl font-semibold">{title}</Heading>
      <div className="mt-2 text-soft">{children}</div>
    </div>
  )
}
