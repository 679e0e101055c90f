## Reports
report-by = Shown by
report-by-day = day
report-by-hour = hour
report-by-line = line
report-part-day = Day
report-part-hour = Hour
report-part-line = Line
report-nothing = Nothing in these days.
report-total = Total
report-all = All calls
report-stopped = Stopped
report-delivery = Messages after calls
report-planned = Planned
report-replies = Time until customers replied
report-within = Time
report-people = Replies
report-up-to = up to { $time }
report-median = At least half of the replies came within { $time }.
report-reasons = Why no message followed
report-reason = Reason
report-received = Messages of customers
report-opt-outs = Refusals of messages
report-conversions = Orders, visits and the like
report-line-none = no line
report-cost-in = Cost in { $currency }
report-channels = By channel, in { $currency }
report-channel = Channel
report-amount = Cost
report-reported = Reported
report-estimated = Estimated
report-free-all = Nothing is known to have cost anything.
report-estimates = Free of charge: { $n }. Estimates go by price lists; the provider’s invoice decides.
report-unpriced = Without a known price, by country
report-country = Country
report-country-none = unknown country
report-purpose = Purpose

## Who has changed what
audit-empty = Nothing was changed in these days.
audit-who = Who
audit-object = What
audit-fields = Fields
audit-before = before
audit-after = after
audit-hidden = changed; secrets are never shown
audit-operator = whoever operates Ringback
audit-created = Created
audit-changed = Changed
audit-removed = Removed
audit-read = Read
audit-kind = { $kind ->
    [api_key] key
    [asset] file
    [campaign] broadcast
    [canned_reply] canned reply
    [cap] cap
    [connection] connection
    [contact] contact
    [conversation] conversation
    [export] export
    [import] import
    [invitation] invitation
    [line] line
    [member] person
    [note] note
    [operation] task
    [product] product
    [rule] automation
    [segment] segment
    [tag] tag
    [team] team
    [template] template
    [tenant] business
    [webhook_endpoint] other software
   *[other] { $kind }
  }

## Long tasks
operations-empty = No tasks in the last 30 days. Imports, exports, checks of broadcasts and other long work appear here.

## How long calls and messages stay
retention-why = Afterwards they are deleted for good. Figures, consent and notes stay.
retention-calls_days = Days that calls stay
retention-messages_days = Days that messages stay
retention-hint = 30 to 3,650. Empty: 730
retention-shorten = Delete earlier than so far?
retention-shorten-effect = New calls are deleted after { $calls_days } days, new messages after { $messages_days } days, for good. What is stored already stays as it is until you apply this to it; the page then says what that deletes.
retention-shorten-confirm = Delete them earlier
retention-past = What is stored already
retention-past-why = A change above is for new calls and messages. Here you apply what is saved to all others.
retention-stored = Stored, at most
retention-expiring = Deleted by it, at most
retention-counts = Calls: { $calls }. Messages: { $messages }.
retention-takes = Costs and takes
retention-estimated = Some weeks were counted and stand for the others.
retention-application = { $state }, { $at }. Done: { $done }.
retention-apply = Apply it to what is stored
retention-apply-effect = Calls older than { $calls_days } days and messages older than { $messages_days } days disappear at once, for good. At most, calls: { $calls }, messages: { $messages }.
retention-apply-confirm = Delete what is older
