## Tags
tags-empty = No tags yet. Tags mark customers, such as regulars, for lists, teams and broadcasts.
tags-new = New tag
tags-color-none = none
tags-color-red = red
tags-color-orange = orange
tags-color-yellow = yellow
tags-color-green = green
tags-color-blue = blue
tags-color-violet = violet
tags-color-grey = grey
tags-delete = Delete the tag
tags-delete-effect = Contacts and conversations lose it. A broadcast that goes to it cannot start.

## Stages
stages-empty = No stages yet. They show how far somebody has come who may buy, from the first call to the sale.
stages-new = New stage
stages-position-hint = The lowest comes first. Leave gaps, such as 10, 20, 30.
stages-kind-open = still open
stages-kind-won = won
stages-kind-lost = lost
stages-delete = Delete the stage
stages-delete-effect = Contacts in it are in no stage any more.

## Fields of contacts
fields-empty = No fields yet. With one you keep more of customers, such as a birthday.
fields-new = New field
fields-key-hint = Small letters, digits and _. Texts name the field by it; it cannot change.
fields-type-text = text
fields-type-number = a number
fields-type-date = a day
fields-type-choice = one of several choices
fields-type-yes_no = yes or no
fields-options-hint = One in each line
fields-searchable-hint = At most ten fields. Those that are not found by it at first cannot be later.
fields-delete = Delete the field
fields-delete-effect = What is kept of contacts in it is not shown any more, and texts that name it leave it empty.

## Products
products-empty = No products yet. Messages name products with their prices and pictures.
products-new = New product
products-sku-hint = Messages can name the product by it.
products-currency = Currency
products-availability-in_stock = in stock
products-availability-out_of_stock = sold out
products-availability-preorder = can be ordered
products-availability-discontinued = not sold any more
products-image-none = none
products-image-kept = the present one
products-image-hint = Pictures among the files of the business.
products-values-hint = Such as weight: 1 kg. Messages can say them.
products-value-name = Name of the value
products-value = Value
products-value-add = Add the value
products-variant = Variant { $n }
products-variant-add = Add a variant
products-options-hint = Such as size: L, colour: white
products-price-hint = Empty: that of the product
products-delete = Delete the product
products-delete-effect = Messages that name it leave its values empty.

## Suppressions
suppressions-why = People who are no contacts yet and want no messages. If they become contacts, their refusal goes with them. What a contact refuses stands on the contact's page.
suppressions-empty = No numbers yet.
suppressions-address = Number or e-mail address
suppressions-address-hint = A number begins with + and the country.
suppressions-refused = Refused
suppressions-new = Add a number or an address
suppressions-add = Add
suppressions-added = { $address } gets no messages any more.
suppressions-removed = { $address } is taken off the list.
suppressions-category = Refused messages
suppressions-category-all = all messages
suppressions-category-marketing = offers
suppressions-category-utility = what is not an offer
suppressions-channel = Refused way
suppressions-channel-all = every way
suppressions-channel-whatsapp = WhatsApp
suppressions-channel-sms = SMS
suppressions-evidence = Where it is known from (optional)
suppressions-remove = Allow messages
suppressions-remove-effect = All refusals of { $address } end, and messages to it are possible again.

example-address = +971501234567
example-key = birthday
example-options = Silver
example-price = 12.50
example-sku = cake-1
example-variants = size: L, colour: white
