operation-state = State
operation-state-queued = Waiting
operation-state-running = Running
operation-state-cancelling = Being stopped
operation-state-done = Done
operation-state-failed = Failed
operation-state-cancelled = Stopped
operation-progress = Progress
operation-done = { $total ->
    [none] { $done } done. You can leave the page: it goes on.
   *[other] { $done } of { $total } done. You can leave the page: it goes on.
  }
operation-cancelling = It is being stopped. What is done stays done.
operation-cancel = Stop
operation-failed = It failed. What was done before stays done.
operation-cancelled = It was stopped. What was done before stays done.
operation-what = Task
operation-errors = not done
operation-result = Result
operation-kind = { $kind ->
    [apply_retention] Delete old calls and messages
    [backfill_conversations] Conversations from before
    [archive_contact] All data of a contact
    [change_contacts] Change many contacts
    [count_segment] Count a segment
    [erase_contact] Erase a contact
    [import_contacts] Import contacts
    [export_data] Export
    [preflight_campaign] Check a broadcast
    [report_campaign] Report of a broadcast
    [run_campaign] Send a broadcast
    [sync_templates] Read templates from the provider
   *[other] { $kind }
  }
operation-cancel-effect = It ends within a minute. What is done stays done.
operation-cancel-named = Stop: { $kind }
