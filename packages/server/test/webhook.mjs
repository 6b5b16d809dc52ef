/** A notifier that posts events to an address, for tests: whatever is not 2xx is a failure. */
export function webhook(url) {
  return {
    name: 'webhook',
    /** @param {unknown} event @param {{ signal: AbortSignal }} options */
    async notify(event, { signal }) {
      const answer = await fetch(url, { method: 'POST', body: JSON.stringify(event), signal, redirect: 'error' })
      await answer.body?.cancel()
      if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
    },
  }
}
