// Receives deliveries of webhooks: verifies each with both libraries, and refuses those that were altered on their way.
//
// RINGBACK_DELIVERIES names a file with a delivery in each line: `secret`, `headers`, `body`, and whether it is `genuine`.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import * as standardwebhooks from 'standardwebhooks'
import * as svix from 'svix'

function verifies(library, delivery) {
  const webhook = new library.Webhook(delivery.secret)
  try {
    webhook.verify(delivery.body, delivery.headers)
  } catch (error) {
    assert(error instanceof library.WebhookVerificationError, error)
    return false
  }
  return true
}

const lines = readFileSync(process.env.RINGBACK_DELIVERIES, 'utf8').split('\n').filter(Boolean)
const deliveries = lines.map((line) => JSON.parse(line))
for (const delivery of deliveries) {
  for (const library of [standardwebhooks, svix]) {
    assert.equal(verifies(library, delivery), delivery.genuine, JSON.stringify(delivery))
  }
}
const genuine = deliveries.filter((delivery) => delivery.genuine).length
console.log(`${genuine} verified, ${deliveries.length - genuine} refused`)
