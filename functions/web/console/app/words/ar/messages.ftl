## Lists
channel = القناة
purpose = الغرض

## Messages
message-none-text = (بلا نص)
message-edited = عُدّلت: { $text }
message-template = القالب «{ $name }» بلغة { $language }
message-attempts = محاولات الإرسال
message-attempts-none = لم تجرِ أي محاولة.
message-cost = الكلفة
message-cost-unknown = غير معروفة بعد
message-cost-billed = محسوبة، ولا يذكر المزوّد سعرًا
message-cost-free = مجانًا
message-category = الفئة
message-retry = إرسال مجددًا
message-cancel = عدم الإرسال
message-cancelled = لن يُرسل ما بقي من الرسالة.
message-retried = ستُرسل مجددًا كرسالة جديدة.
message-call = المكالمة التي تليها
message-clicked-at = فُتح الرابط
message-valid-until = صالحة حتى
message-file-open = فتح
medium-image = صورة
medium-video = مقطع مرئي
medium-audio = مقطع صوتي
medium-document = مستند
medium-sticker = ملصق
content-kind-template = قالب
content-kind-text = نص
content-kind-media = ملف
content-kind-interactive = نص بأزرار
content-kind-location = موقع
content-kind-contacts = بطاقة اتصال
content-kind-unsupported = رسالة لا يعرضها واتساب
content-kind-edit = عُدّلت رسالة، ولا يعرض واتساب التعديل
content-kind-revoke = حُذفت رسالة
content-kind-pin = ثُبّتت رسالة
content-kind-keep_in_chat = حُفظت رسالة مؤقتة
content-kind-request_welcome = فُتحت المحادثة
category-utility = خدمية
category-marketing = تسويقية
category-authentication = رمز لمرة واحدة
category-service = رد
new-to = إلى
new-channel-both = واتساب، وإلا فرسالة قصيرة
new-text = النص
new-category-utility = شيء طلبه العميل
new-category-marketing = عرض
new-preview = معاينة
new-preview-why = لم يُرسل شيء بعد. هذه هي الفحوص التي تقرر.
new-send = إرسال الآن
new-basis = لماذا يجوز أن تكتب
new-basis-hint = ما فعله العميل أو وافق عليه، مثل «الطلب 1042 في 20 نوفمبر». يُحفظ مع الرسالة.
new-ground = اتصل العميل أو كتب ({ $at })
new-template-none = بلا قالب: نص من كتابتك
new-template-hint = لا يقبل واتساب نصًا من كتابتك إلا خلال 24 ساعة من آخر ما كتبه العميل هناك
new-change = تعديل

## Automations
message-later = { $channel } في { $at }{ $reason ->
    [none] {""}
   *[other] : { $reason }
  }
message-again = تُعاد المحاولة حتى { $until }: { $reason }
new-would-wait = لن تُرسل بعد: { $reason }. ستُعاد المحاولة حتى { $until }.
new-send-at = إرسال في { $at }
new-send-waiting = إرسال في أقرب وقت ممكن
