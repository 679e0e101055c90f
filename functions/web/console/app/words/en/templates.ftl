## Templates
templates-empty = No templates yet. WhatsApp lets a business write first only with a template that it has approved. The library has some to begin with.
template-library-empty = The library is empty.
template-state = { $status ->
    [DRAFT] Draft
    [PENDING] In review
    [IN_APPEAL] In review again
    [APPROVED] Approved
    [REINSTATED] Approved
    [REJECTED] Refused
    [PAUSED] Paused
    [DISABLED] Stopped
    [DELETED] Deleted at WhatsApp
   *[other] { $status }
  }
template-category-utility = service
template-category-marketing = offer
template-category-authentication = one-time code
template-topic = { $topic ->
    [missed_call] Missed calls
    [order] Orders
    [payment] Payments
    [feedback] Feedback
    [code] Codes
   *[appointment] Appointments
  }
template-adopt = Submit to WhatsApp, in both languages
template-reason-ABUSIVE_CONTENT = WhatsApp finds the text offensive.
template-reason-INCORRECT_CATEGORY = WhatsApp finds that the text is of another kind than stated.
template-reason-INVALID_FORMAT = WhatsApp finds something wrong with the variables, their samples or the form of the text.
template-reason-PROMOTIONAL = WhatsApp finds that the text is an offer.
template-reason-SCAM = WhatsApp takes the text for fraud.
template-reason-TAG_CONTENT_MISMATCH = The text is in another language than stated, or of another kind.
template-submitting = It is being submitted.
template-doubted = WhatsApp refused a message because it knows the template otherwise. Nothing is sent with it until WhatsApp’s list was read again.
template-changed = It has changes that are not submitted.
template-editable = WhatsApp allows the next change { $at }.
template-fixed = What was submitted through Twilio cannot be changed. Write another template.
templates-sync = Read WhatsApp’s list
templates-syncing = Reading… { $done } so far
templates-synced = Read: { $created } new, { $changed } changed, { $deleted } gone{ $skipped ->
    [0] {""}
   *[other] , { $skipped } that cannot be sent from here
  }{ $failed ->
    [0] .
   *[other] . { $failed } connections gave no list.
  }
templates-sync-failed = The list was not read to its end. Try again.

## Form
template-name-hint = Small letters, digits and underscores. End it with a number: a name that was deleted is not free for 30 days.
template-language = Language
template-language-hint = Such as Arabic, or a code such as { $code }
template-connection-first = The first one that sends WhatsApp
template-save = Save the draft
template-field-category = Kind
template-category-hint = Service answers something that the person did; an offer is anything that sells.
template-field-header = Header
template-field-body = Text
template-field-footer = Footer
template-field-buttons = Buttons
template-field-code = Code
template-field-parameter_format = Names of variables
template-field-name = Name
template-field-language = Language
template-media-none = none
template-media-text = a text
template-media-image = a picture
template-media-video = a video
template-media-document = a document
template-header-words = Text of the header
template-medium-hint = WhatsApp reviews it with this file: a JPEG or PNG of at most 5 MB, or an MP4 or PDF of at most 16 MB. Messages have files of their own.
template-variable-add = Insert { $variable }
template-sample = Sample of { $name }
template-field-kind = What it does
template-kind-quick_reply = answers with its words
template-kind-url = opens a page
template-kind-phone_number = calls a number
template-kind-offer_code = copies the code of an offer
template-field-text = Words on the button
template-field-url = Address
template-url-hint = It may end in { $variable }, which each message fills.
template-field-phone_number = Number
template-field-sample = Sample
template-field-media = File
template-field-sample_asset_id = File
template-sample-hint = The whole address, or the code
template-button-numbered = Button { $place }
template-button-add = Add a button
template-button-remove = Remove the button
template-field-button = Words on the button that copies the code
template-field-security_advice = It says that nobody may be told the code
template-field-valid_minutes = Minutes for which a code is valid (optional)
template-by-whatsapp = WhatsApp writes the text of codes itself.
template-lint = { $n ->
    [0] WhatsApp would find nothing to refuse.
    [one] WhatsApp would refuse it:
   *[other] WhatsApp would refuse it for { $n } reasons:
  }
template-submit-title = Review
template-submit = Submit to WhatsApp
template-submit-why = WhatsApp reviews it within minutes or a day. What it has approved before is not sent meanwhile.
template-submitted = WhatsApp has what the form shows.
template-submit-used = { $names } may send it. Until WhatsApp approves it again, they send by their next channel or not at all.
template-submit-anyway = Submit it all the same
template-uses = Used by
template-uses-none = No automation
template-delete = Delete the template
template-delete-effect = It is deleted at WhatsApp, too, which takes no new template of this name for 30 days.
template-in-use = It cannot be deleted while automations use it.
template-numbers = Numbers of the last 30 days
template-content = Content
template-all = All
template-edition = Content { $n }
template-clicked = Pressed
template-cost = Cost

## Files
assets-empty = No files yet.
assets-new = New file
assets-delete = Delete the file
assets-delete-effect = Messages that are not sent yet fail if they need it.
asset-kind = Kind
asset-kind-image = Picture
asset-kind-video = Video
asset-kind-audio = Sound
asset-kind-document = Document
asset-kind-sticker = Sticker
asset-state-awaiting_upload = Not uploaded
asset-state-scanning = Being checked
asset-state-ready = Ready
asset-state-refused = Refused
asset-reason = { $reason ->
    [empty] The file is empty.
    [too_large] The file is too large.
    [wrong_size] The file was cut off on its way.
    [wrong_type] The file is of another type than its name says.
    [harmful] The file is harmful.
   *[other] The file arrived damaged.
  } Delete it and upload another one.
asset-open = Open
asset-uses = Where it is used
asset-uses-none = Nowhere
asset-use-templates = Template
asset-use-automations = Automation
asset-use-campaigns = Broadcast
asset-use-products = Product
upload = Upload a file
upload-hint = Pictures (JPEG, PNG) of up to 5 MB; videos (MP4, 3GPP) and sound (MP3, AAC, Opus) of up to 16 MB; PDF, text and Office files of up to 100 MB.
upload-refused = { $why ->
    [type] Files of this type are not taken here.
    [empty] The file is empty.
   *[size] The file is too large: at most { $most }.
  } Choose another one.
upload-stop = Stop
upload-broken = The upload broke off at { $share }.
upload-again = Upload it again
upload-done = { $name } is uploaded.
