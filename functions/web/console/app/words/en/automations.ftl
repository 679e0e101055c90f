## Automations
automations-why = The first one that matches decides a call.
automations-archived = Show archived
automations-current = Show current
automations-archived-why = Archived automations match no call. They can be restored.
automations-archived-empty = Nothing is archived.
automations-order = Order
automations-earlier = Move “{ $name }” up
automations-later = Move “{ $name }” down
automations-moved = { $name }: place { $place } of { $of }
automation-does = { $outcomes }{ $lines ->
    [none] {""}
   *[other] {" "}to { $lines }
  }{ $hours ->
    [open] {" "}while the business is open
    [closed] {" "}while the business is closed
   *[any] {""}
  }{ $caller ->
    [new] {" "}by a new caller
    [known] {" "}by a known caller
   *[any] {""}
  }: { $channel } { $delay ->
    [none] at once
   *[other] after { $delay }
  }{ $next ->
    [none] {""}
   *[other] , otherwise { $next }
  }{ $cooldown ->
    [none] {""}
   *[other] , at most once in { $cooldown }
  }
automation-on = On
automation-off = Off
automation-archived = Archived
automation-restored = Restored
automation-enabled = Turned on
automation-when = When
automation-outcomes = The call ended as
automation-hours = The business is
automation-hours-any = open or closed
automation-hours-open = open
automation-hours-closed = closed
automation-caller = The caller is
automation-caller-any = anybody
automation-caller-new = new: never called or wrote before
automation-caller-known = known: called or wrote before
automation-when-more = Lines and lengths
automation-lines = Calls to
automation-lines-hint = Without a choice, calls to all lines.
automation-min_ring_seconds = Ringing at least, in seconds
automation-max_ring_seconds = Ringing at most, in seconds
automation-min_talk_seconds = Talk at least, in seconds
automation-max_talk_seconds = Talk at most, in seconds
automation-then = Then
automation-channels = { $one }, otherwise { $other }
automation-channel-only = { $one } only
automation-template = Template for WhatsApp
automation-template-none = Choose a template
automation-media-image = Image in the header
automation-media-video = Video in the header
automation-media-document = Document in the header
automation-media-none = Choose a file
automation-media-hint = Files are uploaded under Settings, Files.
sample-name = { $language ->
    [ar] ليلى حداد
   *[other] Layla Haddad
  }
sample-first-name = { $language ->
    [ar] ليلى
   *[other] Layla
  }
automation-delay = Wait before sending
automation-delay-hint = If the customer is reached meanwhile, nothing is sent.
automation-cooldown = Not again within
automation-cooldown-hint = The same person gets no other follow-up in this time. 0: no limit.
automation-then-more = Consent, quiet hours and more
automation-fallback = Second channel after
automation-fallback-hint = If the message is not delivered by then. 0: only if the first channel fails.
automation-category-utility = the call
automation-category-marketing = an offer, only for people who agreed to messages
automation-consent = Who may get it
automation-consent-caller_initiated = whoever called
automation-consent-opt_in_only = only who agreed to messages
automation-quiet-tenant = those of the business
automation-unknown = If a provider does not say whether it sent
automation-unknown-hint = The second channel can then reach the person twice.
automation-unknown-usual = as usual for such messages
automation-unknown-next_channel = use the second channel
automation-unknown-stop = send nothing more
automation-archive = Archive: no call is followed up by it
automation-archive-why = It keeps its place and its history, and can be restored. Messages that wait already are sent.
automation-archived-done = It is archived.
automation-restore = Restore: it follows up calls again
automation-restore-why = It is as it was before, at its former place.
automation-field-name = name
automation-field-enabled = on or off
automation-field-priority = order
automation-field-outcomes = outcomes
automation-field-direction = direction
automation-field-lines = lines
automation-field-hours = hours
automation-field-caller = caller
automation-field-min_ring_seconds = shortest ringing
automation-field-max_ring_seconds = longest ringing
automation-field-min_talk_seconds = shortest talk
automation-field-max_talk_seconds = longest talk
automation-field-channels = channels
automation-field-category = kind of message
automation-field-template = template
automation-field-sms_text = text of the SMS
automation-field-delay_seconds = wait
automation-field-fallback_after_seconds = time to the second channel
automation-field-cooldown_seconds = time until the next follow-up
automation-field-quiet_hours = quiet hours
automation-field-consent = consent
automation-field-when_unknown = unclear sending
automation-field-enroll = drip
automation-ring = Ringing, in seconds
versions = Versions
version = Version { $n }
version-first = made
version-taken = The form now has what version { $n } had. Nothing is saved yet.
version-take = Take into the form
version-changed = Changed
version-was = Before
version-is = After
try-title = Try it
try-why = Nothing is sent and nothing is saved. What decides real calls decides here.
try-on = On
try-recorded = a recorded call
try-invented = a made-up call
try-call = { $at }, { $who }, { $outcome }
try-this-call = The call that you opened
try-no-calls = There are no calls yet. Try a made-up one.
try-phone = Number that calls
try-rules = Automations, in their order
try-unnamed = New automation
try-draft = (as in the form)
try-decides = matches and decides
try-passed = would match, too
try-message = The message
try-checks = { $n ->
    [one] One check passed.
   *[other] { $n } checks passed.
  }
replay-old = The form has changed since. Compare again.
replay-got = Got
replay-would = Would get
replay-by = A message by “{ $rule }”
try-message-otherwise = The message that would be sent otherwise
replay = The latest calls
replay-why = What would the form have made of the calls of the last 31 days, at most 500?
replay-run = Compare
replay-unchanged = { $n } of { $of } calls stay as they were.
replay-more = { $n ->
    [one] One call that got no message would get one
   *[other] { $n } calls that got no message would get one
  }
replay-fewer = { $n ->
    [one] One call would get no message any more
   *[other] { $n } calls would get no message any more
  }
replay-different = { $n ->
    [one] One call would get a different message
   *[other] { $n } calls would get a different message
  }
new-basis = Why you may write
new-basis-hint = What the customer did or agreed to, such as “Order 1042 of 20 November”. It is kept with the message.
new-channel-both = WhatsApp, otherwise SMS
new-template-none = None: a text of your own
new-template-hint = WhatsApp takes texts of your own only within 24 hours after the customer wrote there
new-would = It would be sent: { $reason }
new-would-not = It would not be sent: { $reason }
new-channel = By
new-category = It is about
automation-sms = Text of the SMS
source-text = Fixed text
