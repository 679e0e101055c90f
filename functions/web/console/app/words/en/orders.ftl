orders-empty = No orders in these days. Your shop's software records them, or somebody in the inbox.
orders-to-ship = Paid, not shipped (30 days)
order-title = Order { $number }
order-number = Order
order-total = Total
order-payment = Payment
order-payment-pending = not paid
order-payment-failed = refused
order-payment-authorized = reserved
order-payment-partially_paid = partly paid
order-payment-paid = paid
order-payment-partially_refunded = partly paid back
order-payment-refunded = paid back
order-payment-voided = called off
order-fulfilment = Delivery
order-fulfilment-unfulfilled = to ship
order-fulfilment-on_hold = on hold
order-fulfilment-partially_fulfilled = partly shipped
order-fulfilment-fulfilled = shipped
order-fulfilment-delivered = delivered
order-fulfilment-returned = came back
order-fulfilment-cancelled = cancelled
order-shipment-prepared = packed
order-shipment-in_transit = under way
order-shipment-out_for_delivery = arrives today
order-shipment-attempted = nobody took it
order-shipment-delivered = delivered
order-shipment-failed = lost, or came back
order-shipment-cancelled = called off
order-times = { $quantity } pieces
order-times-price = { $quantity } × { $price }
order-more = { $n ->
    [one] One further item
   *[other] { $n } further items
 }
order-sum-items = Items
order-sum-discount = Discount
order-sum-shipping = Shipping
order-sum-tax = Tax
order-shipments = Parcels
order-no-shipment = No parcel is known yet.
order-report = What has happened?
order-act-paid = It is paid
order-act-packed = Packed
order-act-shipped = Shipped
order-act-delivered = Delivered
order-act-cancel = Cancel it
order-cancel-effect = The order is marked as cancelled. Money is not paid back by this.
order-cancel-named = Cancel order { $number }
order-carrier = Carrier
order-tracking = Number of the parcel
order-link = Page that shows where it is
order-message-title = Message about orders
order-messages-why = Each event is told once, and only the latest: when an order has gone on, the message about the earlier state is not sent any more.
order-messages-none = Customers are told nothing about their orders yet. Turn on what they should hear.
order-message-event = Event
order-event-created = Order placed
order-event-late = Order late
order-event-packed = Order packed
order-event-shipped = Order shipped
order-event-delivered = Order delivered
order-event-cancelled = Order cancelled
order-message-what = { $content ->
    [usual] Usual text by SMS
    [template] Template for WhatsApp
   *[other] Text of your own
  }
order-message-later = { $said } · wait: { $delay }
order-message-turn = On or off
order-message-turn-on = Turn on
order-message-turn-off = Turn off
order-message-tell = Tell the customer
order-message-delay = At most 12 hours. If the order goes on meanwhile, the newer state is told instead.
order-message-says = What is said
order-message-usual = The usual text, by SMS
order-message-own = Words of your own
order-templates = Use the templates of the library
order-templates-effect = { $n ->
    [one] One event gets a template for WhatsApp, in English and Arabic, which WhatsApp reviews first.
   *[other] { $n } events get templates for WhatsApp, in English and Arabic, which WhatsApp reviews first.
  } Until then, and to whoever has no WhatsApp, the SMS is sent. Nothing is turned on or off.
order-templates-confirm = Submit them
order-templates-done = The templates are with WhatsApp. Their reviews stand under Settings, Templates.
order-news-waiting = being made
order-news-told = told
order-news-untold = not told
order-news-open = Open the message
order-no-news = There is nothing to tell the customer yet.
order-untold-disabled = No message is turned on for this.
order-untold-too_old = It was more than a day old when your shop reported it. Newer states are told.
order-untold-test = It is a test order.
order-untold-replaced = The order had gone on by then, and only the latest state is told.
order-untold-cancelled = The order was cancelled by then.
order-untold-withdrawn = The shop took this back, or the parcel was lost. You may want to write to the customer.
order-untold-no_number = The customer has no telephone number. With one, the next state is told.
order-untold-refused = No message could be made.
source-order-number = Number of the order
source-order-total = Sum of the order
source-order-items = What was ordered
source-order-carrier = Carrier
source-order-tracking_number = Number of the parcel
source-order-tracking_url = Page that shows where the parcel is
order-late_after_hours = Hours until a paid order that was not shipped is late
order-late_after_hours-hint = Your team gets a mail then, and the customer the message “Order late”, if it is turned on. 0: no order is late. Empty: 48.
