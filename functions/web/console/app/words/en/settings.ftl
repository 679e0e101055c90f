## Set-up
settings-set-up = From the first connection to the first answered call, in five pages
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
set-up-text-first = { $way ->
    [number] { $name }: sorry, we missed your call. We will call you back. For no more messages, text { $number }.
    [elsewhere] { $name }: sorry, we missed your call. We will call you back. For no more messages, tell us by WhatsApp or a call.
   *[other] { $name }: sorry, we missed your call. How can we help? Reply STOP for no more messages.
  }
set-up-text-create = Turn on
set-up-text-unnamed = there
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

## Automations
people-away = Deactivated: { $n }
people-away-why = They have no access. What they did keeps their names, so nobody is deleted.
people-until = valid until { $at }
people-new = Invite somebody

## Settings
settings-connections = WhatsApp, SMS and telephone systems, and whether they work
settings-lines = The numbers that customers call
settings-people = Who belongs to the business, and with which role
settings-business = Name, country, time zone and opening hours
business-zone = Time zone
business-country = Country
business-country-hint = Numbers without a country code are read as of this country.
business-languages = Languages of your customers
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
connection-kind-whatsapp = WhatsApp
connection-kind-twilio = Twilio
connection-kind-telephony = Another telephone system
connection-kind-aircall = Aircall
connection-kind-vonage = Vonage
connection-kind-exotel = Exotel
connection-kind-plivo = Plivo
connection-kind-shopify = Shopify
connection-kind-woocommerce = WooCommerce
connection-kind = Provider
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
connection-marketing = Meta’s terms for marketing messages
marketing-terms-accepted = accepted: marketing templates are sent as marketing messages
marketing-terms-not_accepted = not accepted: accept them in WhatsApp Manager, then test again. Others write that marketing ends without them on 13 October 2027 (not verified).
marketing-terms-ineligible = Meta does not admit this account
connection-paused = Paused until
connection-urls = Addresses to paste at the provider
connection-urls-why = Enter them in the provider’s console exactly as they are.
connect = Connect
connect-name = Name, as your team will see it
connect-account_sid = Account SID
connect-auth_id = Auth id
connect-shop = Domain of the shop at Shopify (… .myshopify.com)
connect-store = Address of the store
connect-signing_key = Signing key of the webhooks
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
guide-find-shopify = At admin.shopify.com, “Settings → Domains” shows the domain that ends with .myshopify.com. The signing key stands below the webhooks under “Settings → Notifications → Webhooks”; if it is not there yet, create the connection first.
guide-find-woocommerce = In WordPress, “Settings → General” shows the address under “Site Address”. Ringback makes the secret.
guide-paste-whatsapp = At developers.facebook.com, open your app, then “WhatsApp → Configuration → Edit”. Paste “Callback URL” and “Verify token”, and subscribe to the field “messages”.
guide-paste-twilio = At console.twilio.com, open “Phone Numbers → Manage → Active numbers” and choose the number. Paste the addresses as a whole at “A call comes in”, “Call status changes” and “A message comes in”, each with “Webhook” and “HTTP POST”.
guide-paste-twilio-own_flow = At console.twilio.com, open “Phone Numbers → Manage → Active numbers” and choose the number. Paste the addresses as a whole at “Call status changes” and “A message comes in”, each with “Webhook” and “HTTP POST”. Leave “A call comes in” as it is: that answers your calls. Where it rings a phone, it must report to the first address, too (“statusCallback”), so that Ringback knows whether somebody answered.
guide-paste-telephony = Let your telephone system send its event to this address, signed with the secret as Standard Webhooks describe.
guide-paste-aircall = In Aircall’s dashboard, open “Integrations → Webhooks”, paste the address and choose the event “call.ended”. Then set the token that is shown there under Credentials.
guide-paste-vonage = At dashboard.vonage.com, open “Applications → your application → Voice” and paste the address at “Event URL” with “POST”. Leave the “Answer URL” as it is: that answers your calls.
guide-paste-exotel = In the flow at my.exotel.com, put the applet “Passthru” behind “Connect” and paste the first address there, asynchronous. Put the secret in place of {"{secret}"}.
guide-paste-plivo = At console.plivo.com, open “Voice → Applications → your application” and paste the address at “Hangup URL” with “POST”. Leave the “Answer URL” as it is: that answers your calls.
guide-paste-shopify = At admin.shopify.com, open “Settings → Notifications → Webhooks” and create a webhook with this address and the format “JSON” for each of these events: order creation, order payment, order fulfillment, order cancellation, order update, fulfillment creation, fulfillment update. Then set the signing key that is shown below them under Credentials.
guide-paste-woocommerce = In WordPress, open “WooCommerce → Settings → Advanced → Webhooks” and add a webhook with this address as “Delivery URL”, the secret as “Secret”, and the status “Active” for each of these topics: “Order created”, “Order updated”, “Order deleted”, “Order restored”.
connect-optional = { $label } (optional)
connect-done = { $name } is connected
connect-refused = { $name } is saved, but refused
connect-unclear = { $name } is saved, but the provider did not answer
connect-once = These secrets are shown only once. Keep them, or enter them at the provider now.
connect-secret = Secret
connect-verify-token = Verify token
connect-open = Test the connection
line-number = Number
line-hours = Hours
line-hours-own = its own
line-hours-tenant = those of the business
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
people-members = Members
people-role = Role
people-deactivated = Deactivated
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
letters = Letters as the sender
letters-why = What people read instead of a number, such as your name. Nobody can reply to them, so texts must name another way than STOP. In some countries only letters arrive that Twilio has registered.
letters-country = Country
letters-sender = Letters
letters-promotion = Letters of promotion
letters-registered = Registered at Twilio
letters-unregistered = not registered
letters-add = Add letters
rules-confirmed = Rules of countries that do not hold
rules-confirmed-rule = { $rule ->
    [senders] who may send
    [replies] nobody can reply
    [promotion_mark] the mark of promotion
    [promotion_hours] hours of promotion
    [promotion] no promotion
    [links] links
    [numbers] telephone numbers in the text
    [registration] registration
   *[other] { $rule }
  }

## Settings of messages
settings-closures = When the business is closed, when customers are left in peace, and where messages go
settings-words = Values in messages, such as the address, and words by which customers stop messages
settings-answers = What is answered by itself: after hours, to HELP, to a stop word
settings-order-messages = What customers hear when an order was placed, is late, was packed, shipped, delivered or cancelled
settings-order-settings = How long a paid order may wait to be shipped
settings-caps = How much may be sent and spent
settings-retention = When calls and messages are deleted
settings-operations = Imports, exports and other long work: how far it is, and its result
settings-audit = Changes of the last 400 days, with the fields before and after
remove = Remove
removed = Removed
tenant-field-holidays = holidays
tenant-field-quiet_hours = quiet hours
tenant-field-allowed_countries = countries
tenant-field-variables = values
tenant-field-stop_words = stop words
tenant-field-start_words = start words
tenant-field-retention = days of calls and messages
tenant-field-answers = automatic answers
holidays = Holidays
holidays-none = No holidays are set.
holiday = Holiday { $n }
holiday-name = Name
holiday-from = First day
holiday-to = Last day
holiday-hours = Hours
holiday-add = Add a holiday
countries = Countries
countries-allowed = Countries that may be written to
countries-hint = Names or codes with commas between them, such as UAE, India. Without any, all countries.
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
   *[other] , what they cost in { $currency }
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
country-hint = Two letters, such as AE
cap-money-begins = Counted is what is sent from now on.
connection-credentials-wrong_secret = The provider refuses these credentials, so those before stay. Correct them and try again. It says:
connection-credentials-invalid = The provider cannot be asked now whether it accepts these credentials, so those before stay. Try again later. The reason:
connection-credentials-anyway = Save anyway
connection-credentials-anyway-effect = These credentials replace those that the connection has, though the provider has not accepted them. Messages may then not be sent, and reports of calls be refused.
connection-waiting = Only a call shows it
line-unheard = No connection has this number yet, so calls to it are ignored. Next, connect the telephone that they reach.
line-unheard-ask = Ask an administrator to add it to the connection.
line-unheard-short = Calls are ignored
line-reporter-takes = It takes calls to all numbers. If they reach another connection, choose that one, which gets the number, too.
webhook-what = { $what ->
   *[other] {""}
  }
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
blocked-keep = Send nothing
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
settings-templates = What WhatsApp lets the business write first, and its reviews
settings-assets = Pictures, videos and documents for messages and templates
settings-segments = Saved choices of contacts, and changes of all of them
settings-canned-replies = Replies that your team puts in by a few keys
settings-teams = Who belongs together, and who gets new conversations
settings-inbox-settings = When people are told, and when conversations are handed over or closed
settings-api-keys = What other software may do for the business
settings-webhooks = Which programs hear at once what happens, such as a shop or n8n
settings-tags = What contacts and conversations are marked with
settings-stages = How far somebody has come who may buy
settings-fields = What else you want to know of customers
settings-products = What messages can name, with price and picture
settings-suppressions = People who are no contacts and refuse messages
tenant-field-orders = late orders
tenant-field-inbox = inbox
