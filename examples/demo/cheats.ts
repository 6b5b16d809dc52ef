/**
 * What somebody tries who has stolen the permit of the refund, or has none at all. Each answer is the backend's code.
 */
export interface Cheats {
  no_permit: string
  replay?: string
  other_params?: string
}

export async function cheat(backendUrl: string, token: string | undefined): Promise<Cheats> {
  const refund = { customer_id: 'cust_4821', amount: 250 }
  const attempt = async (body: object, permit?: string): Promise<string> => {
    const response = await fetch(`${backendUrl}/refunds`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(permit && { 'silentauth-permit': permit }) },
      body: JSON.stringify(body),
    })
    if (response.ok) return 'PAID'
    const { error } = (await response.json()) as { error: { code: string } }
    return error.code
  }
  const without = { no_permit: await attempt(refund) }
  if (token === undefined) return without
  return {
    ...without,
    replay: await attempt(refund, token),
    other_params: await attempt({ ...refund, amount: 2500 }, token),
  }
}
