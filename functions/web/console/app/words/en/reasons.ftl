## Reasons
reason-other = another reason
reason-follow_up = { $channel } { $send_at ->
    [none] { $delay_seconds ->
        [none] at once
       *[other] after { $delay_seconds }
      }
   *[other] at { $send_at } (quiet hours)
  }{ $next_channel ->
    [none] {""}
   *[other] , { $next_channel } if not delivered within { $fallback_after_seconds }
  }: { $outcome }, rule “{ $rule }”{ $whatsapp_problem ->
    [none] {""}
   *[other] ; without WhatsApp: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] ; without SMS: { $sms_problem }
  }
reason-planned = { $channel } { $send_at ->
    [none] { $delay_seconds ->
        [none] at once
       *[other] after { $delay_seconds }
      }
   *[other] at { $send_at } (quiet hours)
  }{ $next_channel ->
    [none] {""}
   *[other] , { $next_channel } if not delivered within { $fallback_after_seconds }
  }{ $whatsapp_problem ->
    [none] {""}
   *[other] ; without WhatsApp: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] ; without SMS: { $sms_problem }
  }
reason-suspended = the business is suspended
reason-outbound = the business called the customer
reason-withheld = the caller hid the number
reason-sip = the caller has no telephone number
reason-own_number = the call came from a number of the business itself
reason-unknown_outcome = the telephone system did not say whether the call was answered
reason-late = it was reported too late, or could only be sent too late
reason-destination = { $kind ->
    [country] the business does not write to numbers { $country ->
        [none] of no country
       *[other] in { $country }
      }
    [premium] this is a premium-rate number, which is never written to
    [shared_cost] this is a shared-cost number, which is never written to
    [satellite] this is a satellite number, which is never written to
   *[other] this is no valid telephone number
  }
reason-opted_out = { $category ->
    [none] the person refused messages{ $refused_at ->
        [none] {""}
       *[other] {" "}on { $refused_at }
      }
   *[other] the person refused { $category } on { $refused_at }
  }
reason-unnecessary = { $event ->
    [stop] the person has refused messages since
    [answered_call] the person has been reached by telephone since
    [inbound] the person has written since
    [human_reply] a colleague has replied since
    [by_phone] somebody has written on the business’s own phone since
    [author] it was cancelled by its author
    [exit] the campaign has ended for this person
    [template_change] the template has changed since
   *[other] something has happened since that makes it unnecessary
  }
reason-no_rule = no automation is for this call
reason-no_consent = { $needs ->
    [opt_in] the person has not agreed to messages
   *[other] nothing shows that this person wants a message
  }
reason-cooldown = last message { $last_at }, not again within { $cooldown_seconds }
reason-cap_reached = { $currency ->
    [none] a cap is reached: { $maximum } messages in this { $period }
   *[other] a cap of money in { $currency } is reached for this { $period }
  }. It resets { $resets_at }
reason-frequency = messages of this kind are not sent that often
reason-too_many_open = as many messages to this person are waiting as can wait
reason-quiet_hours = { $country ->
    [none] quiet hours{ $quiet_from ->
        [none] {""}
       *[other] {" "}from { $quiet_from } to { $quiet_to }
      }
   *[other] no promotion by SMS to { $country } from { $quiet_from } to { $quiet_to }
  }
reason-template = the template or its values do not fit{ $whatsapp_problem ->
    [none] {""}
   *[other] : { $whatsapp_problem }
  }
reason-content = the content cannot be sent{ $whatsapp_problem ->
    [none] {""}
   *[other] : { $whatsapp_problem }
  }
reason-no_channel = no channel reaches the person{ $whatsapp_problem ->
    [none] {""}
   *[other] . WhatsApp: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] . SMS: { $sms_problem }
  }
reason-rule_archived = the automation is archived
reason-rule_inactive = the automation is turned off
reason-other_outcome = the automation is not for calls with this outcome
reason-other_direction = the automation is for outgoing calls, which never get a message
reason-other_line = the call was to none of the automation’s lines
reason-other_hours = the automation is for other hours
reason-other_caller = the automation is for other callers
reason-other_ring_time = the telephone rang for too short or too long a time
reason-other_talk_time = the call was too short or too long
reason-no_connection = no connection carries this channel
reason-not_reached = the channel did not reach this person a short time ago
reason-no_marketing = WhatsApp delivers no marketing to { $country }
reason-country_rule = SMS to { $country }: { $rule ->
    [senders] a message from such a sender may not arrive
    [replies] nobody can reply there, and the text asks for it
    [promotion_mark] the name of the sender must show that it is promotion
    [links] links are not allowed, or are masked
    [numbers] telephone numbers are not allowed in the text
    [promotion] promotion by SMS is not allowed
    [registration] texts or numbers must be registered there first, and the connection says that they are
   *[other] a rule of the country is against it
  }{ $sureness ->
    [vendor] {""}
   *[other] {" "}(not verified)
  }
reason-no_number = no telephone number of the person is known
reason-landline = the number is a landline
reason-no_content = the automation has no content for this channel
reason-no_text = there is no text in any language
reason-no_template = there is no template “{ $template }” in this language
reason-template_not_approved = the template “{ $template }” is not approved
reason-template_doubted = the template “{ $template }” is being read from the provider again
reason-template_category = the template “{ $template }” is of another category than the message
reason-value_missing = the template “{ $template }” needs a value
reason-value_unexpected = the template “{ $template }” has no such variable
reason-template_broken = the stored template “{ $template }” is broken
reason-no_content_sid = the template “{ $template }” has no id at Twilio
reason-value_refused = WhatsApp refuses a value that is empty or has line breaks, tabs or many spaces
reason-text_too_long = the text is too long: at most { $maximum } characters
reason-text_empty = the text is empty
reason-value_unknown = { $source ->
    [none] a value is not known and has no default
   *[other] nothing is known for “{ $source }”, and it has no default
  }
reason-wrong_placeholder = a placeholder in the text is not valid
reason-asset_unusable = a file cannot be sent: it is missing, not ready or of another kind
reason-wrong_content = only text can be sent by SMS
reason-not_carried_by_twilio = WhatsApp through Twilio carries no such content
reason-too_large_for_twilio = the file is larger than Twilio passes on
reason-other_number = the message that is answered belongs to another WhatsApp number of the business
reason-asset_uploading = the file is being uploaded to WhatsApp
reason-wrong_file_kind = WhatsApp does not take a file of this kind here
reason-not_voice = the file is no voice message
reason-not_carried = the connection no longer carries this channel
reason-no_recipient = nobody is named to whom it could be sent
reason-earlier_reply = an earlier reply of the conversation goes first
reason-reply_again = it is a reply; reply again in the conversation
reason-conversation_moved = somebody else has replied in the meantime
reason-window_closed = the person has not written by WhatsApp in the last 24 hours
reason-answered_elsewhere = another app that shares the WhatsApp number has answered this person since { $since_at }
reason-paused = the number is paused until { $until_at }
reason-pair_rate = this person gets no more messages by WhatsApp until { $until_at }
reason-throughput = it waits its turn: the number sends as fast as it may
reason-connection_broken = the provider refuses the connection “{ $connection }”{ $since_at ->
    [none] {""}
   *[other] {" "}since { $since_at }
  }
reason-campaign_paused = it waits: its campaign is paused
reason-campaign_resumed = its campaign is no longer paused
reason-campaign_cancelled = its campaign was cancelled or deleted
reason-same_person = another contact of the same person gets the message
reason-contact_merged = the contact was merged into another, which gets the message if it may
reason-segment_unusable = the tag or a segment of the campaign, or the field of a segment, was deleted
reason-failure_rate = { $percent } % of its messages have failed
reason-low_quality = Meta has rated the quality of its template, or of its number, as low
reason-route_refused = WhatsApp refuses marketing by this route (code { $provider_code }): accept Meta’s terms for marketing messages and test the connection
reason-opt_out_rate = { $percent } % of the people have refused further messages after it
reason-provider_refused = the provider refused the message (code { $provider_code })
reason-not_accepted = the provider did not accept the message
reason-unconfirmed = the provider did not say whether it accepted the message
reason-contact_deleted = the contact was deleted
reason-recipient_removed = the number was taken off the contact
reason-replaced = newer messages to this person replace it
reason-not_failed = the message did not fail
reason-automatic_answer = automatic answers are not sent again
reason-nothing_left = nothing of the message is left to cancel
reason-awaits_reports = reports of the provider are still awaited
reason-decided_again = decided again, because the outcome was reported later
reason-recording = the caller left a recording of { $seconds }
reason-answered_after_all = it was reported later that the call was answered
reason-asked = the customer wrote “{ $word }”
reason-follow_up_cancelled = the rest of a follow-up is cancelled, because the customer wrote first
reason-answered_already = the same automatic answer was given a short time ago
reason-answered_often = this person got the most automatic answers of a day
reason-stored_shortened = the message is stored shortened
reason-sent_by_phone = sent on the business’s own phone
reason-sent_elsewhere = sent by another app that shares the number
reason-wrote_elsewhere = written to another app that shares the number, which answers
reason-no_country = the country of the business is not set
reason-no_language = no language is set
reason-no_own_number = the telephone number that messages name is not set
reason-no_hours = no opening hours are set
reason-never_open = the business is closed all week
reason-no_calls = no connection reports calls, so missed calls are not noticed
reason-line_problem = the line “{ $line }” has a problem: { $problem }
reason-no_webhook_secret = the connection “{ $connection }” has no credentials to verify reports
reason-test_failed = the last test of the connection “{ $connection }” failed
reason-test_unclear = the provider did not answer the last test of the connection “{ $connection }”
reason-not_tested = the connection “{ $connection }” has not been tested since its last change
reason-no_sender = no connection sends by { $channel }
reason-channel_unused = no active automation uses { $channel }
reason-no_templates = there is no template
reason-none_approved = no template is approved
reason-no_active_rule = no automation is turned on
reason-rule_invalid = the automation “{ $rule }” is not valid: { $problem }
reason-rule_obstacle = the automation “{ $rule }” cannot use a channel{ $whatsapp_problem ->
    [none] {""}
   *[other] . WhatsApp: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] . SMS: { $sms_problem }
  }
reason-line_without_sender = the line “{ $line }” has no sender of its own for { $channel }, so another connection sends
reason-always_quiet = quiet hours from { $quiet_from } to { $quiet_to } would skip nearly all messages
reason-hours_never = the business is never open, or never closed, so no call matches
reason-unreached = “{ $rule }” is tried before and takes all calls of this one
reason-drip_not_running = the drip has not begun or is paused, so callers get none of its messages
reason-looks_like_marketing = “{ $word }” sounds like an offer, so the template may be counted as marketing
reason-looks_like_code = “{ $word }” sounds like a one-time code, for which WhatsApp has a category of its own
