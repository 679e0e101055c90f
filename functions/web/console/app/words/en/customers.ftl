## Lists
column-outcome = Outcome
column-message = Message

## Calls
calls-search-more = These are the latest calls of the first people found. Write more of the name or the number to see the others.
calls-followed = Follow-up
calls-followed-yes = Followed up
calls-followed-no = Not followed up
calls-stopped-yes = Stopped by a cap or a failure
calls-unanswered-yes = Nobody answered
call-talk = Talk
call-ring = Ringing
call-grounds = What the decision is based on
call-grounds-why = As it was known when the decision was made. It stays so, whatever changes.
ground-new_caller = First call of this number
ground-open = Business open
ground-opted_out = Refused all messages
ground-marketing_opted_out = Refused marketing
ground-opted_in = Agreed to messages
ground-last_follow_up_at = Last follow-up
ground-last_inbound_at = Last wrote
ground-last_answered_at = Last answered call
ground-last_by_phone_at = Last message from the business’s own phone
ground-cooldown_seconds = Not again within
call-reported = What the telephone system reported
call-started = Began
call-decided = Decided
call-provider = Telephone system
call-recordings = Recordings
recording-listen = Listen
recording-voicemail = Voicemail
recording-call = Recording of the call
open-message = Open the message

## Automations
call-try = Try the rules on this call
write-message = Write a message

## Lists
channel = Channel
purpose = Purpose

## Messages
message-none-text = (no text)
message-edited = Edited: { $text }
message-template = Template “{ $name }” in { $language }
message-attempts = Attempts
message-attempts-none = No attempt was made.
message-cost = Cost
message-cost-unknown = not known yet
message-cost-billed = billed, the provider states no price
message-cost-free = free
message-category = Category
message-retry = Send again
message-cancel = Do not send
message-cancelled = The rest of the message will not be sent.
message-retried = It is sent again as a new message.
message-call = Call that it follows
message-clicked-at = Link followed
message-valid-until = Valid until
message-file-open = Open
message-file-pending = It is being fetched
message-file-unusable = { $reason ->
    [too_large] The file is larger than Ringback takes.
    [wrong_type] The file is not what it says it is.
    [harmful] The file is harmful, and was not kept.
   *[other] The file did not arrive whole.
  } Ask for it another way.
medium-image = Picture
medium-video = Video
medium-audio = Sound
medium-document = Document
medium-sticker = Sticker
content-kind-template = Template
content-kind-text = Text
content-kind-media = File
content-kind-interactive = Text with buttons
content-kind-location = Place
content-kind-contacts = Business card
content-kind-unsupported = Message that WhatsApp does not show
content-kind-edit = Edited a message; WhatsApp does not show how
content-kind-revoke = Deleted a message
content-kind-pin = Pinned a message
content-kind-keep_in_chat = Kept a disappearing message
content-kind-request_welcome = Opened the chat
category-utility = Service
category-marketing = Marketing
category-authentication = One-time code
category-service = Reply
new-to = To
new-text = Text
new-category-utility = something the customer asked for
new-category-marketing = an offer
new-preview = Preview
new-preview-why = Nothing is sent yet. These are the checks that decide.
new-send = Send now
new-ground = The customer called or wrote ({ $at })
new-change = Change

## Automations
message-later = { $channel } at { $at }{ $reason ->
    [none] {""}
   *[other] : { $reason }
  }
message-again = It is tried again until { $until }: { $reason }
new-would-wait = It would not be sent yet: { $reason }. It would be tried again until { $until }.
new-send-at = Send at { $at }
new-send-waiting = Send as soon as possible

## Lists
column-phones = Telephone
column-last-call = Last call
column-calls = Calls

## Contacts
contact-none = Nobody matches the search.
contact-profile = Profile
contact-language = Language
contact-source = Source
contact-email = E-mail
contact-may = May get messages
contact-may-yes = yes
contact-may-no = no, refused on { $day }
contact-may-no-marketing = yes, but no marketing
contact-created = Known since
contact-timeline = Timeline
timeline-consent = Consent
timeline-note = Note
timeline-merge = Merged with another contact
conversion-order = Order
conversion-booking = Booking
conversion-visit = Visit
conversion-payment = Payment
conversion-quote = Quote
conversion-sign_up = Sign-up
conversion-other = Other conversion
inbox-nobody = nobody
inbox-you = you
inbox-colleague = a colleague
inbox-person-away = { $name } (not available)
inbox-software = other software
inbox-contact-hide = Back to the conversation
composer-note-text = Text of the note
inbox-note-change = Change
inbox-note-delete = Delete the note
inbox-note-delete-effect = It is gone for the whole team, with its mentions.
contact-change = Change the contact
contact-language-none = as the customer writes
inbox-note-keep = Leave it as it was
contact-stage = Stage
contact-owner = Looked after by
contact-value = Expected value
