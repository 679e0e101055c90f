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
order-message-title = رسالة عن الطلبات
order-messages-why = يُخبَر العميل بكل حدث مرة واحدة، وبآخر حالة فقط: إذا تقدم الطلب، فلا تُرسل بعد ذلك رسالة عن الحالة السابقة.
order-messages-none = لا يُخبَر العملاء بشيء عن طلباتهم بعد. شغّل ما ينبغي أن يصلهم.
order-message-event = الحدث
order-event-created = استلام الطلب
order-event-late = تأخر الطلب
order-event-packed = تجهيز الطلب
order-event-shipped = شحن الطلب
order-event-delivered = تسليم الطلب
order-event-cancelled = إلغاء الطلب
order-message-what = { $content ->
    [usual] النص المعتاد برسالة قصيرة
    [template] قالب واتساب
   *[other] نص من عندك
  }
order-message-later = { $said } · الانتظار: { $delay }
order-message-turn = تشغيل أو إيقاف
order-message-turn-on = تشغيل
order-message-turn-off = إيقاف
order-message-tell = أخبر العميل
order-message-delay = 12 ساعة على الأكثر. إذا تقدم الطلب أثناء ذلك، يُخبَر العميل بالحالة الأحدث بدلًا منها.
order-message-says = ما يُقال
order-message-usual = النص المعتاد برسالة قصيرة
order-message-own = كلمات من عندك
order-templates = استخدام قوالب المكتبة
order-templates-effect = { $n ->
    [zero] لا يحصل أي حدث على قالب.
    [one] يحصل حدث واحد على قالب لواتساب بالإنجليزية والعربية، يراجعه واتساب أولًا.
    [two] يحصل حدثان على قوالب لواتساب بالإنجليزية والعربية، يراجعها واتساب أولًا.
    [few] تحصل { $n } أحداث على قوالب لواتساب بالإنجليزية والعربية، يراجعها واتساب أولًا.
    [many] يحصل { $n } حدثًا على قوالب لواتساب بالإنجليزية والعربية، يراجعها واتساب أولًا.
   *[other] يحصل { $n } حدث على قوالب لواتساب بالإنجليزية والعربية، يراجعها واتساب أولًا.
  } حتى ذلك الحين، ولمن ليس لديه واتساب، تُرسل الرسالة القصيرة. لا يُشغَّل شيء بذلك ولا يُوقَف.
order-templates-confirm = تقديمها
order-templates-done = القوالب لدى واتساب الآن. تجد مراجعاتها في الإعدادات، القوالب.
order-news-waiting = قيد الإعداد
order-news-told = أُخبر العميل
order-news-untold = لم يُخبَر
order-news-open = فتح الرسالة
order-no-news = ليس هناك ما يُخبَر به العميل بعد.
order-untold-disabled = لم تُشغَّل أي رسالة لهذا.
order-untold-too_old = كان قد مضى عليه أكثر من يوم عندما أبلغ عنه متجرك. يُخبَر العميل بما هو أحدث.
order-untold-test = هذا طلب تجريبي.
order-untold-replaced = كان الطلب قد تقدم حينها، ويُخبَر العميل بآخر حالة فقط.
order-untold-cancelled = كان الطلب قد أُلغي حينها.
order-untold-withdrawn = تراجع المتجر عن ذلك، أو فُقد الطرد. قد ترغب في الكتابة إلى العميل.
order-untold-no_number = ليس لدى العميل رقم هاتف. إذا أُضيف رقم، يُخبَر بالحالة التالية.
order-untold-refused = تعذّر إعداد رسالة.
source-order-number = رقم الطلب
source-order-total = مبلغ الطلب
source-order-items = ما طُلب
source-order-carrier = شركة الشحن
source-order-tracking_number = رقم الطرد
source-order-tracking_url = صفحة تُظهر مكان الطرد
order-late_after_hours = عدد الساعات التي يُعدّ بعدها الطلب المدفوع الذي لم يُشحن متأخرًا
order-late_after_hours-hint = يتلقى فريقك عندئذ رسالة بريد، ويتلقى العميل رسالة «تأخر الطلب» إذا كانت مُشغَّلة. 0: لا يُعدّ أي طلب متأخرًا. فارغ: 48.
