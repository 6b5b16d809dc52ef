/**
 * The page of the chat: what was said, what waits for a person, and a line to write in.
 */
import './no-eval.ts'
import { useChat } from '@ai-sdk/react'
import { usePendingApprovals } from '@silentauth/ai-sdk/react'
import { DefaultChatTransport } from 'ai'
import { useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { type ChatMessage, Message } from './message.tsx'

const load = async (): Promise<ChatMessage[]> => (await fetch('/api/chat')).json()

/** The server has the chat: it is told of a new message, or with none asked whether what waits was decided. */
const transport = new DefaultChatTransport<ChatMessage>({
  prepareSendMessagesRequest({ messages }) {
    const last = messages.at(-1)
    const text = last?.parts.find((part) => part.type === 'text')?.text
    return { body: last?.role === 'user' ? { text } : {} }
  },
})

function Chat({ kept }: { kept: ChatMessage[] }) {
  const chat = useChat<ChatMessage>({ messages: kept, transport })
  const { messages, sendMessage, setMessages, clearError, status, error } = chat
  const approvals = usePendingApprovals(chat, { nudgeEveryMs: 2000 })
  const [text, setText] = useState('')
  const end = useRef<HTMLDivElement>(null)
  const isBusy = (status === 'submitted' || status === 'streaming') && approvals.length === 0

  useEffect(() => end.current?.scrollIntoView({ block: 'end' }), [messages])
  useEffect(() => {
    if (!error) return
    // The server has the chat: another tab may have gone on with it.
    const caughtUp = (kept: ChatMessage[]) => {
      setMessages(kept)
      clearError()
    }
    load().then(caughtUp, () => undefined)
  }, [error, setMessages, clearError])

  return (
    <>
      <header>
        <h1>Refund desk</h1>
        <p>An agent that asks a person before it pays.</p>
      </header>
      <main aria-label="Chat">
        {messages.length === 0 && <p className="hint">Try: Customer cust_4821 was charged twice, refund 250.</p>}
        {messages.map((message) => (
          <Message key={message.id} message={message} approvals={approvals} />
        ))}
        {isBusy && <p className="hint">Thinking …</p>}
        {error && !isBusy && <p className="fault">The server did not answer. Your chat is kept; try again.</p>}
        <div ref={end} />
      </main>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (text.trim() === '' || isBusy) return
          void sendMessage({ text })
          setText('')
        }}
      >
        <label htmlFor="text">Message</label>
        <input
          id="text"
          value={text}
          maxLength={2000}
          autoComplete="off"
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit">Send</button>
      </form>
    </>
  )
}

createRoot(document.querySelector('#root') as HTMLElement).render(<Chat kept={await load()} />)
