## Addresses of other software
webhooks-empty = No addresses yet. Other software, such as a shop or n8n, can hear at once of calls, messages and conversions.
webhooks-new = New address
webhooks-delete = Delete the address
webhooks-delete-effect = It gets nothing any more, and what waits for it is not sent. This cannot be undone.
hook-name-hint = Such as the name of the software
hook-url-hint = It begins with https:// and stands in the software that is to hear of events.
hook-content-hint = Then events name the customer, the telephone number and the text. Otherwise they have only the numbers by which the software looks them up.
hook-header-name = Name of a header (optional)
hook-header-value = Value of the header
hook-header-hint = For software that compares a fixed value instead of checking the signature, as n8n can
hook-header-kept = Empty: the present value stays.
hook-callback-key = Key for calling back (optional)
hook-callback-none = It only listens
hook-callback-hint = For 15 minutes after an event, the software may act on its customer with what this key allows: answer, tag, assign, note.
hook-callback-from = Addresses from which it calls
hook-callback-from-hint = IP addresses or ranges, such as 203.0.113.0/24, with spaces between them: 10 at most
hook-callback-given = The software may act on the customers of its events from { $from }. Only administrators change this, the address and the header.
hook-subject-customers = Calls and customers
hook-subject-messages = Messages
hook-subject-work = What goes on in the business
hook-event-call-decided = A call was missed or answered
hook-event-contact-changed = A customer is new or changed
hook-event-consent-changed = A customer refuses messages, or agrees to them
hook-event-conversion-recorded = A success was noted, such as an order
hook-event-order-changed = An order is new or changed
hook-event-note-created = A note was written
hook-event-message-received = A customer wrote
hook-event-message-sent = A message was sent
hook-event-message-status = A message was delivered, read or refused
hook-event-conversation-changed = A conversation changed
hook-event-campaign-progress = A campaign went on
hook-event-operation-progress = A long task went on
hook-event-template-changed = A template changed
hook-event-connection-refused = A provider refuses a connection
hook-event-webhook-test = Test
hook-events-count = { $n ->
    [one] one kind of event
   *[other] { $n } kinds of events
  }
hook-health = State
hook-healthy = Works
hook-failing = Fails
hook-down = Down
hook-since = since { $at }
hook-disabled-user = Turned off
hook-disabled-gone = Turned off: it wants no more events
hook-disabled-failing = Turned off: it failed for days
hook-waiting = { $n ->
    [one] One event waits for another attempt.
   *[other] { $n } events wait for another attempt.
  }
hook-dropping = So many events wait that new ones are dropped.
hook-once = This is shown only once. Enter one of the two in the software now: it checks with it that events come from here.
hook-secret = Secret for libraries of Standard Webhooks
hook-key = The same as a key of text, for n8n
hook-leave = Leave the page? The new secret is not copied, and is not shown again.
hook-go-on = Go on to test it
hook-warning-n8n_test_url = This is the test address of n8n: it answers only while somebody has the editor open. Use the one with /webhook/ for good.
hook-test = Send a test
hook-tested = The test is sent:
hook-recover = Try all that failed again
hook-recovered = { $n ->
    [0] Nothing failed in the last five days.
    [one] One event is tried again.
   *[other] { $n } events are tried again.
  }
hook-enable = Turn on
hook-disable = Turn off
hook-rotate = Replace the secret
hook-rotate-effect = You get a new secret, which is shown once. Both are valid for a day, so that nothing stops while the software gets the new one.
hook-rotate-do = Make a new secret
hook-deliveries = What was sent
hook-deliveries-empty = Nothing was sent in the last seven days.
hook-event = Event
hook-delivery-state = State
hook-delivery-any = all
hook-delivery-waiting = Waits
hook-delivery-delivered = Delivered
hook-delivery-failed = Failed
hook-delivery-dropped = Dropped
hook-next = next attempt
hook-retry = Try again now
hook-outcome-delivered = Delivered
hook-outcome-refused = Refused
hook-outcome-gone = It wants no more events
hook-outcome-timed_out = No answer in time
hook-outcome-not_reached = Not reached
hook-outcome-blocked = The address is not allowed
hook-answer = answer { $status } after { $ms } ms
hook-took = after { $ms } ms
hook-hint-n8n_starting_up = n8n is only starting, so nothing has run. It is tried again.
hook-hint-n8n_only_run_if = n8n has taken it, and its setting “Only Run If” may have left it out.
hook-hint-n8n_authorization = n8n refuses the header, or takes the request for a bot (“Ignore Bots”).
hook-hint-n8n_not_registered = n8n knows no such address: the workflow is not active.
example-url = https://n8n.example.com/webhook/5f0c2a9e
example-value = Bearer 5f0c2a9e7d
