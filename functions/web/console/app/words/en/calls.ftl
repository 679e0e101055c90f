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
