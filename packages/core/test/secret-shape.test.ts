import { describe, expect, it } from 'vitest'
import { holdsSecret, isSecretValue } from '../src/secret-shape.js'

/** Made at run time, so that no scanner takes this file for a leak. */
const filler = (length: number) => 'a1B2c3D4e5'.repeat(10).slice(0, length)

describe('isSecretValue', () => {
  it.each([
    ['a card', '4111 1111 1111 1111'],
    ['a card in a sentence', 'Refund to card 4111-1111-1111-1111, please.'],
    ['a card behind other numbers', 'order 10 4111 1111 1111 1111'],
    ['a card as a number', 4_111_111_111_111_111],
    ['an IBAN in a sentence', 'to DE89 3704 0044 0532 0130 00 today'],
    ['an IBAN in brackets', '(GB29NWBK60161331926819)'],
    ['a social security number', 'SSN: 123-45-6789'],
    ['a key of Stripe', `sk_live_${filler(24)}`],
    ['a key of OpenAI', `sk-proj-${filler(40)}`],
    ['a key of this gate', `sk_${filler(26)}`],
    ['a token of GitHub', `ghp_${filler(36)}`],
    ['a fine-grained token of GitHub', `github_pat_${filler(40)}`],
    ['a token of GitLab', `glpat-${filler(20)}`],
    ['a token of Slack', `xoxb-${filler(30)}`],
    ['a key of AWS', `AKIA${'ABCD2345EFGH6789'}`],
    ['a key of Google', `AIza${filler(35)}`],
    ['a webhook secret', `whsec_${filler(32)}`],
    ['a JWT', `eyJ${filler(20)}.eyJ${filler(20)}.${filler(43)}`],
    ['a bearer header', `Bearer ${filler(20)}`],
    ['a basic header', `Authorization: Basic ${filler(20)}==`],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIE…'],
    ['an RSA private key', 'x\n-----BEGIN RSA PRIVATE KEY-----\nMIIE…'],
    ['a private key behind a letter', 'n-----BEGIN EC PRIVATE KEY-----'],
    ['an OpenSSH private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
    ['a URL with a password', 'postgres://app:hunter2@db.internal/app'],
    ['a command with a password', 'mysql -u root --password=hunter2'],
    ['an environment with a key', 'STRIPE_API_KEY=abcd1234 node job.js'],
    ['a URL with a token', 'https://example.com/?access_token=abcdef&x=1'],
  ])('hides %s', (_, value) => {
    expect(isSecretValue(value)).toBe(true)
  })

  it.each([
    ['plain text', 'Refund 250 EUR to customer cust_4821.'],
    ['an empty text', ''],
    ['an amount', 250],
    ['an amount with a fraction', 4111.1111],
    ['milliseconds', 1_773_664_496_000],
    ['a date', '2026-03-16T12:34:56.000Z'],
    ['a UUID', '550e8400-e29b-41d4-a716-446655440000'],
    ['a telephone number', '+49 30 1234567'],
    ['an id that begins like a key', 'risk-management-2024'],
    ['words behind basic', 'Basic internationalization support'],
    ['a public key', '-----BEGIN PUBLIC KEY-----'],
    ['a URL with a user only', 'ssh://git@github.com/x'],
    ['a URL with an @ in its path', 'https://example.com:8080/@me:x'],
    ['a comparison', 'token == other'],
    ['an assignment of something else', 'amount=250000'],
    ['an assignment of nothing', 'password= '],
    ['a number with letters behind it', '4111111111111111x'],
    ['true', true],
    ['null', null],
    ['an object, whose members are looked at one by one', { a: '4111 1111 1111 1111' }],
  ])('shows %s', (_, value) => {
    expect(isSecretValue(value)).toBe(false)
  })
})

describe('holdsSecret', () => {
  const length = 64 * 1024
  it.each([
    ['one digit', '4'],
    ['digits in groups', '4111 '],
    ['digits with hyphens', '411-'],
    ['single digits', '4 '],
    ['letters', 'a'],
    ['words that begin like an IBAN', 'DE89 '],
    ['an IBAN without end', 'DE89 3704 0044 0532 '],
    ['beginnings of tokens', 'sk-'],
    ['beginnings of headers', 'Bearer '],
    ['beginnings of private keys', '-----BEGIN '],
    ['hyphens', '-'],
    ['beginnings of URLs', '://'],
    ['users without end', '://a:'],
    ['assignments', 'password='],
    ['names without end', 'a=1'],
    ['spaces', ' '],
  ])('reads a bounded number of characters for each of 64 K of %s', (_, unit) => {
    const text = unit.repeat(length).slice(0, length)
    let reads = 0
    const counted = {
      length,
      charCodeAt: (index: number) => {
        reads += 1
        return text.charCodeAt(index)
      },
    }
    holdsSecret(counted)
    expect(reads / length).toBeLessThan(120)
  })
})
