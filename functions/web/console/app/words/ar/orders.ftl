orders-empty = لا طلبات في هذه الأيام. يسجلها برنامج متجرك، أو أحد العاملين في صندوق الوارد.
orders-to-ship = مدفوعة ولم تُشحن (٣٠ يومًا)
order-title = الطلب { $number }
order-number = الطلب
order-total = المجموع
order-payment = الدفع
order-payment-pending = لم يُدفع
order-payment-failed = رُفض
order-payment-authorized = محجوز
order-payment-partially_paid = دُفع جزء منه
order-payment-paid = مدفوع
order-payment-partially_refunded = أُعيد جزء منه
order-payment-refunded = أُعيد المبلغ
order-payment-voided = أُلغي الدفع
order-fulfilment = التسليم
order-fulfilment-unfulfilled = بانتظار الشحن
order-fulfilment-on_hold = معلّق
order-fulfilment-partially_fulfilled = شُحن جزء منه
order-fulfilment-fulfilled = شُحن
order-fulfilment-delivered = سُلّم
order-fulfilment-returned = أُعيد
order-fulfilment-cancelled = أُلغي
order-shipment-prepared = جاهز
order-shipment-in_transit = في الطريق
order-shipment-out_for_delivery = يصل اليوم
order-shipment-attempted = لم يستلمه أحد
order-shipment-delivered = سُلّم
order-shipment-failed = فُقد أو أُعيد
order-shipment-cancelled = أُلغي
order-times = العدد: { $quantity }
order-times-price = { $quantity } × { $price }
order-more = { $n ->
    [zero] لا أصناف أخرى
    [one] صنف آخر
    [two] صنفان آخران
    [few] { $n } أصناف أخرى
    [many] { $n } صنفًا آخر
   *[other] { $n } صنف آخر
 }
order-sum-items = الأصناف
order-sum-discount = الخصم
order-sum-shipping = الشحن
order-sum-tax = الضريبة
order-shipments = الطرود
order-no-shipment = لا يُعرف أي طرد بعد.
order-report = ماذا حدث؟
order-act-paid = تم الدفع
order-act-packed = جُهّز
order-act-shipped = شُحن
order-act-delivered = سُلّم
order-act-cancel = إلغاء الطلب
order-cancel-effect = يُسجَّل الطلب على أنه ملغى. لا يُعاد المال بذلك.
order-cancel-named = إلغاء الطلب { $number }
order-carrier = شركة الشحن
order-tracking = رقم الطرد
order-link = صفحة تُظهر مكانه
