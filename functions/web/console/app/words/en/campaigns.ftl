## Broadcasts
campaigns-empty = No broadcasts yet. A broadcast is one message to many people, each of whom gets it once.
campaign-state-draft = Draft
campaign-state-scheduled = Scheduled
campaign-state-running = Being sent
campaign-state-paused = Paused
campaign-state-finishing = Nearly done
campaign-state-completed = Sent
campaign-state-cancelled = Cancelled
campaign-people = People
campaign-new-why = Nothing is sent before you have seen who gets it and what it costs.
campaign-name-hint = Only your team sees the name.
campaign-create = Create and choose who gets it
campaign-steps = Steps
campaign-step-audience = Who
campaign-step-message = Message
campaign-step-when = When
campaign-step-check = Check
campaign-step-numbered = { $place }. { $step }
campaign-save-on = Save and go on: { $step }
campaign-open = Open it
campaign-started-already = It was started, so it cannot be changed any more.
campaign-go-on = Go on writing
campaign-delete = Delete it
campaign-delete-effect = It and its report are deleted. Messages that were sent stay in the list of messages.

## Who
campaign-who = Who gets it
campaign-who-hint = Only people who agreed to messages get it. The list is fixed when the broadcast begins.
campaign-audience-none = Choose a segment or a tag
campaign-audience-segment = Segment: { $name }
campaign-audience-tag = Tag: { $name }
campaign-audience-deleted = Deleted meanwhile
campaign-excluded_segments = Without these segments
campaign-excluded_tags = Without these tags
campaign-segment = Segment
campaign-tag = Tag
campaign-count = Count them
campaign-counted = { $n ->
    [one] One contact at the moment
   *[other] { $number } contacts at the moment
  }

## Message
campaign-category-marketing = an offer
campaign-category-utility = something the customers asked for
campaign-category-hint = Nobody gets two offers within 24 hours.
campaign-channels = By
campaign-category = It is about
campaign-sms_text = Text of the SMS
campaign-template = Template for WhatsApp
campaign-fallback_after_seconds = Second channel after
campaign-line = Line
campaign-variants = Variants
campaign-variants-why = Parts of the people can get another text. The report compares them.
campaign-variant = Variant
campaign-variant-first = First text
campaign-variant-name = Variant { $place }
campaign-variant-same = As in the first text
campaign-variant-add = Add a variant
campaign-variant-remove = Remove { $name }
campaign-percent = Percent of the people
campaign-hold_percent = Percent of the people who wait
campaign-hold-hint = They get the variant that you choose once you have read the report. Empty: nobody waits.

## When
campaign-begins = It begins
campaign-begins-once = as soon as it is started
campaign-begins-at = at a time
campaign-begins-local = at a time by the recipients’ clocks
campaign-starts_at = Day and time
campaign-starts_at_local = Day and time where the recipients are
campaign-starts-hint = In the time zone of the business, { $zone }.
campaign-local-hint = In the time zone of each number’s country.
campaign-send_window = Hours
campaign-window-hint = Messages wait for these hours in the recipient’s time zone, and for the end of quiet hours in any case.
campaign-window-none = at any hour
campaign-window-some = only within hours
campaign-per_minute = Messages a minute
campaign-pace-hint = Empty: as fast as the providers allow.

## Check
campaign-incomplete = Something is missing. Go back to the step that it belongs to.
campaign-checking = Counting… { $done } so far. Nothing is sent.
campaign-outdated = The broadcast was changed after this check. Check again.
campaign-old-check = This check is more than 15 minutes old. The start checks again first.
campaign-check-failed = The check failed, or the broadcast was changed meanwhile. Check again.
campaign-check-again = Check again
campaign-outcome = What would become of everybody
campaign-chosen = Chosen
campaign-held = Without a message: { $reason }
campaign-would-get = Would get the message
campaign-channel-problem = { $channel }: { $reason } ({ $people })
campaign-deferred = { $n ->
    [one] One message would wait for the end of quiet hours, or for the hours that you set.
   *[other] { $n } messages would wait for the end of quiet hours, or for the hours that you set.
  }
campaign-ends = The last message could leave at { $at }.
campaign-file = Open the list of everybody
campaign-cost = Cost
campaign-country = Country
campaign-country-others = Other countries
campaign-units = Messages
campaign-price = { $category ->
    [marketing] offer
    [marketing_lite] offer
    [utility] service
    [service] conversation
   *[other] other
  }
campaign-no-price = no price is known
campaign-cost-all = Together about { $amount }
campaign-cost-least = Together at least { $amount }
campaign-old-prices = The price list was last checked on { $day }, so the cost may be wrong.
campaign-would-stop = It would pause as soon as it begins: { $reason }
campaign-remedy = Put it right
campaign-cap = { $period ->
    [hour] The cap of { $maximum } an hour has no room for all: { $counted } are used
    [day] The cap of { $maximum } a day has no room for all: { $counted } are used
   *[other] The cap of { $maximum } a month has no room for all: { $counted } are used
  }{ $needed ->
    [none] .
   *[other] , and { $needed } are needed.
  } The broadcast pauses when it reaches it.
campaign-share = Meta: { $customers } customers of { $most } whom you may write to first within 24 hours. A broadcast takes up to { $share } and goes on the next day.
campaign-rule = { $refused ->
    [yes] { $reason }. It concerns { $people }, whose SMS fail.
   *[other] { $reason }. It concerns { $people }.
  }
campaign-samples = As people would read it
campaign-test = See it on a telephone
campaign-test-why = It is a real message: its recipient must have agreed to messages, and gets no other offer within 24 hours.
campaign-test-phone = Number
campaign-test-send = Send a test
campaign-test-sent = Sent.
campaign-test-open = See what became of it
campaign-send = { $n ->
    [one] Send to one person
   *[other] Send to { $people } people
  }{ $cost ->
    [none] {""}
   *[other] { $least ->
        [yes] {" "}for at least { $cost }
       *[other] {" "}for { $cost }
      }
  }
campaign-counted-again = Too much time has passed, or something was changed: it is counted again. Look at the numbers before you start.
campaign-nobody = Nobody would get the message.
campaign-overtaken = Nothing was started here: the broadcast was changed or started in another tab or by a colleague.

## Progress
campaign-starts = Begins { $at }
campaign-starts-local = Begins by the recipients’ clocks
campaign-recipients = { $n ->
    [one] One person is on its list.
   *[other] { $number } people are on its list.
  }
campaign-difference = { $direction ->
    [more] { $n ->
        [one] One person has joined since the check, which counted { $counted }.
       *[other] { $n } people have joined since the check, which counted { $counted }.
      }
   *[other] { $n ->
        [one] One person has left since the check, which counted { $counted }.
       *[other] { $n } people have left since the check, which counted { $counted }.
      }
  }
campaign-progress = { $done } of { $total } are decided, { $errors } of them without a message.
campaign-progress-label = Progress
campaign-limited = The day’s share of new conversations on WhatsApp is used up. It goes on { $until }.
campaign-stopped = It paused itself: { $reason }
campaign-pause = Pause
campaign-resume = Resume
campaign-cancel = Cancel
campaign-cancel-effect = Nobody gets anything more from it. It cannot be resumed.
campaign-cancel-named = Cancel { $name }
campaign-winner = Choose for those who wait
campaign-winner-why = Make the report, compare the variants, and choose the one that the others get.
campaign-choose = Send { $name } to the others
campaign-choose-effect = Everybody who waits gets this variant. It cannot be changed afterwards.
campaign-chosen-variant = Those who waited get: { $name }

## Report
campaign-report = Report
campaign-report-make = Make the report
campaign-report-again = Make it again
campaign-report-at = As of { $at }
campaign-report-recipients = Recipients
campaign-report-delivered = Delivered
campaign-report-read = Read
campaign-report-failed = Failed
campaign-report-left_out = Without a message
campaign-report-replied = Wrote back
campaign-report-clicked = Followed a link
campaign-report-opted_out = Want no more messages
campaign-report-reasons = Why not
campaign-report-cost = Cost: { $reported } as providers reported, { $estimated } by price lists
campaign-report-unpriced = { $n ->
    [one] No price is known of one message.
   *[other] No price is known of { $n } messages.
  }
campaign-export = Export the recipients
campaign-export-open = Open the file
campaign-why = Reason
campaign-recipient-waiting = Waiting
campaign-recipient-left_out = Without a message
campaign-recipient-not_retained = Deleted since
campaign-recipients-empty = Nobody on this page. There may be more on the next.
