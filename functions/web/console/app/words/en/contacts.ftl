## Lists
contacts-show = Show
contacts-show-duplicates = Those that may be twice
contacts-show-deleted = Deleted contacts
contacts-owner-alone = Choose a stage or a tag, too, or search for a name. Then you see those that this person looks after.
contact-deleted = Deleted
contact-restore = Restore

## Contact
contact-create = Create the contact
contact-several = The one to use first comes first. Several have commas between them
contact-taken = Find the contact that has { $what } already
contact-lead = Lead
contact-kind = Show
contact-kind-call = Calls
contact-kind-message = Messages
contact-kind-note = Notes
contact-kind-consent = Consent
contact-kind-conversion = Successes
contact-kind-merge = Merges
contact-gone = Perhaps this contact was deleted. It can be restored for 30 days.
contact-note-add = Add the note
contact-note-hint = Only your team sees notes. @ and a name mentions a colleague
success-add = Record a success
success-add-why = An order, a booking or the like. It is counted today, and cannot be changed.
success-what = What it is
success-value = Value
success-currency = Currency
success-reference = Your reference
contact-data = All data of this contact
contact-archive = Make the file
contact-archive-why = All that is known of the person in one file, for whoever asks for it.
contact-archive-open = Open the file
contact-delete = Delete the contact
contact-delete-effect = No list shows it any more. For 30 days it can be restored, and it is back if the person calls or writes. Then it is erased.
contact-erase = Erase for good
contact-erase-effect = The contact with its calls, messages and notes is gone within an hour, and nobody can restore it. What the person refused stays refused.
contact-erase-type = To erase it, type:
erasure-runs = The contact is being erased. Within an hour, everything of it is gone.
erasure-done = The contact is erased, with everything of it.
erasure-failed = The erasure did not end. Erase the contact again; it is among the deleted contacts.

## Consent
consent-holds = What holds now
consent-holds-why = No message goes out that one of these refuses.
consent-none = Nothing was refused or agreed to.
consent-ledger = How it came about
consent-said = { $choice ->
    [refused] Refused
    [granted] Agreed
   *[lifted] Refusal ended
  }: { $category ->
    [marketing] marketing
    [utility] service messages
   *[all] all messages
  }{ $channel ->
    [whatsapp] {" "}by WhatsApp
    [sms] {" "}by SMS
   *[all] {""}
  }
consent-by = ({ $party ->
    [business] the business’s decision
   *[customer] the customer’s wish
  }, { $method ->
    [keyword] written by the customer
    [preference_page] chosen on the customer’s page
    [provider] reported by the provider
    [import] imported
   *[api] recorded
  })
consent-record = Record a wish
consent-choice = What was said
consent-choice-granted = Agreed to messages
consent-choice-refused = Wants no messages
consent-choice-lifted = No longer refuses
consent-category = About
consent-all = all
consent-party = Whose wish it is
consent-party-customer = the customer’s
consent-party-business = our own decision
consent-party-hint = Only the same side can end a refusal.
consent-wording = Text that the person saw
consent-wording-hint = Who agrees has seen this text, or there is other evidence below.
consent-wording-shown = Text shown, version { $version }:
consent-version = Version of the text
consent-version-hint = So that you find it again, such as 2026-11
consent-evidence = Evidence
consent-evidence-hint = Such as “Form 1207, signed in the shop”
consent-link = Link for the customer
consent-link-why = On its page the customer chooses messages, without logging in. Give it to nobody else.
consent-link-make = Make a link
consent-link-until = Valid until { $at }.
proof-print = Print or save as PDF
proof-business = Business
proof-made = Made
proof-cut = Older entries are left out.
example-version = 2026-11

## Merge
merge-probable = Probably the same person
merge-none = No contact looks like the same person.
merge-other = Another contact
duplicate-same_person = reported as the same person
duplicate-phone = the same number
duplicate-email = the same e-mail address
duplicate-name_and_digits = the same name, and a similar number
merge-compare = Compare
merge-preview = Before you merge
merge-column-this = This contact
merge-column-other = The other one
merge-column-both = Afterwards
merge-decision-survivor = Both have one: this contact’s stays
merge-decision-left_out = No room for all: some are left out
merge-decision-stricter = What either of them refused stays refused.
merge-do = Merge
merge-turn = Keep the other one instead
merge-effect = From then on both are one contact, with all calls, messages and notes. For 24 hours the timeline can undo it.
merge-undo = Undo the merge
merge-undo-effect = Both contacts are as they were before. What happened since stays with this one. Possible until { $until }.
merge-undone = The merge was undone.
