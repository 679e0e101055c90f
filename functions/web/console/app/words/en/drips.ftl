## Drips
drips = Drips
drip-why = A drip is several messages to one person after another, step by step.
drip-types = Kinds
drip-new = New drip
drip-running = Running
drip-version = Version { $n }
drip-start = Start
drip-start-named = Start { $name }
drip-start-effect = Whoever enters gets its messages from then on.

## Steps
drip-message = Message
drip-wait = Wait
drip-branch = Branch
drip-tag = Tag
drip-stage = Stage
drip-notify = Note
drip-exit = End
drip-kind = Next step
drip-add = Add it
drip-removed = { $name } is removed.
drip-no-steps = No steps yet.
drip-versions = Whoever is in it goes on with the steps they began with.
drip-choose = Choose
drip-next = next step
drip-if = If
drip-tag-remove = take it away
drip-owner = Nobody: the contact’s owner.
drip-until = Until
drip-until-passed = time has passed
drip-until-time_of_day = a time of day
drip-until-weekday = a day of the week

## Who enters
drip-triggers = Enter by themselves
drip-new_contact = new contacts
drip-tags = Whoever gets a tag
drip-triggers-more = Stages and dates
drip-stages = Whoever gets into a stage
drip-date = On a date
drip-recurrence = How often
drip-yearly = yearly
drip-once = once
drip-side = On which side
drip-before = before
drip-after = after
drip-audience = Enter when it begins
drip-nobody = nobody
drip-reentry = People can enter again
drip-exits = Leave early who
drip-on_reply = write
drip-on_call = talk on the telephone
drip-on_conversion = buy or book

## People
drip-enrol-some = Enrol a contact
drip-enrol = Enrol
drip-enrolled = { $name } is in it now.
drip-people-empty = Nobody on this page.
drip-none-open = No drip is running.
drip-active = In it
drip-completed = Through
drip-exited = Left
drip-now = Next
drip-steps-taken = Steps
drip-cap = Waits for room in a cap
drip-stop = Take out of the drip
drip-stop-effect = Messages that wait are not sent either.
drip-skipped = Nothing done
drip-fulfilled = Fulfilled
drip-other-steps = Former steps
