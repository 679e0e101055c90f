## Problems
fault-no_prices = No price list has prices in this currency, so nothing can be counted in it. Choose another one.
fault-day = Choose a day.
example-api_key_sid = SK0a1b2c3d4e5f60718293a4b5c6d7e8f9
problem-bad_request = The request is malformed. Reload the page.
problem-ambiguous_credentials = The request has two kinds of credentials. Reload the page.
problem-no_tenant = The request names no business. Reload the page.
problem-tenant_suspended = The business is suspended. Contact whoever operates Ringback for you.
problem-second_factor_needed = Set up a second factor, then log in with its code.
problem-method_not_allowed = Ringback does not know this request. Reload the page.
problem-conflict = Somebody else saved a change at the same moment, so yours is not saved. Load the page again to see theirs, then make your change.
problem-limit_reached = There are as many of these as there can be. Delete one first.
problem-taken = Something else has this value already. Choose another.
problem-still_running = The same request is still running. Try again in a moment.
problem-already_done = This was done already.
problem-stale = Somebody else has saved a change since you opened this, so yours is not saved. Load the page again to see theirs, then make your change.
problem-too_large = This is too large. Send less.
problem-wrong_content_type = Ringback does not take this kind of content.
problem-invalid = Correct the marked fields.
problem-idempotency_key_reused = The request was changed while it was repeated. Send it again.
problem-too_many_requests = Too many requests. Wait a moment and try again.
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
problem-endpoint_disabled = The address is turned off. Turn it on first.
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
example-emails = noor@example.com
example-source = Web form
example-reference = Order 1042
example-amount = 120.50
example-name = Marina
example-phone = +971 4 555 0123
example-secret = 0a1b2c3d4e5f60718293a4b5c6d7e8f9
example-slug = saffron-bakery
example-sources = 203.0.113.7
example-start_words = resume
example-stop_words = enough
example-body = Hello {"{{1}}"}, your order is ready.
example-footer = Saffron Bakery
example-samples = Maya
example-sample = Maya
example-button = Copy the code
example-text = Sorry, we missed your call.
example-sms_text = Sorry, we missed your call.
example-time_zone = Asia/Dubai
example-variable = address
example-variables = 12 Marina Walk
example-promotion = AD-SAFFRON
example-sender = SAFFRON
example-expires_at = 2027-11-20
example-evidence = Form 1207, signed in the shop
