## Lists
column-phones = Telephone
column-last-call = Last call
column-calls = Calls

## Contacts
contact-none = Nobody matches the search.
contact-profile = Profile
contact-language = Language
contact-source = Source
contact-email = E-mail
contact-may = May get messages
contact-may-yes = yes
contact-may-no = no, refused on { $day }
contact-may-no-marketing = yes, but no marketing
contact-created = Known since
contact-timeline = Timeline
timeline-consent = Consent
timeline-note = Note
timeline-merge = Merged with another contact
conversion-order = Order
conversion-booking = Booking
conversion-visit = Visit
conversion-payment = Payment
conversion-quote = Quote
conversion-sign_up = Sign-up
conversion-other = Other conversion
