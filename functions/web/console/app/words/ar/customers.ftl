## Lists
column-outcome = النتيجة
column-message = الرسالة

## Calls
calls-search-more = هذه أحدث مكالمات أول من وُجد. اكتب المزيد من الاسم أو الرقم لترى غيرها.
calls-followed = المتابعة
calls-followed-yes = تمت متابعتها
calls-followed-no = لم تُتابَع
calls-stopped-yes = أوقفها حدّ أو عطل
calls-unanswered-yes = لم يردّ أحد
call-talk = الحديث
call-ring = الرنين
call-grounds = ما بُني عليه القرار
call-grounds-why = كما كان معروفًا وقت اتخاذ القرار، ويبقى كذلك مهما تغيّر.
ground-new_caller = أول مكالمة من هذا الرقم
ground-open = النشاط مفتوح
ground-opted_out = رفض كل الرسائل
ground-marketing_opted_out = رفض الرسائل التسويقية
ground-opted_in = وافق على الرسائل
ground-last_follow_up_at = آخر متابعة
ground-last_inbound_at = آخر ما كتبه
ground-last_answered_at = آخر مكالمة رُدّ عليها
ground-last_by_phone_at = آخر رسالة من هاتف النشاط نفسه
ground-cooldown_seconds = لا تتكرر خلال
call-reported = ما أبلغ به نظام الهاتف
call-started = البداية
call-decided = وقت القرار
call-provider = نظام الهاتف
call-recordings = التسجيلات
recording-listen = استماع
recording-voicemail = رسالة صوتية
recording-call = تسجيل المكالمة
open-message = فتح الرسالة

## Automations
call-try = تجربة القواعد على هذه المكالمة
write-message = كتابة رسالة

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
message-file-pending = يجري جلبه
message-file-unusable = { $reason ->
    [too_large] الملف أكبر مما يقبله Ringback.
    [wrong_type] محتوى الملف من نوع غير المذكور.
    [harmful] الملف ضار ولم يُحفظ.
   *[other] لم يصل الملف كاملًا.
  } اطلب من العميل إرساله بطريقة أخرى.
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
new-text = النص
new-category-utility = شيء طلبه العميل
new-category-marketing = عرض
new-preview = معاينة
new-preview-why = لم يُرسل شيء بعد. هذه هي الفحوص التي تقرر.
new-send = إرسال الآن
new-ground = اتصل العميل أو كتب ({ $at })
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

## Lists
column-phones = الهاتف
column-last-call = آخر مكالمة
column-calls = المكالمات

## Contacts
contact-none = لا أحد يطابق البحث.
contact-profile = الملف الشخصي
contact-language = اللغة
contact-source = المصدر
contact-email = البريد الإلكتروني
contact-may = يمكن مراسلته
contact-may-yes = نعم
contact-may-no = لا، رفض في { $day }
contact-may-no-marketing = نعم، لكن بلا رسائل تسويقية
contact-created = معروف منذ
contact-timeline = السجل الزمني
timeline-consent = الموافقة
timeline-note = ملاحظة
timeline-merge = دُمجت معها جهة اتصال أخرى
conversion-order = طلب
conversion-booking = حجز
conversion-visit = زيارة
conversion-payment = دفعة
conversion-quote = عرض سعر
conversion-sign_up = تسجيل
conversion-other = تحويل آخر
inbox-nobody = لا أحد
inbox-you = أنت
inbox-colleague = أحد الزملاء
inbox-person-away = { $name } (غير متاح)
inbox-software = برنامج آخر
inbox-contact-hide = العودة إلى المحادثة
composer-note-text = نص الملاحظة
inbox-note-change = تغيير
inbox-note-delete = حذف الملاحظة
inbox-note-delete-effect = تختفي عن الفريق كله، مع الإشارات التي فيها.
contact-change = تعديل جهة الاتصال
contact-language-none = كما يكتب العميل
inbox-note-keep = تركها كما كانت
contact-stage = المرحلة
contact-owner = يتولاه
contact-value = القيمة المتوقعة
