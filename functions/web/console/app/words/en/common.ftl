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
mail-sent-again = If this address has not had 5 mails this hour or 10 today, another one is on its way. Use the newest that arrives.
business-name = Name of the business
your-name = Your name

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
new-channel = By
new-category = It is about
new-would = It would be sent: { $reason }
new-would-not = It would not be sent: { $reason }
new-leave = Leave the page? What you wrote is lost.
new-tab = (opens in a new tab)

## Contacts
contacts-empty = No contacts yet. Everybody who calls or writes appears here.
contacts-search = Search
contacts-search-hint = Words of the name, or the number in any spelling, or at least its four last digits
contact-tags = Tags
contact-timeline-empty = Nothing has happened yet.

## Automations
title-automations = Automations
title-automation = Automation
title-new-automation = New automation
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
automation-sms = Text of the SMS
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
example-currency = USD
example-default = there
example-email = noor@example.com
example-name = Marina
example-phone = +971 4 555 0123
example-promotion = AD-SAFFRON
example-secret = 0a1b2c3d4e5f60718293a4b5c6d7e8f9
example-sender = SAFFRON
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
    [none] quiet hours{ $quiet_from ->
        [none] {""}
       *[other] {" "}from { $quiet_from } to { $quiet_to }
      }
   *[other] no promotion by SMS to { $country } from { $quiet_from } to { $quiet_to }
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
    [promotion] promotion by SMS is not allowed
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
