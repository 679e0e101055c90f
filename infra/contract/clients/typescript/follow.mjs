// Follows a business by a socket, loses the connection, and goes on, as docs/live.md says: with `ws`, as servers on Node.js do.
//
// RINGBACK_API and RINGBACK_KEY name the business, RINGBACK_TENANT and RINGBACK_SIMULATORS its customers' phones. Exits with 0 only if
// everything was as expected.

import assert from 'node:assert/strict'
import { once } from 'node:events'

import WebSocket from 'ws'

const { RINGBACK_API, RINGBACK_KEY, RINGBACK_SIMULATORS, RINGBACK_TENANT } = process.env
const PATIENCE = 60_000

class Follower {
  cursor = undefined
  events = new Map()

  async ask(method, path) {
    const headers = { 'X-API-Key': RINGBACK_KEY }
    const answer = await fetch(`${RINGBACK_API}/api/v1${path}`, { method, headers })
    const body = await answer.json()
    assert.equal(answer.status, 200, JSON.stringify(body))
    return body
  }

  note(events) {
    for (const event of events) this.events.set(event.id, event)
  }

  async begin(...views) {
    const { url, ticket, cursor } = await this.ask('POST', '/live/ticket')
    this.cursor ??= cursor
    this.settled = false
    this.socket = new WebSocket(`${url}?ticket=${ticket}`, { handshakeTimeout: PATIENCE })
    this.heard = new Promise((resolve, reject) => {
      this.socket.on('message', (text) => this.hear(JSON.parse(text), resolve))
      this.socket.on('close', () => reject(new Error('closed before it watched')))
    })
    await once(this.socket, 'open', { signal: AbortSignal.timeout(PATIENCE) })
    this.socket.send(JSON.stringify({ action: 'watch', views }))
    assert.deepEqual((await this.heard).views, views)
    await this.catchUp(this.cursor)
    this.settled = true
    return `${url}?ticket=${ticket}`
  }

  hear(frame, watching) {
    if (frame.type === 'watching') watching(frame)
    if (frame.type === 'events') this.note(frame.events)
    if (frame.type === 'catch_up') this.catchUp(frame.cursor)
    else if (frame.cursor && this.settled) this.cursor = frame.cursor
  }

  // One after the other, so that none goes on from where another one is.
  catchUp(from) {
    this.reading = (this.reading ?? Promise.resolve()).then(async () => {
      this.cursor = from
      for (let more = true; more; ) {
        const page = await this.ask('GET', `/live/events?after=${encodeURIComponent(this.cursor)}`)
        this.note(page.events)
        this.cursor = page.cursor
        more = page.more
      }
    })
    return this.reading
  }

  received() {
    return [...this.events.values()].filter((event) => event.type === 'message.received')
  }

  async hasReceived(count) {
    const end = Date.now() + PATIENCE
    while (this.received().length < count) {
      assert.ok(Date.now() < end, `${this.received().length} of ${count} messages are known`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.equal(this.received().length, count)
  }
}

async function write(text) {
  const said = { tenant: RINGBACK_TENANT, from: '+971501110038', channel: 'whatsapp', text, wait: true }
  const headers = { 'Content-Type': 'application/json' }
  const answer = await fetch(`${RINGBACK_SIMULATORS}/replies`, { method: 'POST', headers, body: JSON.stringify(said) })
  assert.ok(answer.ok, await answer.text())
}

const ours = new Follower()
const used = await ours.begin('messages')
const again = new WebSocket(used)
const [, refused] = await once(again, 'unexpected-response', { signal: AbortSignal.timeout(PATIENCE) })
assert.equal(refused.statusCode, 403, 'a ticket opens one socket')

await write('Are you open on Friday?')
await ours.hasReceived(1)
// The network goes away without a word.
ours.socket.terminate()
await write('Hello?')
await write('Is anybody there?')
await ours.begin('messages')
await ours.hasReceived(3)
await write('Friday at nine then.')
await ours.hasReceived(4)
for (const event of ours.received()) {
  const message = await ours.ask('GET', `/messages/${event.data.message_id}`)
  assert.equal(message.id, event.data.message_id)
}
console.log('the socket tells all')
process.exit(0)
