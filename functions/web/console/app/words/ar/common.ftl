## Frame
title-log-in = تسجيل الدخول
title-sign-up = تسجيل نشاط تجاري
title-verify-email = تأكيد البريد الإلكتروني
title-forgot-password = نسيت كلمة المرور
title-reset-password = كلمة مرور جديدة
title-accept-invitation = دعوة
title-account = حسابي
title-notifications = الإشعارات
title-second-factor = العامل الثاني
title-home = الرئيسية
title-calls = المكالمات
title-call = مكالمة
title-messages = الرسائل
title-message = رسالة
title-new-message = رسالة جديدة
title-contacts = جهات الاتصال
title-contact = جهة اتصال
title-new-contact = جهة اتصال جديدة
title-contact-change = تعديل جهة اتصال
title-contact-consent = الموافقة
title-contact-proof = إثبات الموافقة
title-contact-merge = هل جهة الاتصال هذه مكررة؟
title-imports = الاستيراد
title-new-import = استيراد جهات اتصال
title-import = استيراد جهات اتصال
title-exports = التصدير
title-segments = الشرائح
title-segment = شريحة
platform = المنصة: كل الأنشطة
title-platform-tenants = الأنشطة
title-platform-new = نشاط جديد
title-platform-tenant = النشاط
title-platform-prices = الأسعار
title-platform-requests = الأرقام والروابط
title-platform-log = السجل
menu = القائمة الرئيسية
skip = الانتقال إلى المحتوى
loading = جارٍ التحميل
working = لحظة…
reload = إعادة تحميل الصفحة
try-again = إعادة المحاولة
save = حفظ
saved = تم الحفظ
continue = متابعة
log-out = تسجيل الخروج
log-in = تسجيل الدخول
go-home = الذهاب إلى الرئيسية
account-menu = الحساب واللغة والمظهر
tenant-switch = : تغيير النشاط التجاري
theme = المظهر
theme-system = حسب الجهاز
theme-light = فاتح
theme-dark = داكن
offline = أنت غير متصل بالشبكة. قد لا يكون المعروض محدّثًا.
live-live = مباشر
live-catching = جارٍ التحديث…
live-delayed = كل بضع ثوانٍ
live-off = التحديث متوقف
missing = الصفحة غير موجودة
missing-why = لا توجد صفحة كهذه، أو أنها تخص نشاطًا تجاريًا لست عضوًا فيه.
forbidden = لا تملك الصلاحية
forbidden-role = هذه الصفحة لدور «{ $role }» فما فوق. اطلب ذلك من مدير النظام في نشاطك.
forbidden-why = لا يسمح دورك بفتح هذه الصفحة. اطلب ذلك من مدير النظام في نشاطك.
suspended = هذا النشاط موقوف
suspended-why = ما زالت المكالمات تُسجَّل، لكن لا يُرسَل شيء. راسل الجهة التي تشغّل Ringback لك لإعادة تفعيله.
error-load = لم تُحمَّل الصفحة
error-load-why = ربما حُدِّث Ringback منذ أن فتحته. أعد تحميل الصفحة للحصول على الإصدار الحالي.
error-offline = أنت غير متصل بالشبكة
error-offline-why = لا يمكن تحميل هذه الصفحة بلا شبكة. تظهر من تلقاء نفسها متى عاد الاتصال.
expired = انتهت جلستك
expired-why = سجّل الدخول مجددًا للمتابعة. تبقى الصفحة كما هي.
role-viewer = مُطَّلِع
role-agent = موظف
role-manager = مشرف
role-admin = مدير النظام

## Log-in and sign-up
email = البريد الإلكتروني
password = كلمة المرور
new-password = كلمة المرور الجديدة
password-hint = 10 أحرف على الأقل يصعب تخمينها، مثل بضع كلمات لا رابط بينها
code = الرمز
code-hint = الأرقام الستة الظاهرة في تطبيق المصادقة
recovery-code = رمز الاسترداد
recovery-code-hint = أحد الرموز التي احتفظت بها عند إعداد العامل الثاني. يُستخدم كل رمز مرة واحدة.
use-recovery-code = استخدام رمز استرداد بدلًا منه
use-code = استخدام تطبيق المصادقة بدلًا منه
mail-again = إرسال الرسالة مجددًا
business-name = اسم النشاط التجاري
your-name = اسمك

## Home
today-is = { $day }
home-needs = يحتاج إليك
home-today = اليوم
home-waiting = { $n ->
    [zero] لا عميل ينتظر
    [one] عميل واحد ينتظر
    [two] عميلان ينتظران
    [few] { $n } عملاء ينتظرون
    [many] { $n } عميلًا ينتظر
   *[other] { $n } عميل ينتظر
  }
home-stopped = { $n ->
    [zero] لم يوقف حدّ أو عطل رسالة أي مكالمة في آخر 7 أيام
    [one] أوقف حدّ أو عطل رسالة مكالمة واحدة في آخر 7 أيام
    [two] أوقف حدّ أو عطل رسالتي مكالمتين في آخر 7 أيام
    [few] أوقف حدّ أو عطل رسائل { $n } مكالمات في آخر 7 أيام
    [many] أوقف حدّ أو عطل رسائل { $n } مكالمة في آخر 7 أيام
   *[other] أوقف حدّ أو عطل رسائل { $n } مكالمة في آخر 7 أيام
  }
home-days = المكالمات التي لم يُرَدّ عليها في آخر 14 يومًا
home-cost = كلفة رسائل اليوم
home-cost-none = لا شيء بعد
home-cost-sums = كلفة الأسبوع والشهر
home-cost-days = { $n ->
    [zero] كلفة اليوم
    [one] كلفة آخر يوم
    [two] كلفة آخر يومين
    [few] كلفة آخر { $n } أيام
    [many] كلفة آخر { $n } يومًا
   *[other] كلفة آخر { $n } يوم
  }
home-cost-unknown = { $n ->
    [zero] ولا رسالة بلا سعر معروف
    [one] ورسالة واحدة، قصيرة أو عبر واتساب، لا يُعرف سعرها
    [two] ورسالتان، قصيرتان أو عبر واتساب، لا يُعرف سعرهما
    [few] و{ $n } رسائل، قصيرة أو عبر واتساب، لا يُعرف سعرها
    [many] و{ $n } رسالة، قصيرة أو عبر واتساب، لا يُعرف سعرها
   *[other] و{ $n } رسالة، قصيرة أو عبر واتساب، لا يُعرف سعرها
  }
home-prices = { $service ->
    [whatsapp] أسعار واتساب
    [twilio_whatsapp] رسوم Twilio لواتساب
    [twilio_sms] أسعار Twilio للرسائل القصيرة
   *[other] بعض الأسعار
  }: آخر مراجعة لها في { $day }، وقد تكون الكلفة المقدّرة غير صحيحة. يستطيع مشغّل Ringback لديكم تحديثها.
unknown-numbers = مكالمات تضيع
unknown-number = تصل المكالمات إلى هذا الرقم عبر { $connection }، لكن لا خط له هذا الرقم، فتُهمل.
unknown-number-of-line = تصل المكالمات إلى رقم الخط هذا عبر { $connection }، وليس الرقم من أرقام الاتصال، فتُهمل.
unknown-number-add = إضافة الخط
unknown-number-connect = إضافته إلى الاتصال
figure-unanswered = بلا رد
figure-followed-up = تمت متابعتها
figure-delivered = وصلت
figure-replied = ردّ العميل
figure-recovered = استُعيدت
figure-change = { $sign ->
    [0] كما قبل أسبوع
    [1] أكثر بـ { $n } مما قبل أسبوع
   *[other] أقل بـ { $n } مما قبل أسبوع
  }
figure-share = { $share }
as-table = عرض كجدول
column-day = اليوم
step-profile = النشاط التجاري
step-hours = ساعات العمل
step-telephone_line = الهاتف
step-whatsapp = واتساب
step-sms_fallback = الرسائل القصيرة
step-template = القالب
step-rule = الأتمتة

## Set-up
title-set-up = الإعداد
title-set-up-business = نشاطك التجاري
title-set-up-telephone = هاتفك
title-set-up-messages = كيف تُرسل الرسائل
title-set-up-text = ما يصل إلى العملاء
title-set-up-try = جرّبه
set-up-business = النشاط
set-up-telephone = الهاتف
set-up-messages = الرسائل
set-up-text = ماذا تقول
set-up-try = جرّبه
set-up-go-on = متابعة الإعداد

## Lists
filter = تصفية
filter-from = من
filter-to = إلى
filter-any = الكل
filters-clear = مسح التصفية
older = الأقدم
newest = الأحدث
column-time = الوقت
column-caller = العميل
column-line = الخط
column-state = الحالة
column-name = الاسم
hidden-number = رقم مخفي
nothing-found = لا شيء يطابق التصفية.
direction = الاتجاه
direction-inbound = واردة
direction-outbound = صادرة
outcome = النتيجة
outcome-answered = رُدّ عليها
outcome-missed = فائتة
outcome-busy = مشغول
outcome-abandoned = أُنهيت قبل الرد
outcome-voicemail = رسالة صوتية
outcome-after_hours = خارج ساعات العمل
outcome-failed = فشلت
outcome-unknown = لم يُبلَّغ عنها
channel-whatsapp = واتساب
channel-sms = رسالة قصيرة
outlook-letters = من { $letters }. لا يستطيع أحد الرد على مرسل كهذا.
state = الحالة
state-scheduled = مجدولة
state-sending = قيد الإرسال
state-unknown = غير مؤكدة
state-accepted = مقبولة
state-sent = أُرسلت
state-delivered = وصلت
state-read = قُرئت
state-failed = فشلت
state-cancelled = أُلغيت
state-blocked = لم تُرسل
state-claimed = قيد الإرسال
state-refused = مرفوضة
state-received = وردت
state-none = لم تُرسل
purpose-follow_up = متابعة مكالمة
purpose-reply = رد
purpose-auto_reply = رد تلقائي
purpose-campaign = حملة
purpose-order = طلب
purpose-payment = دفع
purpose-one_time_code = رمز لمرة واحدة
purpose-feedback = رأي العميل
purpose-api = رسالة
purpose-stop_confirmation = تأكيد إيقاف الرسائل

## Calls
calls-empty = لا مكالمات في هذه الأيام. تظهر هنا كل مكالمة مع الرسالة التي تلتها والسبب.
calls-answer = الرد
no-message = لا رسالة: { $reason }
decision = القرار
yes = نعم
no = لا
never = أبدًا
remarks = ما حدث بعد ذلك
open-contact = فتح جهة الاتصال

## Inbox
title-inbox = صندوق الوارد
title-conversation = محادثة
menu-more = المزيد
inbox-empty = لا محادثات مفتوحة. يظهر هنا كل من يكتب، أو يتصل فلا يرد عليه أحد.

## Messages
messages-empty = لا رسائل في هذه الأيام. تظهر هنا الرسائل إلى العملاء وردودهم.
message-new = رسالة جديدة
message-send-at = موعد الإرسال
content-kind-reaction = تفاعل
phone-example = مثل { $national } أو { $example }
phone-example-whole = مثل { $example }
phone-read = قُرئ هكذا:
phone-unknown = قُرئ رقمًا غير معروف هناك. تحقّق منه:
phone-kind-mobile = هاتف محمول
phone-kind-landline = هاتف أرضي
phone-kind-toll_free = مجاني للمتصل
phone-kind-premium = بتعرفة مرتفعة
new-leave = هل تغادر الصفحة؟ سيضيع ما كتبته.
new-tab = (يُفتح في علامة تبويب جديدة)

## Contacts
contacts-empty = لا جهات اتصال بعد. يظهر هنا كل من يتصل أو يكتب.
contacts-search = بحث
contacts-search-hint = كلمات من الاسم، أو الرقم بأي كتابة، أو آخر أربعة أرقام منه على الأقل
contact-tags = الوسوم
contact-timeline-empty = لم يحدث شيء بعد.

## Automations
title-orders = الطلبات
title-order = طلب
title-order-messages = رسائل عن الطلبات
title-order-settings = الطلبات المتأخرة
title-automations = الأتمتة
title-automation = أتمتة
title-new-automation = أتمتة جديدة
title-campaigns = الرسائل الجماعية
title-campaign = رسالة جماعية
title-new-campaign = رسالة جماعية جديدة
title-campaign-audience = من يتلقى الرسالة الجماعية
title-campaign-message = نص الرسالة الجماعية
title-campaign-when = متى تبدأ الرسالة الجماعية
title-campaign-check = فحص الرسالة الجماعية
title-campaign-recipients = المتلقون
title-reports = التقارير
title-costs = تكلفة الرسائل
title-retention = مدة بقاء المكالمات والرسائل
title-operations = المهام الطويلة
title-audit = من غيّر ماذا
title-drip = سلسلة رسائل
title-drip-entry = من يدخل
title-drip-steps = خطوات السلسلة
title-drip-people = أشخاص السلسلة
title-try-automations = تجربة على مكالمة
automations-empty = لا توجد أتمتة. من دونها لا تتلو أيَّ مكالمة رسالة.
labelled = { $label }: { $text }
automation-line-deleted = خط محذوف
automation-template-one = { $name }، { $language }{ $sendable ->
    [yes] {""}
    [gone] {" "}(غير موجود)
   *[no] {" "}(غير معتمد)
  }
automation-by-language = بلغة العميل إن وُجدت نسخة بها
automation-value = قيمة { $name }
automation-value-header = القيمة في الترويسة
automation-media-other = ملف آخر
automation-value-button = قيمة الزر «{ $name }»
automation-default = وإلا
text-in = { $label }، { $language }
text-preview = كما يقرؤها العميل
text-length = عدد الأحرف { $characters }، { $parts ->
    [zero] بلا رسائل
    [one] رسالة واحدة
    [two] تُحسب رسالتين
    [few] تُحسب { $parts } رسائل
    [many] تُحسب { $parts } رسالة
   *[other] تُحسب { $parts } رسالة
  }
text-insert = إدراج قيمة
text-insert-hint = يُستخدم النص الذي بعد الخط إن لم تُعرف القيمة: { $example }
automation-header_media = الملف في الترويسة
text-price = نحو { $cost } إلى رقم في بلدك
text-price-unknown = كلفتها إلى رقم في بلدك غير معروفة.
source-contact-first_name = الاسم الأول
source-contact-name = الاسم
source-contact-phone = رقم العميل
source-tenant-name = اسم النشاط
source-tenant = { $name } (للنشاط)
source-call-number = الرقم الذي اتُّصل به
source-call-time = وقت المكالمة
source-call-date = يوم المكالمة
source-call-outcome = نتيجة المكالمة
source-preferences-link = رابط اختيار الرسائل
unit-second = ثوانٍ
unit-minute = دقائق
unit-hour = ساعات
unit-day = أيام
unit-of = { $label }: الوحدة
quiet-hours = ساعات الهدوء
quiet-hours-hint = بالمنطقة الزمنية للعميل.
quiet-hours-some = ساعات محددة
quiet-hours-from = من
quiet-hours-to = إلى
quiet-hours-action = الرسائل في هذه الساعات
quiet-hours-defer = تُرسل بعد انتهائها
quiet-hours-skip = لا تُرسل أبدًا
quiet-hours-send = تُرسل فورًا كما في النهار
try = تجربة
text-unknown = { $value } غير معروفة، فلا يمكن حفظ النص.{ $right ->
    [none] {" "}اختر قيمة من «إدراج قيمة».
   *[other] {" "}اكتب { $right } بدلًا منها.
  }
text-unnamed = { $language ->
    [ar] عميلنا العزيز
    [en] there
   *[other] {""}
  }

## Settings
title-settings = الإعدادات
title-business = النشاط التجاري
title-connections = الاتصالات
title-connection = اتصال
title-new-connection = ربط مزوّد
title-lines = الخطوط
title-people = الأشخاص
language-other = لغة أخرى
language-first = لمن لا تُعرف لغته
connections-empty = لا مزوّد متصلًا. صِل نظام هاتف لملاحظة المكالمات الفائتة، وواتساب أو Twilio للرد عليها.
connection-state = الحالة
lines-empty = لا خطوط بعد. الخط رقم يتصل به العملاء.
title-line = خط
title-new-line = خط جديد
keep = إبقاء
people-empty = لا أحد ينتمي إلى النشاط بعد.
role-viewer-may = يقرأ كل شيء
role-agent-may = يراسل العملاء أيضًا
role-manager-may = يغيّر الإعدادات أيضًا
role-admin-may = يدير الأشخاص والمفاتيح أيضًا

## Settings of messages
title-closures = العطل وساعات الهدوء والدول
title-words = بيانات في الرسائل وكلمات الإيقاف
title-answers = الردود التلقائية
title-caps = الحدود
title-templates = القوالب
title-template = قالب
title-new-template = قالب جديد
title-template-library = مكتبة القوالب
title-assets = الملفات
title-asset = ملف
title-canned-replies = الردود الجاهزة
title-teams = الفرق
title-api-keys = مفاتيح البرامج الأخرى
title-webhooks = برامج أخرى
title-inbox-settings = صندوق الوارد
title-tags = الوسوم
title-stages = مراحل العملاء المحتملين
title-fields = حقول جهات الاتصال
title-products = المنتجات
title-suppressions = أرقام لا تصلها رسائل
copy = نسخ
copied = تم النسخ
delete-named = حذف { $name }
conflict-why = حفظ شخص آخر تغييرات في هذه الأثناء، فلم تُحفظ تغييراتك بعد. يحفظ الزر «حفظ» ما يعرضه النموذج الآن: نسختك مما غيّرته، ونسخته من الباقي.
conflict-field = ما غيّره
conflict-mine = نسختك
conflict-theirs = نسخته
conflict-kept = هذا ما يُحفظ
quiet-hours-why = تنتظر المتابعات حتى تنتهي. ويمكن أن تكون للأتمتة ساعات خاصة.
quiet-hours-none = بلا
variables = قيم في الرسائل
caps-empty = لا توجد حدود.
home-deaf = حتى يُصلَح ذلك لا تصل إلى Ringback مكالمات أرقامه، أو لا تصل كلها.
in-english = النص بالإنجليزية:
blocked = ما منعته الحدود

## Lengths of time
duration-second = { $n ->
    [zero] { $n } ثانية
    [one] ثانية واحدة
    [two] ثانيتان
    [few] { $n } ثوانٍ
    [many] { $n } ثانية
   *[other] { $n } ثانية
  }
duration-minute = { $n ->
    [zero] { $n } دقيقة
    [one] دقيقة واحدة
    [two] دقيقتان
    [few] { $n } دقائق
    [many] { $n } دقيقة
   *[other] { $n } دقيقة
  }
duration-hour = { $n ->
    [zero] { $n } ساعة
    [one] ساعة واحدة
    [two] ساعتان
    [few] { $n } ساعات
    [many] { $n } ساعة
   *[other] { $n } ساعة
  }
duration-day = { $n ->
    [zero] { $n } يوم
    [one] يوم واحد
    [two] يومان
    [few] { $n } أيام
    [many] { $n } يومًا
   *[other] { $n } يوم
  }

## Facts inside sentences
fact-channel-whatsapp = واتساب
fact-channel-sms = رسالة قصيرة
fact-outcome-answered = مكالمة رُدّ عليها
fact-outcome-missed = مكالمة فائتة
fact-outcome-busy = مكالمة أثناء الانشغال
fact-outcome-abandoned = مكالمة أُنهيت قبل الرد
fact-outcome-voicemail = رسالة صوتية
fact-outcome-after_hours = مكالمة خارج ساعات العمل
fact-outcome-failed = مكالمة فاشلة
fact-outcome-unknown = مكالمة لا يُعرف هل رُدّ عليها
fact-period-hour = الساعة
fact-period-day = اليوم
fact-period-month = الشهر
fact-category-utility = الرسائل الخدمية
fact-category-marketing = الرسائل التسويقية
fact-category-authentication = رموز المرة الواحدة
fact-category-service = الردود

## Problems
problem-id = المرجع للدعم:
problem-offline = تعذّر الوصول إلى Ringback. تحقق من اتصالك.
problem-unauthorized = لم تسجّل الدخول. سجّل الدخول مجددًا.
problem-forbidden = لا يسمح دورك بذلك. اطلبه من مدير النظام.
problem-not_found = هذا غير موجود، أو لم يعد موجودًا.
problem-too_many_requests-retry = طلبات كثيرة جدًا. سيحاول Ringback مجددًا من تلقاء نفسه بعد لحظة.
problem-internal = حدث خطأ عندنا. حاول مجددًا، وإن تكرر فأبلغ عن المرجع.
problem-unavailable = Ringback غير متاح الآن. حاول مجددًا.
