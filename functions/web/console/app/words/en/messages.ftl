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
new-channel-both = WhatsApp, otherwise SMS
new-text = Text
new-category-utility = something the customer asked for
new-category-marketing = an offer
new-preview = Preview
new-preview-why = Nothing is sent yet. These are the checks that decide.
new-send = Send now
new-basis = Why you may write
new-basis-hint = What the customer did or agreed to, such as “Order 1042 of 20 November”. It is kept with the message.
new-ground = The customer called or wrote ({ $at })
new-template-none = None: a text of your own
new-template-hint = WhatsApp takes texts of your own only within 24 hours after the customer wrote there
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
