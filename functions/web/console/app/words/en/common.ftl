## Frame
title-log-in = Log in
title-sign-up = Sign up a business
title-verify-email = Confirm your e-mail address
title-forgot-password = Forgotten password
title-reset-password = New password
title-accept-invitation = Invitation
title-account = My account
title-notifications = Notifications
title-second-factor = Second factor
title-home = Home
title-calls = Calls
title-call = Call
title-messages = Messages
title-message = Message
title-new-message = New message
title-contacts = Contacts
title-contact = Contact
title-new-contact = New contact
title-contact-change = Change a contact
title-contact-consent = Consent
title-contact-proof = Proof of consent
title-contact-merge = Is this contact there twice?
title-imports = Import
title-new-import = Import contacts
title-import = Import of contacts
title-exports = Export
title-segments = Segments
title-segment = Segment
platform = Platform: all businesses
title-platform-tenants = Businesses
title-platform-new = New business
title-platform-tenant = Business
title-platform-prices = Prices
title-platform-requests = Numbers, links
title-platform-log = Log
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
live-live = Live
live-catching = Catching up…
live-delayed = Every few seconds
live-off = Not live
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
mail-again = Send the mail again
business-name = Name of the business
your-name = Your name

## Home
today-is = { $day }
home-needs = Needs you
home-today = Today
home-waiting = { $n ->
    [one] One customer waits
   *[other] { $n } customers wait
  }
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
home-prices = { $service ->
    [whatsapp] Prices of WhatsApp
    [twilio_whatsapp] Twilio’s fees for WhatsApp
    [twilio_sms] Twilio’s prices of SMS
   *[other] Some prices
  } were last checked on { $day }. Estimated costs may be wrong. Whoever operates Ringback for you can renew them.
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
set-up-business = Business
set-up-telephone = Telephone
set-up-messages = Messages
set-up-text = What to say
set-up-try = Try it
set-up-go-on = Continue setting up

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
column-state = State
column-name = Name
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
channel-whatsapp = WhatsApp
channel-sms = SMS
outlook-letters = From { $letters }. Nobody can reply to letters.
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
calls-empty = No calls in these days. Every call appears here with the message it got and the reason.
calls-answer = Answer
no-message = No message: { $reason }
decision = Decision
yes = yes
no = no
never = never
remarks = What happened since
open-contact = Open the contact

## Inbox
title-inbox = Inbox
title-conversation = Conversation
menu-more = More
inbox-empty = No open conversations. Whoever writes, or calls and reaches nobody, appears here.

## Messages
messages-empty = No messages in these days. Messages to customers and their replies appear here.
message-new = New message
message-send-at = Send at
content-kind-reaction = Reaction
phone-example = Such as { $national } or { $example }
phone-example-whole = Such as { $example }
phone-read = Read as
phone-unknown = Read as a number that is not known there. Check it:
phone-kind-mobile = mobile
phone-kind-landline = landline
phone-kind-toll_free = free of charge for callers
phone-kind-premium = premium rate
new-leave = Leave the page? What you wrote is lost.
new-tab = (opens in a new tab)

## Contacts
contacts-empty = No contacts yet. Everybody who calls or writes appears here.
contacts-search = Search
contacts-search-hint = Words of the name, or the number in any spelling, or at least its four last digits
contact-tags = Tags
contact-timeline-empty = Nothing has happened yet.

## Automations
title-orders = Orders
title-order = Order
title-order-messages = Messages about orders
title-order-settings = Late orders
title-automations = Automations
title-automation = Automation
title-new-automation = New automation
title-campaigns = Broadcasts
title-campaign = Broadcast
title-new-campaign = New broadcast
title-campaign-audience = Who gets a broadcast
title-campaign-message = Message of a broadcast
title-campaign-when = When a broadcast begins
title-campaign-check = Check of a broadcast
title-campaign-recipients = Recipients
title-reports = Reports
title-costs = Cost of messages
title-retention = How long calls and messages stay
title-operations = Long tasks
title-audit = Who has changed what
title-drip = Drip
title-drip-entry = Who enters
title-drip-steps = Steps of a drip
title-drip-people = People in a drip
title-try-automations = Try on a call
automations-empty = No automations. Without one, no call is followed by a message.
labelled = { $label }: { $text }
automation-line-deleted = a deleted line
automation-template-one = { $name }, { $language }{ $sendable ->
    [yes] {""}
    [gone] {" "}(not found)
   *[no] {" "}(not approved)
  }
automation-by-language = in the customer’s language, if there is such a version
automation-value = Value of { $name }
automation-value-header = Value in the header
automation-media-other = Another file
automation-value-button = Value of the button “{ $name }”
automation-default = Otherwise
text-in = { $label }, { $language }
text-preview = As a customer reads it
text-length = { $characters } characters, { $parts ->
    [one] one SMS
   *[other] billed as { $parts } SMS
  }
text-insert = Insert a value
text-insert-hint = Text after a line is used where the value is not known: { $example }
automation-header_media = File in the header
text-price = About { $cost } to a number of your country
text-price-unknown = What it costs to a number of your country is not known.
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
try = Try
text-unknown = { $value } is not known, so the text cannot be saved.{ $right ->
    [none] {" "}Take a value from “Insert a value”.
   *[other] {" "}Write { $right } instead.
  }
text-unnamed = { $language ->
    [ar] عميلنا العزيز
    [en] there
   *[other] {""}
  }

## Settings
title-settings = Settings
title-business = Business
title-connections = Connections
title-connection = Connection
title-new-connection = Connect a provider
title-lines = Lines
title-people = People
language-other = Another language
language-first = For people whose language is not known
connections-empty = No provider is connected. Connect a telephone system to notice missed calls, and WhatsApp or Twilio to answer them.
connection-state = State
lines-empty = No lines yet. A line is a number that customers call.
title-line = Line
title-new-line = New line
keep = Keep
people-empty = Nobody belongs to the business yet.
role-viewer-may = reads everything
role-agent-may = writes to customers, too
role-manager-may = changes settings, too
role-admin-may = manages people and keys, too

## Settings of messages
title-closures = Holidays, quiet hours, countries
title-words = Details in messages, stop words
title-answers = Automatic answers
title-caps = Caps
title-templates = Templates
title-template = Template
title-new-template = New template
title-template-library = Library of templates
title-assets = Files
title-asset = File
title-canned-replies = Canned replies
title-teams = Teams
title-api-keys = Keys for other software
title-webhooks = Other software
title-inbox-settings = Inbox
title-tags = Tags
title-stages = Stages of leads
title-fields = Fields of contacts
title-products = Products
title-suppressions = Numbers that get no messages
copy = Copy
copied = Copied
delete-named = Delete { $name }
conflict-why = Somebody else has saved changes meanwhile, so yours are not saved yet. Save keeps what the form shows now: your version of what you have changed, and theirs of the rest.
conflict-field = Changed by them
conflict-mine = Your version
conflict-theirs = Their version
conflict-kept = Save keeps this
quiet-hours-why = Follow-ups wait until they end. An automation can have its own.
quiet-hours-none = none
variables = Values in messages
caps-empty = There are no caps.
home-deaf = Until it is mended, calls to its numbers do not reach Ringback, or not all of them.
in-english = In English:
blocked = What caps blocked

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
problem-unauthorized = You are not logged in. Log in again.
problem-forbidden = Your role may not do this. Ask an administrator.
problem-not_found = This does not exist, or no longer.
problem-too_many_requests-retry = Too many requests. Ringback tries again by itself in a moment.
problem-internal = Something went wrong on our side. Try again. If it persists, report the reference.
problem-unavailable = Ringback is not available at the moment. Try again.
