## Frame
title-log-in = Log in
title-sign-up = Sign up a business
title-verify-email = Confirm your e-mail address
title-forgot-password = Forgotten password
title-reset-password = New password
title-accept-invitation = Invitation
title-account = My account
title-home = Home
title-calls = Calls
title-call = Call
title-messages = Messages
title-message = Message
title-new-message = New message
title-contacts = Contacts
title-contact = Contact

menu = Main menu
skip = Skip to the content
loading = Loading
working = One moment…
reload = Reload
try-again = Try again
save = Save
saved = Saved
continue = Continue
log-out = Log out
log-in = Log in
go-home = Go to Home
account-menu = Account, language and theme
tenant-switch = : change business
theme = Theme
theme-system = as the device
theme-light = light
theme-dark = dark
offline = You are offline. What is shown may be out of date.
missing = Page not found
missing-why = There is no such page, or it belongs to a business that you are not a member of.
forbidden = No permission
forbidden-role = This page is for the role “{ $role }” and above. Ask an administrator of your business.
forbidden-why = Your role may not open this page. Ask an administrator of your business.
suspended = This business is suspended
suspended-why = Calls are still recorded, but nothing is sent. Write to whoever operates Ringback for you to have it resumed.
error-load = The page did not load
error-load-why = Ringback may have been updated since you opened it. Reload the page to get the current version.
error-offline = You are offline
error-offline-why = This page cannot be loaded without a network. It appears by itself as soon as there is one.
expired = Your session has ended
expired-why = Log in again to continue. The page stays as it is.

role-viewer = Viewer
role-agent = Agent
role-manager = Manager
role-admin = Administrator

## Log-in and sign-up
email = E-mail address
password = Password
new-password = New password
password-hint = At least 10 characters that are hard to guess, such as a few unrelated words
code = Code
code-hint = The 6 digits in your authenticator app
recovery-code = Recovery code
recovery-code-hint = One of the codes that you kept when you set up the second factor. Each works once.
use-recovery-code = Use a recovery code instead
use-code = Use the authenticator app instead
back-to-log-in = Back to the log-in
has-account = I have an account already
sign-up-why = Ringback answers the calls that you miss, within seconds, by WhatsApp or SMS.
sign-up-done = We have sent a mail to { $email }. Open its link to create your business.
sign-up-nothing = Nothing has arrived? Look among unwanted mails, or have it sent again. An address gets at most 5 mails an hour and 10 a day.
mail-again = Send the mail again
mail-sent-again = If this address has not had 5 mails this hour or 10 today, another one is on its way. Use the newest that arrives.
sign-up-other = Use another address
sign-up-other-why = That is a new sign-up with what you have entered. The name in addresses stays reserved for the first address for a day, so another one is suggested.
business-name = Name of the business
business-slug = Name in addresses
business-slug-hint = Lower-case letters a to z, digits and hyphens: { $host }/app/…
your-name = Your name
verify-why = Enter the password that you chose when you signed up. If this was not you, close this page.
link-incomplete = The link is incomplete. Open it from the mail again.
forgot-why = We send you a link to choose a new one.
forgot-send = Send the link
forgot-done = If { $email } has an account, a mail with a link is on its way.
reset-save = Set the password
reset-done = Your password has been changed.
accept = Join
accept-new = You have no account at Ringback with { $email } yet. Choose a name and a password.
accept-known = You join with your account { $email }, and keep its password.
accept-done = You now belong to { $business }.
accept-who = { $inviter } invites you to work with { $business } as { $role }. { $may }
accept-invited = You are invited to work with { $business } as { $role }. { $may }
accept-may-viewer = You can read everything.
accept-may-agent = You can read everything and write to customers.
accept-may-manager = You can read everything, write to customers and change settings.
accept-may-admin = You can read everything, write to customers, change settings, and manage people and keys.

## My account
account-profile = Profile
account-preferences = Look and language
account-language = Language
account-theme = Theme
account-theme-system = as the device
account-theme-light = light
account-theme-dark = dark
account-numerals = Digits in texts
account-numerals-auto = as usual in the region
account-numerals-latin = 0 1 2 3
account-numerals-arabic = ٠ ١ ٢ ٣
account-clock = Time of day
account-clock-auto = as usual in the region
account-clock-12h = 2:05 pm
account-clock-24h = 14:05
account-density = Rows
account-density-regular = regular
account-density-comfortable = taller
account-security = Security of the account
account-security-why = If you do not recognise something, change your password.
security-logged_in = Logged in
security-second_factor_asked = Password accepted, code asked for
security-log_in_refused = Log-in refused
security-log_in_limited = Too many tries to log in
security-logged_out = Logged out
security-logged_out_everywhere = Logged out everywhere
security-token_reused = A session was ended because its token was used twice
security-reset_asked = A new password was asked for by mail
security-password_reset = Password set by a link in a mail
security-password_changed = Password changed
security-second_factor_on = Second factor turned on
security-second_factor_off = Second factor turned off
security-recovery_codes_replaced = New recovery codes
security-recovery_code_used = Recovery code used
security-platform_right_given = Made administrator of the platform
security-platform_right_taken = No longer administrator of the platform
security-proof_refused = Wrong password or code while logged in
security-other = Other event
security-times = ({ $n } times)
account-mails = Mails
account-mails-why = Managers and administrators get a mail when something needs their attention. Agents get one when customers wait.
mail-connection_refused = A provider refuses a connection
mail-template_paused = A template is paused or refused
mail-automation_unmatched = An automation no longer works
mail-cap_nearly_reached = A cap is nearly reached
mail-campaign_paused = A campaign paused itself
mail-customers_wait = Nobody has read a customer’s message for too long
account-password-why = The other sessions end. This one goes on.
account-password-current = Current password
account-password-change = Change the password
account-sessions = Where you are logged in
account-session-this = this session
account-session-end = Log out
account-device-unknown = Unknown device
account-log-out-everywhere = Log out everywhere

## Home
today-is = { $day }
home-needs = Needs you
home-today = Today
home-stopped = { $n ->
    [one] One call of the last 7 days got no message: a cap or a failure stopped it
   *[other] { $n } calls of the last 7 days got no message: a cap or a failure stopped it
  }
home-days = Unanswered calls of the last 14 days
home-cost = Messages today cost
home-cost-none = nothing yet
home-cost-sums = Cost of the week and the month
home-cost-days = The last { $n } days cost
home-cost-unknown = { $n ->
    [one] and one SMS or WhatsApp message whose price is not known
   *[other] and { $n } SMS or WhatsApp messages whose price is not known
  }
unknown-numbers = Calls that are lost
unknown-number = Calls to this number reach { $connection }, but no line has this number, so they are ignored.
unknown-number-of-line = Calls to this number of a line reach { $connection }, which does not have it, so they are ignored.
unknown-number-add = Add the line
unknown-number-connect = Add it to the connection
figure-unanswered = Unanswered
figure-followed-up = Followed up
figure-delivered = Delivered
figure-replied = Replied
figure-recovered = Recovered
figure-change = { $sign ->
    [0] as a week ago
    [1] { $n } more than a week ago
   *[other] { $n } fewer than a week ago
  }
figure-share = { $share }
as-table = Show as a table
column-day = Day
step-profile = Business
step-hours = Opening hours
step-telephone_line = Telephone
step-whatsapp = WhatsApp
step-sms_fallback = SMS
step-template = Template
step-rule = Automation

## Set-up
title-set-up = Set up
title-set-up-business = Your business
title-set-up-telephone = Your telephone
title-set-up-messages = How messages are sent
title-set-up-text = What customers get
title-set-up-try = Try it
settings-set-up = From the first connection to the first answered call, in five pages
set-up-business = Business
set-up-telephone = Telephone
set-up-messages = Messages
set-up-text = What to say
set-up-try = Try it
set-up-done = done
set-up-open = open
set-up-missing = Missing on this page
set-up-later = Do this later
set-up-left = { $place } of { $of } · about { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
  } left
set-up-skip = Skip for now
set-up-save = Save and continue
set-up-go-on = Continue setting up
set-up-another = Connect another one
set-up-change = Change it
set-up-phone = Telephone number in messages
set-up-phone-hint = The number at which customers reach you, as they should read it
set-up-telephone-why = Ringback learns of missed calls from your telephone. It needs one connection that reports calls.
telephone-which = Which telephone do you have?
telephone-line = An ordinary line or a mobile
telephone-cloud = A number at Twilio, Aircall, Vonage, Exotel or Plivo
telephone-system = A telephone system of our own
forward-number = First, a number at Twilio
forward-number-why = Your line goes on ringing as before. Calls that nobody answers are forwarded to a number at Twilio, and Ringback writes to the caller. Buy a number there, enter it below, and then dial the codes that appear here.
forward-rings = Your line can forward only to a connection whose calls ring nowhere. These do not: choose “nowhere” there, or connect another number below.
forward-greeting = Thank you for calling. We cannot answer at the moment.
forward-codes = Dial this on your line
forward-codes-why = Enter each code like a number to call, and, on a mobile, press the call key. Unanswered calls then go to
forward-network = Your network
forward-network-other = Another mobile network
forward-network-landline = { $name }, landline
forward-no_reply = When nobody answers
forward-unreachable = When the phone is off or without a network
forward-busy = When the line is busy
forward-no_reply_or_busy = When nobody answers or the line is busy
forward-end = To end it:
forward-sure-published = A page of this network has these codes.
forward-sure-reported = Others report these codes for this network. It confirms them after you dial; otherwise ask it.
forward-sure-standard = These are the usual codes of mobile networks. Yours confirms them after you dial; otherwise ask it for conditional call forwarding.
forward-landline = On a landline that is not listed, ask your network to forward to this number when nobody answers. A forwarded call costs as much as a call of yours to it.
set-up-messages-why = Customers get their message by WhatsApp or SMS. One is enough; with both, SMS reaches whoever has no WhatsApp.
set-up-text-why = This is what a customer gets after a call that nobody answered. Change it so that it sounds like you.
set-up-text-sms = Text of the SMS
set-up-text-name = Missed calls
set-up-text-first = { $name }: sorry, we missed your call. How can we help? Reply STOP for no more messages.
set-up-text-create = Turn on
set-up-template-why = WhatsApp allows a first message only by a template that Meta has approved.{ $falls ->
    [yes] {" "}Until then, customers get the SMS.
   *[no] {""}
  }
set-up-template-choose = Choose a template
set-up-template-use = Use this one
set-up-template-approved = Approved
set-up-template-waits = Not approved yet
set-up-try-call = Call this number from another telephone, let it ring, and hang up
set-up-try-line = Call your own line from another telephone and do not answer
set-up-try-number = Call one of your numbers that are connected.
set-up-try-how = The page shows by itself what happens. Your caller’s number must not be hidden.
set-up-try-waiting = Waiting for a call
set-up-try-heard = A call was reported, from
set-up-try-decision = Ringback decides about a message
set-up-try-sent = { $channel } took the message
set-up-try-took = { $time } after the decision
set-up-try-open = Open the call
set-up-try-team = Invite your team
set-up-try-calls = Open the calls
set-up-nothing = Nothing has arrived for half a minute. Check these:
set-up-nothing-codes = You have dialled the codes, and your network confirmed them.
set-up-nothing-address = The addresses below stand in the provider’s console exactly as here, at the number that you call.
set-up-nothing-number = The number that you call is one of the connection’s numbers.
set-up-nothing-answered = The call has ended, and nobody answered it. Some systems report a call half a minute after its end.
set-up-cause = Why nothing followed
set-up-cause-own_flow = Twilio asked Ringback what to do with this call. But the connection says that something else answers your calls, so Ringback did nothing, and the call ended. Choose where calls should ring. It works from the next call on.
set-up-cause-mended = When you called, the connection said that something else answers your calls, so the call ended. That has been changed since. Call again.
set-up-cause-unreported = Something else answered this call, and did not report whether anybody was reached. Let it report to “call status changes” for each phone that it rings (“statusCallback”), or let Ringback answer your calls.
set-up-cause-elsewhere = The connection says where calls should ring, but Twilio did not ask Ringback about this one. Paste the address “a call comes in” at the number that you called.
set-up-cause-open = Open the connection

## Lists
filter = Filter
filter-from = From
filter-to = To
filter-any = All
filters-clear = Clear filters
older = Older
newest = Newest
column-time = Time
column-caller = Customer
column-line = Line
column-outcome = Outcome
column-message = Message
column-state = State
column-name = Name
column-phones = Telephone
column-last-call = Last call
column-calls = Calls
hidden-number = Number hidden
nothing-found = Nothing matches the filters.

direction = Direction
direction-inbound = Incoming
direction-outbound = Outgoing

outcome = Outcome
outcome-answered = Answered
outcome-missed = Missed
outcome-busy = Busy
outcome-abandoned = Hung up
outcome-voicemail = Voicemail
outcome-after_hours = After hours
outcome-failed = Failed
outcome-unknown = Not reported

channel = Channel
channel-whatsapp = WhatsApp
channel-sms = SMS

state = State
state-scheduled = Scheduled
state-sending = Sending
state-unknown = Unconfirmed
state-accepted = Accepted
state-sent = Sent
state-delivered = Delivered
state-read = Read
state-failed = Failed
state-cancelled = Cancelled
state-blocked = Not sent
state-claimed = Sending
state-refused = Refused
state-received = Received
state-none = Not sent

purpose = Purpose
purpose-follow_up = Follow-up to a call
purpose-reply = Reply
purpose-auto_reply = Automatic answer
purpose-campaign = Campaign
purpose-order = Order
purpose-payment = Payment
purpose-one_time_code = One-time code
purpose-feedback = Feedback
purpose-api = Message
purpose-stop_confirmation = Confirmation of STOP

## Calls
calls-search-more = These are the latest calls of the first people found. Write more of the name or the number to see the others.
calls-empty = No calls in these days. Every call appears here with the message it got and the reason.
calls-followed = Follow-up
calls-followed-yes = Followed up
calls-followed-no = Not followed up
calls-stopped-yes = Stopped by a cap or a failure
calls-answer = Answer
calls-unanswered-yes = Nobody answered
call-talk = Talk
call-ring = Ringing
no-message = No message: { $reason }
decision = Decision
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
yes = yes
no = no
never = never
call-reported = What the telephone system reported
call-started = Began
call-decided = Decided
call-provider = Telephone system
call-recordings = Recordings
recording-listen = Listen
recording-voicemail = Voicemail
recording-call = Recording of the call
remarks = What happened since
open-message = Open the message
open-contact = Open the contact

## Inbox
title-inbox = Inbox
title-conversation = Conversation
menu-more = More
inbox-empty = No open conversations. Whoever writes, or calls and reaches nobody, appears here.
inbox-mentions-empty = No note mentions you. Colleagues can mention you in their notes on a customer.
inbox-views = Whose conversations
inbox-view-mine = Mine
inbox-view-unassigned = Unassigned
inbox-view-all = All
inbox-view-mentions = Mentions
inbox-count-waiting = waiting for an answer
inbox-count-open = open
inbox-state-open = Open
inbox-state-pending = Pending
inbox-state-snoozed = Snoozed
inbox-state-closed = Closed
inbox-snoozed-until = Snoozed until { $at }
inbox-waiting-yes = Waiting, longest first
inbox-waiting-no = Answered
inbox-read = Read
inbox-read-no = Not yet read
inbox-window = WhatsApp
inbox-window-open = texts of your own until { $at }
inbox-window-closed = only templates since { $at }
inbox-person = Person
inbox-nobody = nobody
inbox-you = you
inbox-colleague = a colleague
inbox-software = other software
inbox-team = Team
inbox-team-none = no team
inbox-unread = { $n } unread
inbox-waits = waiting since { $since }
inbox-priority-high = Urgent
inbox-priority-low = Not urgent
inbox-unnamed = Customer without a name
inbox-write = Write
inbox-thread = Messages and calls
inbox-about = About the conversation
inbox-reply-to = A reply goes to
inbox-reply-hidden = the customer’s WhatsApp, whose number only WhatsApp knows
inbox-take = Assign to me
inbox-leave = Assign to nobody
inbox-reopen = Open again
inbox-set-aside = Set to pending
inbox-close = Close
inbox-changed = The customer has written meanwhile, or a colleague has changed something, so your change is not saved. Look at what is new, then try again.
inbox-continued = Open the other conversation

## Messages
messages-empty = No messages in these days. Messages to customers and their replies appear here.
message-new = New message
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
message-send-at = Send at
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
content-kind-reaction = Reaction
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
phone-example = Such as { $national } or { $example }
phone-example-whole = Such as { $example }
phone-read = Read as
phone-unknown = Read as a number that is not known there. Check it:
phone-kind-mobile = mobile
phone-kind-landline = landline
phone-kind-toll_free = free of charge for callers
phone-kind-premium = premium rate
new-channel = By
new-channel-both = WhatsApp, otherwise SMS
new-text = Text
new-category = It is about
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
new-would = It would be sent: { $reason }
new-would-not = It would not be sent: { $reason }
new-leave = Leave the page? What you wrote is lost.
new-tab = (opens in a new tab)

## Contacts
contacts-empty = No contacts yet. Everybody who calls or writes appears here.
contacts-search = Search
contacts-search-hint = Words of the name, or the number in any spelling, or at least its four last digits
contact-none = Nobody matches the search.
contact-profile = Profile
contact-language = Language
contact-tags = Tags
contact-source = Source
contact-email = E-mail
contact-may = May get messages
contact-may-yes = yes
contact-may-no = no, refused on { $day }
contact-may-no-marketing = yes, but no marketing
contact-created = Known since
contact-timeline = Timeline
contact-timeline-empty = Nothing has happened yet.
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

## Automations
title-automations = Automations
title-automation = Automation
title-new-automation = New automation
title-try-automations = Try on a call
automations-why = The first one that matches decides a call.
automations-empty = No automations. Without one, no call is followed by a message.
automations-archived = Show archived
automations-current = Show current
automations-archived-why = Archived automations match no call. They can be restored.
automations-archived-empty = Nothing is archived.
automations-order = Order
automations-earlier = Try “{ $name }” earlier
automations-later = Try “{ $name }” later
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
labelled = { $label }: { $text }
automation-line-deleted = a deleted line
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
automation-template-one = { $name }, { $language }{ $sendable ->
    [yes] {""}
    [gone] {" "}(not found)
   *[no] {" "}(not approved)
  }
automation-by-language = in the customer’s language, if there is such a version
automation-value = Value of { $name }
automation-value-header = Value in the header
automation-media-image = Image in the header
automation-media-video = Video in the header
automation-media-document = Document in the header
automation-media-none = Choose a file
automation-media-other = Another file
automation-media-hint = Files of the business are uploaded by the API.
automation-value-button = Value of the button “{ $name }”
automation-default = Otherwise
automation-sms = Text of the SMS
text-in = { $label }, { $language }
text-preview = As a customer reads it
text-length = { $characters } characters, { $parts ->
    [one] one SMS
   *[other] billed as { $parts } SMS
  }
sample-name = { $language ->
    [ar] ليلى حداد
   *[other] Layla Haddad
  }
sample-first-name = { $language ->
    [ar] ليلى
   *[other] Layla
  }
text-insert = Insert a value
text-insert-hint = Text after a line is used where the value is not known: { $example }
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
automation-header_media = File in the header
text-price = About { $cost } to a number of your country
text-price-unknown = What it costs to a number of your country is not known.
people-away = Deactivated: { $n }
people-away-why = They have no access. What they did keeps their names, so nobody is deleted.
source-text = Fixed text
source-contact-first_name = First name
source-contact-name = Name
source-contact-phone = Number of the customer
source-tenant-name = Name of the business
source-tenant = { $name } (of the business)
source-call-number = Number that was called
source-call-time = Time of the call
source-call-date = Day of the call
source-call-outcome = Outcome of the call
source-preferences-link = Link to choose messages
unit-second = seconds
unit-minute = minutes
unit-hour = hours
unit-day = days
unit-of = { $label }: unit
quiet-hours = Quiet hours
quiet-hours-hint = In the customer’s time zone.
quiet-hours-some = set hours
quiet-hours-from = From
quiet-hours-to = To
quiet-hours-action = Messages in these hours
quiet-hours-defer = go out when the hours are over
quiet-hours-skip = are never sent
quiet-hours-send = go out at once, as by day
try-title = Try it
try-why = Nothing is sent and nothing is saved. What decides real calls decides here.
try = Try
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
call-try = Try the rules on this call
message-later = { $channel } at { $at }{ $reason ->
    [none] {""}
   *[other] : { $reason }
  }
message-again = It is tried again until { $until }: { $reason }
new-would-wait = It would not be sent yet: { $reason }. It would be tried again until { $until }.
new-send-at = Send at { $at }
new-send-waiting = Send as soon as possible
text-unknown = { $value } is not known, so the text cannot be saved.{ $right ->
    [none] {" "}Take a value from “Insert a value”.
   *[other] {" "}Write { $right } instead.
  }
replay-old = The form has changed since. Compare again.
replay-got = Got
replay-would = Would get
replay-by = A message by “{ $rule }”
try-message-otherwise = The message that would be sent otherwise
write-message = Write a message
people-until = valid until { $at }
people-new = Invite somebody
text-unnamed = { $language ->
    [ar] عميلنا العزيز
    [en] there
   *[other] {""}
  }
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

## Settings
title-settings = Settings
title-business = Business
title-connections = Connections
title-connection = Connection
title-new-connection = Connect a provider
title-lines = Lines
title-people = People
settings-connections = WhatsApp, SMS and telephone systems, and whether they work
settings-lines = The numbers that customers call
settings-people = Who belongs to the business, and with which role
settings-business = Name, country, time zone and opening hours
business-zone = Time zone
business-country = Country
business-country-hint = Numbers without a country code are read as of this country.
business-languages = Languages of your customers
language-other = Another language
language-first = For people whose language is not known
business-hours-hint = Such as 9-18, or 9am-1pm, 4pm-9pm. A day without hours is closed.
hours-days = At these hours
hours-always = Always open
hours-none = No day has hours, so the business counts as always open.
hours-read = Read as { $hours }
hours-pick = Pick the hours of { $day }
hours-from = From
hours-to = To
hours-add = Add hours
hours-same = { $hours } on all days
business-closed = closed
connections-empty = No provider is connected. Connect a telephone system to notice missed calls, and WhatsApp or Twilio to answer them.
connection-kind-whatsapp = WhatsApp
connection-kind-twilio = Twilio
connection-kind-telephony = Another telephone system
connection-kind-aircall = Aircall
connection-kind-vonage = Vonage
connection-kind-exotel = Exotel
connection-kind-plivo = Plivo
connection-kind = Provider
connection-state = State
connection-numbers = Numbers
connection-healthy = Works
connection-unhealthy = Refused
connection-refused = Saved, but refused
connection-unclear = The provider did not answer
connection-since = since { $at }
connection-stopped = Calls of the last 7 days whose message was stopped
connection-untested = Not tested
connection-deaf = Secret is missing
connection-deaf-why = Nothing verifies what the provider reports, so customers’ replies, receipts and STOP are refused. Set the credentials.
connection-unheard = No report received yet
connection-unheard-why = Until WhatsApp’s first report arrives and is verified, nobody knows whether replies, receipts and STOP do. Write to the number from a phone to see it.
webhooks-refused = Refused reports
webhooks-refused-why = { $n ->
    [one] In one hour of the last day, a report was refused.
   *[other] In { $n } hours of the last day, reports were refused.
  } Anybody can send one, but if WhatsApp did, replies and STOP are lost. The latest:
webhook-refused-no_secret = The connection has no secret of a Meta app to verify with. Set its credentials.
webhook-refused-unsigned = It was not signed, so it was hardly WhatsApp.
webhook-refused-other_secret = It was signed with another secret. Compare the secret with that of your Meta app, and set the credentials.
webhook-refused-other_token = The verify token was another one. Rotate the secret without entering one, which makes a new token.
connection-health = Health
connection-test = Test now
connection-test-last = Last test
connection-test-passed = Passed
connection-test-failed = Failed
connection-test-unclear = Unclear
connection-test-waiting = Waiting for the provider
connection-quality = Quality at Meta
quality-green = good
quality-yellow = medium
quality-red = low
quality-unknown = unknown
connection-paused = Paused until
connection-urls = Addresses to paste at the provider
connection-urls-why = Enter them in the provider’s console exactly as they are.
copy = Copy
copied = Copied
connect = Connect
connect-name = Name, as your team will see it
connect-account_sid = Account SID
connect-auth_id = Auth id
connect-api_key = API key
connect-numbers = Numbers
connect-numbers-hint = Several with commas between them
connect-display_number = Number on WhatsApp
connect-phone_number_id = Phone number id at Meta
connect-waba_id = Id of the WhatsApp Business Account
connect-auth_token = Auth token
connect-api_key_sid = SID of the API key
connect-api_key_secret = Secret of the API key
connect-access_token = Access token of a system user
connect-app_secret = Secret of the Meta app
connect-app_secret-hint = In your Meta app: “App settings → Basic → App secret”. It verifies customers’ replies and STOP.
connect-signature_secret = Signature secret
connect-more = More, if you use it
connect-sources-hint = Addresses from which Exotel reports, separated by commas. Empty: any.
connect-token-hint = Aircall shows it when the webhook is created. Create the connection first, then set it under Credentials.
connect-token = Token of the webhook
connect-api_id = API id
connect-api_token = API token
connect-api_secret = API secret
connect-application_id = Id of the voice application
connect-cluster = Region of the account
connect-cluster-singapore = Singapore
connect-cluster-mumbai = Mumbai
connect-country_code = Calling code of national numbers
connect-sources = IP addresses
connect-whatsapp_sender = Number that sends WhatsApp
connect-messaging_service_sid = SID of a Messaging Service
connect-handling = Where should calls ring?
connect-handling-forward = On a phone of ours
connect-handling-forward-hint = If nobody answers it, Ringback writes to the caller.
connect-handling-voicemail = Nowhere: callers leave a message
connect-handling-voicemail-hint = Twilio records what callers say, and Ringback writes to them.
connect-handling-greet = Nowhere: callers hear a sentence
connect-handling-greet-hint = Then the call ends, and Ringback writes to the caller.
connect-handling-own_flow = Something else answers our calls
connect-handling-own_flow-hint = Such as a menu that you have at Twilio, or another telephone system. Ringback answers no call, and is only told how calls ended.
connect-forward_to = Number of that phone
connect-forward_to-hint = Not the number at Twilio, or the call would come back
connect-ring_seconds = Seconds for which it rings
connect-voicemail = Callers can leave a message if nobody answers
connect-greeting = What callers hear
connect-missed_greeting = What callers hear if nobody answers
connect-forward-said = Twilio’s voice reads it out. It may be empty.
connect-voicemail-said = Twilio’s voice reads it out. If it is empty, callers hear only the tone.
connect-greet-said = Twilio’s voice reads it out. If it is empty, callers hear the busy tone.
guide-find-whatsapp = At developers.facebook.com, open your app, then “WhatsApp → API Setup”: it shows “Phone number ID” and “WhatsApp Business Account ID”. The access token is that of a system user, under “Business settings → System users”.
guide-find-twilio = At console.twilio.com, “Account Info” shows “Account SID” and “Auth Token”. Create the key under “Account management → API keys & tokens → Create API key”.
guide-find-telephony = Any telephone system that can send a signed event when a call has ended. Ringback makes the address and the secret.
guide-find-aircall = Create the connection first. Its address then goes into “Integrations → Webhooks” in Aircall’s dashboard.
guide-find-vonage = At dashboard.vonage.com, “API settings” shows “API key” and “Signature secret”.
guide-find-exotel = At my.exotel.com, “Settings → API Settings” shows “Account SID”, “API key” and “API token”.
guide-find-plivo = At console.plivo.com, the overview shows “Auth ID” and “Auth Token”.
guide-paste-whatsapp = At developers.facebook.com, open your app, then “WhatsApp → Configuration → Edit”. Paste “Callback URL” and “Verify token”, and subscribe to the field “messages”.
guide-paste-twilio = At console.twilio.com, open “Phone Numbers → Manage → Active numbers” and choose the number. Paste the addresses as a whole at “A call comes in”, “Call status changes” and “A message comes in”, each with “Webhook” and “HTTP POST”.
guide-paste-twilio-own_flow = At console.twilio.com, open “Phone Numbers → Manage → Active numbers” and choose the number. Paste the addresses as a whole at “Call status changes” and “A message comes in”, each with “Webhook” and “HTTP POST”. Leave “A call comes in” as it is: that answers your calls. Where it rings a phone, it must report to the first address, too (“statusCallback”), so that Ringback knows whether somebody answered.
guide-paste-telephony = Let your telephone system send its event to this address, signed with the secret as Standard Webhooks describe.
guide-paste-aircall = In Aircall’s dashboard, open “Integrations → Webhooks”, paste the address and choose the event “call.ended”. Then set the token that is shown there under Credentials.
guide-paste-vonage = At dashboard.vonage.com, open “Applications → your application → Voice” and paste the address at “Event URL” with “POST”. Leave the “Answer URL” as it is: that answers your calls.
guide-paste-exotel = In the flow at my.exotel.com, put the applet “Passthru” behind “Connect” and paste the first address there, asynchronous. Put the secret in place of {"{secret}"}.
guide-paste-plivo = At console.plivo.com, open “Voice → Applications → your application” and paste the address at “Hangup URL” with “POST”. Leave the “Answer URL” as it is: that answers your calls.
connect-optional = { $label } (optional)
connect-done = { $name } is connected
connect-refused = { $name } is saved, but refused
connect-unclear = { $name } is saved, but the provider did not answer
connect-once = These secrets are shown only once. Keep them, or enter them at the provider now.
connect-secret = Secret
connect-verify-token = Verify token
connect-open = Test the connection
lines-empty = No lines yet. A line is a number that customers call.
line-number = Number
line-hours = Hours
line-hours-own = its own
line-hours-tenant = those of the business
title-line = Line
title-new-line = New line
line-number-hint = That customers call
line-number-none = none
line-number-other = another number
line-number-typed = Another number
line-number-known = A connection has this number
line-reporter = Connection that its calls reach
line-reporter-hint = The number is added to the connection, too.
line-whatsapp = WhatsApp is sent by
line-sms = SMS is sent by
line-sms-number = Number that sends SMS
line-sms-usual = the usual one of the connection
line-sender-any = any connection that can
line-hours-hint = No day has hours, so those of the business apply.
line-create = Create the line
line-delete = Delete the line
line-delete-effect = Calls to its number are then followed up by automations that name no line. An automation that names only this line matches no call any more.
line-field-name = name
line-field-number = number
line-field-whatsapp = WhatsApp
line-field-sms = SMS
line-field-business_hours = hours
delete-named = Delete { $name }
keep = Keep
connection-settings = Name and numbers
connection-settings-calls = Name, numbers and where calls ring
connection-saved-calls = Saved. It works from the next call on, once the addresses above stand at Twilio.
connection-credentials = Credentials
connection-credentials-why = They are tested with the provider first: unless it accepts them, those before stay. Enter all of them. Credentials are never shown, and those before stop working within five minutes. To change a secret without a gap, rotate it instead.
connection-credentials-set = Set and test
connection-delete = Delete the connection
connection-delete-effect = Its reports are refused within five minutes, and its credentials are deleted. Nothing is sent through it any more. This cannot be undone.
rotation = Rotate the secret
rotation-why-ours = Ringback makes a new secret. The new one and the old one are both valid until you finish the rotation, so no call is lost.
rotation-why-theirs = Enter the new secret of the provider, which signs its reports. The new one and the old one are both valid until you finish the rotation, so no report is lost.
rotation-why-either = Enter the new secret of the Meta app: both are valid until you finish the rotation. Without a secret, you get a new verify token for the callback URL.
rotation-secret = New secret
rotation-begin = Rotate
rotation-since = The new secret and the older ones have been valid since { $since }. Finish when the provider uses the new one.
rotation-finish = Finish the rotation
rotation-finish-effect = Only the newest secret is valid from then on. Older ones stop working within five minutes.
rotation-finished = Only the new secret is valid now.
people-empty = Nobody belongs to the business yet.
people-members = Members
people-role = Role
people-deactivate = Deactivate
people-deactivate-confirm = Deactivate { $name }
people-deactivate-effect = { $name } loses access at once, on all devices. Open conversations go to others of their teams within two minutes. What they did stays under their name, and you can activate them again.
people-deactivate-self-effect = This is you. You lose access to this business at once, and another administrator has to activate you again.
people-deactivate-done = { $name } is deactivated.
people-activate = Activate again
people-activate-confirm = Activate { $name }
people-activate-effect = { $name } gets access again, with the same role and password as before.
people-activate-done = { $name } is active again.
people-invitations = Open invitations
people-invitations-none = No invitation is open.
people-name = Name of the person
people-language = Language of the invitation
people-invite = Invite
people-invited = We have sent an invitation to { $email }.
people-withdraw = Withdraw
people-withdrawn = The invitation is withdrawn.
role-viewer-may = reads everything
role-agent-may = writes to customers, too
role-manager-may = changes settings, too
role-admin-may = manages people and keys, too

## Settings of messages
title-closures = Holidays, quiet hours, countries
title-words = Details in messages, stop words
title-answers = Automatic answers
title-caps = Caps
settings-closures = When the business is closed, when customers are left in peace, and where messages go
settings-words = Values in messages, such as the address, and words by which customers stop messages
settings-answers = What is answered by itself: after hours, to HELP, to a stop word
settings-caps = How much may be sent and spent
remove = Remove
removed = Removed
conflict-why = Somebody else has saved changes meanwhile, so yours are not saved yet. Save keeps what the form shows now: your version of what you have changed, and theirs of the rest.
conflict-field = Changed by them
conflict-mine = Your version
conflict-theirs = Their version
conflict-kept = Save keeps this
tenant-field-holidays = holidays
tenant-field-quiet_hours = quiet hours
tenant-field-allowed_countries = countries
tenant-field-variables = values
tenant-field-stop_words = stop words
tenant-field-start_words = start words
tenant-field-answers = automatic answers
holidays = Holidays
holidays-none = No holidays are set.
holiday = Holiday { $n }
holiday-name = Name
holiday-from = First day
holiday-to = Last day
holiday-hours = Hours
holiday-add = Add a holiday
quiet-hours-why = Follow-ups wait until they end. An automation can have its own.
quiet-hours-none = none
countries = Countries
countries-allowed = Countries that may be written to
countries-hint = Names or codes with commas between them, such as UAE, India. Without any, all countries.
variables = Values in messages
variables-why = A text or template can show each of them, such as { $example }.
variable-new = New value: name
variable-new-hint = Such as address or website
variable-add = Add
stop_words = Stop words
start_words = Start words
words-more = Further words, separated by commas
stop_words-hint = STOP and the usual words in English and Arabic always work.
start_words-hint = START and the usual words in English and Arabic always work.
answers-why = Nobody gets more than four of them in 24 hours. Without a text of yours, the usual one is sent, in English or Arabic.
answer-after_hours = After hours
answer-after_hours-on = answer who writes while the business is closed
answer-help = Help
answer-help-on = answer HELP, INFO, مساعدة
answer-stop = Stop words
answer-stop-on = confirm that no more messages come
answer-start = Start words
answer-start-on = confirm that messages come again
answer-text = Text
answer-usual = The usual text
answer-every = To the same customer at most once in
caps-why = Beyond a cap, messages are not sent. Periods are those of UTC.
caps-empty = There are no caps.
cap = Cap
cap-used = Used
cap-change = Change
cap-change-title = Change the cap
cap-new = New cap
cap-set = The cap is set.
cap-removed = The cap is removed.
cap-remove = Remove the cap
cap-remove-effect = { $cap }, { $place }: { $used } of { $maximum } are used. Without it, only the other caps limit these messages, and what was counted is forgotten.
cap-title = { $purpose }{ $currency ->
    [none] {""}
   *[other] {", what they cost in"} { $currency }
  } in { $period ->
    [hour] an hour
    [month] a month
   *[day] a day
  }
cap-of = { $used } of { $maximum }
cap-of-plan = part of your plan, so it cannot be changed here
cap-resets = begins anew
cap-scope-tenant = the whole business
cap-scope-abroad = abroad: countries of none of your lines
cap-scope-country = one country
cap-line = the line { $name }
cap-purpose = Messages
cap-purpose-any = All but replies, automatic answers and codes
cap-purpose-follow_up = Follow-ups to calls
cap-purpose-api = Messages by hand or by other software
cap-purpose-reply = Replies
cap-purpose-auto_reply = Automatic answers
cap-purpose-campaign = Campaigns
cap-purpose-order = Orders
cap-purpose-payment = Payments
cap-purpose-one_time_code = One-time codes
cap-purpose-feedback = Feedback
cap-purpose-stop_confirmation = Confirmations of STOP
cap-place = Where
cap-period = In
cap-period-hour = an hour
cap-period-day = a day
cap-period-month = a month
cap-period-hint = A cap that exists gets the new maximum and goes on counting.
cap-counts = Counted are
cap-counts-number = messages
cap-counts-money = what they cost
cap-currency = Currency
cap-currency-hint = Counted is what price lists say. Only currencies of these can be chosen.
cap-maximum = Maximum
cap-maximum-hint = With 0, nothing of this is sent.
cap-lower = The cap is below what is used
cap-lower-effect = Used in this { $period ->
    [hour] hour
    [month] month
   *[day] day
  }: { $used }. The cap would be { $maximum }, so nothing more of this is sent until the { $period ->
    [hour] hour
    [month] month
   *[day] day
  } is over.
cap-lower-confirm = Set the cap to { $maximum }
cap-money-begins = Counted is what is sent from now on.
fault-no_prices = No price list has prices in this currency, so nothing can be counted in it. Choose another one.
fault-day = Choose a day.
connection-credentials-wrong_secret = The provider refuses these credentials, so those before stay. Correct them and try again. It says:
connection-credentials-invalid = The provider cannot be asked now whether it accepts these credentials, so those before stay. Try again later. The reason:
connection-credentials-anyway = Save anyway
connection-credentials-anyway-effect = These credentials replace those that the connection has, though the provider has not accepted them. Messages may then not be sent, and reports of calls be refused.
example-api_key_sid = SK0a1b2c3d4e5f60718293a4b5c6d7e8f9
home-deaf = Until it is mended, calls to its numbers do not reach Ringback, or not all of them.
connection-waiting = Only a call shows it
line-unheard = No connection has this number yet, so calls to it are ignored. Next, connect the telephone that they reach.
line-unheard-ask = Ask an administrator to add it to the connection.
line-unheard-short = Calls are ignored
line-reporter-takes = It takes calls to all numbers. If they reach another connection, choose that one, which gets the number, too.
in-english = In English:
webhook-what = { $what ->
   *[other] {""}
  }
blocked = What caps blocked
blocked-why = Once there is room again, what caps have blocked in the last days and is still valid can be sent.
blocked-retry = Retry what caps blocked
blocked-effect = { $n ->
    [one] One message is sent again now
   *[other] Up to { $n } messages are sent again now
  }{ $not ->
    [0] .
   *[other] ; { $not } stay blocked.
  }
blocked-cost = { $cost ->
    [none] What that costs is not known.
   *[other] That costs about { $cost }{ $unpriced ->
        [0] .
       *[other] , without { $unpriced } whose price is not known.
      }
  }
blocked-confirm = { $n ->
    [one] Send one message
   *[other] Send { $n } messages
  }
blocked-nothing = { $not ->
    [0] Nothing that can still be sent was blocked.
   *[other] Nothing can be sent again yet: { $not } stay blocked.
  }
blocked-progress = { $sent } sent again, { $not } not.
blocked-done = Nothing more was blocked.

## Lengths of time
duration-second = { $n } s
duration-minute = { $n } min
duration-hour = { $n } h
duration-day = { $n ->
    [one] { $n } day
   *[other] { $n } days
  }

## Facts inside sentences
fact-channel-whatsapp = WhatsApp
fact-channel-sms = SMS
fact-outcome-answered = answered call
fact-outcome-missed = missed call
fact-outcome-busy = call while busy
fact-outcome-abandoned = call that was hung up
fact-outcome-voicemail = voicemail
fact-outcome-after_hours = call after hours
fact-outcome-failed = failed call
fact-outcome-unknown = call of which nobody said whether it was answered
fact-period-hour = hour
fact-period-day = day
fact-period-month = month
fact-category-utility = service messages
fact-category-marketing = marketing
fact-category-authentication = one-time codes
fact-category-service = replies

## Problems
problem-id = Reference for support:
problem-offline = Ringback cannot be reached. Check your connection.
problem-bad_request = The request is malformed. Reload the page.
problem-ambiguous_credentials = The request has two kinds of credentials. Reload the page.
problem-no_tenant = The request names no business. Reload the page.
problem-unauthorized = You are not logged in. Log in again.
problem-forbidden = Your role may not do this. Ask an administrator.
problem-tenant_suspended = The business is suspended. Contact whoever operates Ringback for you.
problem-second_factor_needed = Set up a second factor, then log in with its code.
problem-not_found = This does not exist, or no longer.
problem-method_not_allowed = Ringback does not know this request. Reload the page.
problem-conflict = Somebody else saved a change at the same moment, so yours is not saved. Load the page again to see theirs, then make your change.
problem-limit_reached = There are as many of these as there can be. Delete one first.
problem-taken = Something else has this value already. Choose another.
problem-still_running = The same request is still running. Try again in a moment.
problem-already_done = This was done already.
problem-stale = Somebody else has saved a change since you opened this, so yours is not saved. Load the page again to see theirs, then make your change.
problem-too_large = This is too large. Send less.
problem-wrong_content_type = Ringback does not take this kind of content.
problem-invalid = Correct the marked fields.
problem-idempotency_key_reused = The request was changed while it was repeated. Send it again.
problem-too_many_requests = Too many requests. Wait a moment and try again.
problem-too_many_requests-retry = Too many requests. Ringback tries again by itself in a moment.
problem-internal = Something went wrong on our side. Try again. If it persists, report the reference.
problem-unavailable = Ringback is not available at the moment. Try again.
problem-wrong_credentials = The e-mail address or the password is wrong.
problem-second_factor_required = Enter the code of your authenticator app.
problem-wrong_code = The code is wrong, has expired or was used already. Use the next one.
problem-session_over = The session has ended. Log in again.
problem-second_factor_locked = Too many wrong codes. Reset your password by mail, then log in with a code.
problem-sign_up_closed = New businesses cannot sign up by themselves. Ask whoever operates Ringback to invite you.
problem-link_not_valid = The link was used, withdrawn or has expired. Request a new one.
problem-second_factor_off = The second factor is off. Set it up first.
problem-merged = This contact was merged into another one.
problem-refreshed_elsewhere = Another tab has refreshed the session. Try again.
problem-account_exists = This address has an account already. Log in instead.
problem-slug_taken = Another business has this name in addresses. Choose another.
problem-list_changed = The list has changed since you opened it. Load it again and put it in order.
problem-second_factor_on = A second factor is on already. Turn it off first.
problem-no_pending_factor = No second factor waits to be confirmed. Set one up first.
problem-is_contact = The address belongs to a contact. Record the refusal there.
problem-last_admin = The business would have no administrator left. Make somebody else administrator first.
problem-already_member = This person belongs to the business already.
problem-already_invited = This address is invited already. Send the invitation again or withdraw it.
problem-too_many_invitations = There are as many open invitations as there can be. Withdraw one first.
problem-too_many_users = The business has as many users as it can have. Deactivate one first.
problem-too_many_tenants = The account belongs to as many businesses as it can. Use another address.
problem-expired = The key has expired. Give it a later expiry first.
problem-still_rotating = The key has as many valid secrets as it can have. Wait until one ends.
problem-number_taken = This WhatsApp number is connected to another business. Disconnect it there first.
problem-number_connected = Another connection has this WhatsApp number. Use that one.
problem-secret_is_generated = Ringback makes the secret of this connection. Rotate it to get a new one.
problem-nothing_to_rotate = This connection has no secret of its own. Set credentials with one first.
problem-too_many_secrets = The connection has as many valid secrets as it can have. Finish the rotation first.
problem-not_rotating = No rotation is under way.
problem-segment_unusable = The segment refers to a tag, stage or field that was deleted or changed. Change its filter.
problem-campaign_started = The campaign was started, so it cannot be changed, started again or deleted.
problem-campaign_type = The campaign is of another type.
problem-already_enrolled = The contact is in the drip, or has been through it.
problem-campaign_state = The campaign is in another state. Load the page again.
problem-conversation_continued = The contact was merged into another one, and the conversation goes on there.
problem-conversation_moved = Somebody else has replied in the meantime. Look at the conversation, and send your reply again if it still fits.
problem-window_closed = Free text by WhatsApp is possible within 24 hours of the person’s last message. Send a template, or text by SMS.
problem-cap_reached = As many messages were sent as a cap allows. Send it later, or ask a manager to raise the cap.
problem-message_refused = The message would not be sent.
problem-not_cancellable = Nothing of the message is left to cancel.
problem-not_retryable = The message did not fail, so it is not sent again.
problem-tenant_leaving = The business is being deleted. Resume it to keep it.
problem-tenant_gone = The business is being deleted for good.
problem-not_uploaded = The file is not uploaded, or was deleted after a day. Upload it again.
problem-import_running = The import is running. Wait until it ends, or cancel it.
problem-import_done = The import is done. Create a new one.
problem-too_many_imports = As many imports are running as can. Wait until one ends.
problem-retention_running = The retention policy is being applied. Wait until this ends, or cancel it.
problem-recording_not_ready = The recording is not ready yet. Try again in a moment.
problem-recording_elsewhere = Only the telephone system has this recording. Listen to it there.
problem-media_not_ready = The file is still being fetched. Try again in a moment.
problem-asset_refused = The file is not what it was stated to be, or is harmful. Upload another one.
problem-no_whatsapp = No connection sends WhatsApp. Connect it, or set its credentials.
problem-template_in_use = Automations use the template. Change them first.
problem-template_submitting = The template is being submitted. Wait two minutes.
problem-template_not_editable = The provider allows no change of the template now.
problem-template_refused = The provider refuses the template. Correct it and submit it again.
problem-cursor_expired = What happened meanwhile is not kept any more. Reload the page.
problem-recording_gone = The recording does not exist any more.
problem-media_gone = The file is not to be had any more.
problem-unprocessable = The report of the telephone system cannot be read.
problem-provider_refused = The provider refuses the credentials of the connection. Set them again.
problem-provider_failed = The provider did not answer as expected. Try again later.

## Faults of fields
fault-required = This is required.
fault-unknown = There is no such field.
fault-given_twice = This is given twice.
fault-rings_itself = Calls would ring at this number again and again. Choose another one.
fault-wrong_type = This cannot be read as it is written.
fault-not_one_of = Choose one of the possible values.
fault-format = { $example ->
    [none] This cannot be read as it is written.
   *[other] This cannot be read as it is written. Write it as { $example }, for example.
  }
fault-hours = These are not read as hours. Write them as { $example }, for example.
fault-not_listed = Nothing in the list has this name. Choose one, such as { $example }.
fault-phone = This is not read as a telephone number. Write it as { $example }, for example, or with a plus and its country code.
fault-two_meanings = This can be read in two ways. Write { $one } or { $other }.
fault-too_short = { $minimum ->
    [one] Enter at least one character.
   *[other] Enter at least { $minimum } characters.
  }
fault-too_long = { $maximum ->
    [one] Enter at most one character.
   *[other] Enter at most { $maximum } characters.
  }
fault-control_characters = Enter one line without control characters.
fault-invisible_characters = This contains invisible characters. Type it again.
fault-out_of_range = { $minimum ->
    [none] This is outside the bounds.
   *[other] Enter a value from { $minimum } to { $maximum }.
  }
fault-too_many = These are too many: at most { $maximum }.
fault-too_few = These are too few: at least { $minimum }.
fault-too_large = This is too large.
fault-reserved = This name is reserved. Choose another.
fault-taken = Something else has this value already.
fault-not_found = This does not exist.
fault-not_connected = No connection has this number, so calls to it are ignored. Add it to the connection that they reach first.
fault-not_applicable = This does not apply here.
fault-fixed = This cannot change.
fault-excludes = This excludes another field.
fault-requires = This needs another field.
fault-wrong_order = The end is before the beginning.
fault-overlaps = Periods overlap.
fault-in_past = This time is in the past.
fault-in_future = This time is in the future.
fault-not_permitted = You may not give as much, or for as long.
fault-weak_password = This password is easy to guess. Take a few unrelated words.
fault-wrong_secret = This is not the right one.
fault-number = Write a number in digits, such as { $example }.
fault-not_whole = Write a whole number, such as { $example }.
fault-fraction = These are too many digits after the point. Write { $example }, for example.
fault-ambiguous = This can be read in two ways. Write { $whole } or { $fraction }.
fault-negative = Write 0 or more, without a minus sign.
fault-at_most = Write at most { $maximum }.
fault-other_currency = Amounts are in { $currency } here. Write { $example }, for example.
fault-invalid = This is not valid.
fault-example = { $said } For example: { $example }

## What is written in fields, by their names in the API
example-allowed_countries = AE, IN
example-basis = Order 1042 of 20 November
example-business = Saffron Bakery
example-country_code = 971
example-country = AE
example-credentials = 0a1b2c3d4e5f60718293a4b5c6d7e8f9
example-default = there
example-email = noor@example.com
example-name = Marina
example-phone = +971 4 555 0123
example-secret = 0a1b2c3d4e5f60718293a4b5c6d7e8f9
example-slug = saffron-bakery
example-sources = 203.0.113.7
example-start_words = resume
example-stop_words = enough
example-text = Sorry, we missed your call.
example-sms_text = Sorry, we missed your call.
example-time_zone = Asia/Dubai
example-variable = address
example-variables = 12 Marina Walk

## Reasons
reason-other = another reason
reason-follow_up = { $channel } { $send_at ->
    [none] { $delay_seconds ->
        [none] at once
       *[other] after { $delay_seconds }
      }
   *[other] at { $send_at } (quiet hours)
  }{ $next_channel ->
    [none] {""}
   *[other] , { $next_channel } if not delivered within { $fallback_after_seconds }
  }: { $outcome }, rule “{ $rule }”{ $whatsapp_problem ->
    [none] {""}
   *[other] ; without WhatsApp: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] ; without SMS: { $sms_problem }
  }
reason-planned = { $channel } { $send_at ->
    [none] { $delay_seconds ->
        [none] at once
       *[other] after { $delay_seconds }
      }
   *[other] at { $send_at } (quiet hours)
  }{ $next_channel ->
    [none] {""}
   *[other] , { $next_channel } if not delivered within { $fallback_after_seconds }
  }{ $whatsapp_problem ->
    [none] {""}
   *[other] ; without WhatsApp: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] ; without SMS: { $sms_problem }
  }
reason-suspended = the business is suspended
reason-outbound = the business called the customer
reason-withheld = the caller hid the number
reason-sip = the caller has no telephone number
reason-own_number = the call came from a number of the business itself
reason-unknown_outcome = the telephone system did not say whether the call was answered
reason-late = it was reported too late, or could only be sent too late
reason-destination = { $kind ->
    [country] the business does not write to numbers { $country ->
        [none] of no country
       *[other] in { $country }
      }
    [premium] this is a premium-rate number, which is never written to
    [shared_cost] this is a shared-cost number, which is never written to
    [satellite] this is a satellite number, which is never written to
   *[other] this is no valid telephone number
  }
reason-opted_out = { $category ->
    [none] the person refused messages on { $refused_at }
   *[other] the person refused { $category } on { $refused_at }
  }
reason-unnecessary = { $event ->
    [stop] the person has refused messages since
    [answered_call] the person has been reached by telephone since
    [inbound] the person has written since
    [human_reply] a colleague has replied since
    [by_phone] somebody has written on the business’s own phone since
    [author] it was cancelled by its author
    [exit] the campaign has ended for this person
    [template_change] the template has changed since
   *[other] something has happened since that makes it unnecessary
  }
reason-no_rule = no automation is for this call
reason-no_consent = { $needs ->
    [opt_in] the person has not agreed to messages
   *[other] nothing shows that this person wants a message
  }
reason-cooldown = last message { $last_at }, not again within { $cooldown_seconds }
reason-cap_reached = { $currency ->
    [none] a cap is reached: { $maximum } messages in this { $period }
   *[other] a cap of money in { $currency } is reached for this { $period }
  }. It resets { $resets_at }
reason-frequency = messages of this kind are not sent that often
reason-too_many_open = as many messages to this person are waiting as can wait
reason-quiet_hours = { $country ->
    [none] quiet hours from { $quiet_from } to { $quiet_to }
   *[other] no promotion by SMS to { $country } from { $quiet_from } to { $quiet_to }
reason-quiet_hours = quiet hours{ $quiet_from ->
    [none] {""}
   *[other] {" "}from { $quiet_from } to { $quiet_to }
  }
reason-template = the template or its values do not fit{ $whatsapp_problem ->
    [none] {""}
   *[other] : { $whatsapp_problem }
  }
reason-content = the content cannot be sent{ $whatsapp_problem ->
    [none] {""}
   *[other] : { $whatsapp_problem }
  }
reason-no_channel = no channel reaches the person{ $whatsapp_problem ->
    [none] {""}
   *[other] . WhatsApp: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] . SMS: { $sms_problem }
  }
reason-rule_archived = the automation is archived
reason-rule_inactive = the automation is turned off
reason-other_outcome = the automation is not for calls with this outcome
reason-other_direction = the automation is for outgoing calls, which never get a message
reason-other_line = the call was to none of the automation’s lines
reason-other_hours = the automation is for other hours
reason-other_caller = the automation is for other callers
reason-other_ring_time = the telephone rang for too short or too long a time
reason-other_talk_time = the call was too short or too long
reason-no_connection = no connection carries this channel
reason-not_reached = the channel did not reach this person a short time ago
reason-no_marketing = WhatsApp delivers no marketing to { $country }
reason-country_rule = SMS to { $country }: { $rule ->
    [senders] a message from such a sender may not arrive
    [replies] nobody can reply there, and the text asks for it
    [promotion_mark] the name of the sender must show that it is promotion
    [links] links are not allowed, or are masked
    [numbers] telephone numbers are not allowed in the text
    [registration] texts or numbers must be registered there first, and the connection says that they are
   *[other] a rule of the country is against it
  }{ $sureness ->
    [vendor] {""}
   *[other] {" "}(not verified)
  }
reason-no_number = no telephone number of the person is known
reason-landline = the number is a landline
reason-no_content = the automation has no content for this channel
reason-no_text = there is no text in any language
reason-no_template = there is no template “{ $template }” in this language
reason-template_not_approved = the template “{ $template }” is not approved
reason-template_doubted = the template “{ $template }” is being read from the provider again
reason-template_category = the template “{ $template }” is of another category than the message
reason-value_missing = the template “{ $template }” needs a value
reason-value_unexpected = the template “{ $template }” has no such variable
reason-template_broken = the stored template “{ $template }” is broken
reason-no_content_sid = the template “{ $template }” has no id at Twilio
reason-value_refused = WhatsApp refuses a value that is empty or has line breaks, tabs or many spaces
reason-text_too_long = the text is too long: at most { $maximum } characters
reason-text_empty = the text is empty
reason-value_unknown = { $source ->
    [none] a value is not known and has no default
   *[other] nothing is known for “{ $source }”, and it has no default
  }
reason-wrong_placeholder = a placeholder in the text is not valid
reason-asset_unusable = a file cannot be sent: it is missing, not ready or of another kind
reason-wrong_content = only text can be sent by SMS
reason-not_carried_by_twilio = WhatsApp through Twilio carries no such content
reason-too_large_for_twilio = the file is larger than Twilio passes on
reason-other_number = the message that is answered belongs to another WhatsApp number of the business
reason-asset_uploading = the file is being uploaded to WhatsApp
reason-wrong_file_kind = WhatsApp does not take a file of this kind here
reason-not_voice = the file is no voice message
reason-not_carried = the connection no longer carries this channel
reason-no_recipient = nobody is named to whom it could be sent
reason-earlier_reply = an earlier reply of the conversation goes first
reason-reply_again = it is a reply; reply again in the conversation
reason-conversation_moved = somebody else has replied in the meantime
reason-window_closed = the person has not written by WhatsApp in the last 24 hours
reason-paused = the number is paused until { $until_at }
reason-pair_rate = this person gets no more messages by WhatsApp until { $until_at }
reason-throughput = it waits its turn: the number sends as fast as it may
reason-connection_broken = the provider refuses the connection “{ $connection }”{ $since_at ->
    [none] {""}
   *[other] {" "}since { $since_at }
  }
reason-campaign_paused = it waits: its campaign is paused
reason-campaign_resumed = its campaign is no longer paused
reason-campaign_cancelled = its campaign was cancelled or deleted
reason-same_person = another contact of the same person gets the message
reason-contact_merged = the contact was merged into another, which gets the message if it may
reason-segment_unusable = the tag or a segment of the campaign, or the field of a segment, was deleted
reason-failure_rate = { $percent } % of its messages have failed
reason-low_quality = Meta has rated the quality of its template, or of its number, as low
reason-opt_out_rate = { $percent } % of the people have refused further messages after it
reason-provider_refused = the provider refused the message (code { $provider_code })
reason-not_accepted = the provider did not accept the message
reason-unconfirmed = the provider did not say whether it accepted the message
reason-contact_deleted = the contact was deleted
reason-recipient_removed = the number was taken off the contact
reason-replaced = newer messages to this person replace it
reason-not_failed = the message did not fail
reason-automatic_answer = automatic answers are not sent again
reason-nothing_left = nothing of the message is left to cancel
reason-awaits_reports = reports of the provider are still awaited
reason-decided_again = decided again, because the outcome was reported later
reason-recording = the caller left a recording of { $seconds }
reason-answered_after_all = it was reported later that the call was answered
reason-asked = the customer wrote “{ $word }”
reason-follow_up_cancelled = the rest of a follow-up is cancelled, because the customer wrote first
reason-answered_already = the same automatic answer was given a short time ago
reason-answered_often = this person got the most automatic answers of a day
reason-stored_shortened = the message is stored shortened
reason-sent_by_phone = sent on the business’s own phone
reason-no_country = the country of the business is not set
reason-no_language = no language is set
reason-no_own_number = the telephone number that messages name is not set
reason-no_hours = no opening hours are set
reason-never_open = the business is closed all week
reason-no_calls = no connection reports calls, so missed calls are not noticed
reason-line_problem = the line “{ $line }” has a problem: { $problem }
reason-no_webhook_secret = the connection “{ $connection }” has no credentials to verify reports
reason-test_failed = the last test of the connection “{ $connection }” failed
reason-test_unclear = the provider did not answer the last test of the connection “{ $connection }”
reason-not_tested = the connection “{ $connection }” has not been tested since its last change
reason-no_sender = no connection sends by { $channel }
reason-channel_unused = no active automation uses { $channel }
reason-no_templates = there is no template
reason-none_approved = no template is approved
reason-no_active_rule = no automation is turned on
reason-rule_invalid = the automation “{ $rule }” is not valid: { $problem }
reason-rule_obstacle = the automation “{ $rule }” cannot use a channel{ $whatsapp_problem ->
    [none] {""}
   *[other] . WhatsApp: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] . SMS: { $sms_problem }
  }
reason-line_without_sender = the line “{ $line }” has no sender of its own for { $channel }, so another connection sends
reason-always_quiet = quiet hours from { $quiet_from } to { $quiet_to } would skip nearly all messages
reason-hours_never = the business is never open, or never closed, so no call matches
reason-unreached = “{ $rule }” is tried before and takes all calls of this one
reason-drip_not_running = the drip has not begun or is paused, so callers get none of its messages
reason-looks_like_marketing = “{ $word }” sounds like an offer, so the template may be counted as marketing
reason-looks_like_code = “{ $word }” sounds like a one-time code, for which WhatsApp has a category of its own
