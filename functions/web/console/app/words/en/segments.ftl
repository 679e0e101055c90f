## Segments
segments-empty = No segments yet. A segment is a saved choice of contacts, for broadcasts and for changes of many at once.
segments-new = New segment
segments-all = All contacts
segments-all-why = Without a condition, all contacts belong to it. An owner, a source or a language needs a tag, a stage or a field beside it.
segments-used = These go to it, or leave it out. Without it they cannot start:
segments-delete = Delete the segment
segments-delete-effect = The contacts stay. Broadcasts that use the segment cannot start until another one is chosen.
choose = Choose
condition-tag = Tag
condition-stage = Stage
condition-field = Field
condition-owner = Owner
condition-source = Source
condition-language = Language
condition-value = Value
condition-from = From
condition-to = To
condition-day = Or: day of any year
condition-day-hint = Month and day, such as 11-20
condition-add = Add a condition
condition-remove = Remove
condition-remove-named = Remove: { $name }
condition-deleted = Deleted meanwhile
example-day = 11-20

## Changes of many contacts
bulk = Change all its contacts
bulk-what = Change
bulk-add_tags = Add a tag
bulk-remove_tags = Remove a tag
bulk-stage = Set the stage
bulk-owner = Set the owner
bulk-language = Set the language
bulk-field = Set a field
bulk-delete = Delete the contacts
bulk-none = None
bulk-go = Count them and go on
bulk-effect = The change is made to every contact of { $name }, one after the other. It cannot be taken back at once.
bulk-delete-effect = Every contact of { $name } is deleted. They can be restored one by one for 30 days.
bulk-confirm = { $n ->
    [one] Do it for one contact
   *[other] Do it for { $number } contacts
  }
bulk-result-changed = Changed:
bulk-result-unchanged = Had it already:
bulk-result-failed = Could not be changed:
