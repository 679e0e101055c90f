## Resources
record-create = Create
record-name = Name
record-description = Purpose (optional)
record-filter = Conditions
record-text = Text
record-members = Members
record-mode = Who gets a new conversation
record-max_open = At most so many open conversations for one person
record-lines = Lines
record-languages = Languages of the customers
record-tags = Tags of the customers
record-role = Role
record-scopes = What it may do
record-expires_at = Last day (optional)
record-url = Address
record-events = What it hears of
record-content = Also say who it was and what was written
record-header = Header
record-color = Color
record-position = Place
record-kind = What it means
record-key = Short name
record-type = What it holds
record-options = Choices
record-searchable = Find contacts by it
record-sku = Article number
record-price = Price
record-availability = Availability
record-page = Its page
record-image = Picture
record-fields = Further values
record-variants = Variants
record-callback = Key for calling back

## Canned replies
canned-replies-empty = No canned replies yet. One that is often needed is put into a conversation by “/” and its name.
canned-replies-new = New canned reply
canned-replies-name-hint = Your team finds it by this name after “/”.
canned-replies-delete = Delete the canned reply
canned-replies-delete-effect = Nobody can put it in any more. What was written with it stays.

## Teams
teams-empty = No teams yet. A team gets the conversations of its lines, languages and tags.
teams-new = New team
teams-size = { $n ->
    [0] no members
    [one] one member
   *[other] { $n } members
  }
teams-mode-by_hand = whoever takes it
teams-mode-in_turn = each available member in turn
teams-mode-fewest_open = the available member with the fewest open ones
teams-mode-hint = Whether a member is available, they say in the menu of their account.
teams-max-hint = Whoever has so many gets no more. Empty: any number.
teams-which = The team gets conversations that nobody attends to when the customer writes or calls: all of them, or only those with a line, a language and a tag that you choose here.
teams-delete = Delete the team
teams-delete-effect = Its conversations stay with whoever attends to them. Those of nobody get another team when the customer writes or calls again.

## Keys
key-one = Key
api-keys-empty = No keys yet. With a key, other software, such as a till, acts for the business.
api-keys-new = New key
api-keys-delete = Delete the key
api-keys-delete-effect = Software that uses it is refused at once. This cannot be undone.
key-name-hint = Such as the name of the software that uses it
key-expires-hint = Empty: it works until it is deleted.
key-all = All that its role may
key-only = Only what is chosen
key-narrowed = not all of it
key-used = Last used
key-used-on = used on { $day }
key-unused = never used
key-expired = Expired
key-once = The key is shown only once. Enter it in the software now, which sends it in the header { $header }.
key-leave = Leave the page? The new key is not copied, and is not shown again.
key-use = Use
key-begins = Begins with
key-until = works until { $at }
key-created = Created
key-rotate = Replace the key
key-rotate-why = You get a new key. The old one works on for a while, so that nothing stops while the software gets the new one.
key-rotate-do = Make a new key
key-rotate-effect = All keys of { $name } so far are refused at once, and the software stops until it has the new one.
key-rotate-lost = The new key above is not copied, and is not shown again.
key-overlap = The old one works for
key-overlap-none = no longer: it ends at once
key-right = { $right ->
    [read] see
    [write] change
    [send] send
    [erase] erase for good
    [bulk] change many at once
    [scan] say that a file is harmful
   *[other] { $right }
  }
key-subject = { $subject ->
    [tenant] The business and its settings
    [users] People
    [api_keys] Keys
    [webhooks] Addresses of other software
    [connections] Connections
    [lines] Lines
    [automations] Automations
    [contacts] Contacts
    [calls] Calls
    [recordings] Recordings of calls
    [messages] Messages
    [media] Pictures and files of customers
    [conversations] Inbox
    [live] What changes, at once
    [canned_replies] Canned replies
    [teams] Teams
    [imports] Imports of contacts
    [exports] Exports
    [products] Products
    [orders] Orders
    [assets] Files of the business
    [templates] Templates
    [fields] Fields of contacts
    [tags] Tags
    [stages] Stages of leads
    [segments] Groups of contacts
    [campaigns] Campaigns
    [suppressions] Numbers that get no messages
    [caps] Caps
    [operations] Long tasks
    [metrics] Figures
    [usage] Cost of messages
    [audit] Who has changed what
   *[other] { $subject }
  }

## Settings of the inbox
attend-notify_after_minutes = Minutes until people get a mail about a message that nobody has read
attend-notify_after_minutes-hint = 0: nobody gets one.
attend-hand_over_after_minutes = Minutes until waiting conversations of somebody who is away go to others
attend-hand_over_after_minutes-hint = They go to others of their teams, or to nobody. Empty: only if the person says so.
attend-close_after_days = Days without anything new until a conversation is closed
attend-close_after_days-hint = Empty: never.
attend-close_unanswered = Also close those in which the customer waits for an answer
backfill = Conversations from before
backfill-why = Calls and messages from before you had the inbox become conversations. Those in which a customer of the last week waits are open, the others closed. What is in the inbox stays as it is.
backfill-begin = Make conversations
backfill-runs = { $total ->
    [none] { $done } contacts have been looked at.
   *[other] { $done } of { $total } contacts have been looked at.
  }
backfill-done = Done at { $at }: { $done } contacts were looked at.
backfill-failed = It stopped at { $at } after { $done } contacts. Start it again: what is there stays.
backfill-cancelled = It was cancelled at { $at } after { $done } contacts.
