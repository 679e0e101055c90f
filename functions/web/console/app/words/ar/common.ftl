## Frame
title-log-in = تسجيل الدخول
title-sign-up = تسجيل نشاط تجاري
title-verify-email = تأكيد البريد الإلكتروني
title-forgot-password = نسيت كلمة المرور
title-reset-password = كلمة مرور جديدة
title-accept-invitation = دعوة
title-account = حسابي
title-home = الرئيسية
title-calls = المكالمات
title-call = مكالمة
title-messages = الرسائل
title-message = رسالة
title-new-message = رسالة جديدة
title-contacts = جهات الاتصال
title-contact = جهة اتصال
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
mail-sent-again = إن لم تصل إلى هذا العنوان 5 رسائل في هذه الساعة ولا 10 رسائل اليوم، فهناك رسالة أخرى في الطريق. استخدم أحدث رسالة تصل.
business-name = اسم النشاط التجاري
your-name = اسمك

## Home
today-is = { $day }
home-needs = يحتاج إليك
home-today = اليوم
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
new-channel = عبر
new-category = الموضوع
new-would = ستُرسل: { $reason }
new-would-not = لن تُرسل: { $reason }
new-leave = هل تغادر الصفحة؟ سيضيع ما كتبته.
new-tab = (يُفتح في علامة تبويب جديدة)

## Contacts
contacts-empty = لا جهات اتصال بعد. يظهر هنا كل من يتصل أو يكتب.
contacts-search = بحث
contacts-search-hint = كلمات من الاسم، أو الرقم بأي كتابة، أو آخر أربعة أرقام منه على الأقل
contact-tags = الوسوم
contact-timeline-empty = لم يحدث شيء بعد.

## Automations
title-automations = الأتمتة
title-automation = أتمتة
title-new-automation = أتمتة جديدة
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
automation-sms = نص الرسالة القصيرة
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
source-text = نص ثابت
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
problem-wrong_credentials = البريد الإلكتروني أو كلمة المرور غير صحيحة.
problem-second_factor_required = أدخل رمز تطبيق المصادقة.
problem-wrong_code = الرمز خاطئ أو انتهت صلاحيته أو استُخدم من قبل. استخدم الرمز التالي.
problem-session_over = انتهت الجلسة. سجّل الدخول مجددًا.
problem-second_factor_locked = رموز خاطئة كثيرة. أعد تعيين كلمة المرور بالبريد، ثم سجّل الدخول برمز.
problem-sign_up_closed = لا يمكن للأنشطة الجديدة التسجيل من تلقاء نفسها. اطلب دعوة من الجهة التي تشغّل Ringback.
problem-link_not_valid = استُخدم الرابط أو سُحب أو انتهت صلاحيته. اطلب رابطًا جديدًا.
problem-second_factor_off = العامل الثاني غير مفعّل. أعدّه أولًا.
problem-merged = دُمجت جهة الاتصال هذه في أخرى.
problem-refreshed_elsewhere = جدّدت علامة تبويب أخرى الجلسة. حاول مجددًا.
problem-account_exists = لهذا العنوان حساب. سجّل الدخول بدلًا من ذلك.
problem-slug_taken = لنشاط آخر هذا الاسم في الروابط. اختر غيره.
problem-list_changed = تغيّرت القائمة منذ أن فتحتها. حمّلها مجددًا ثم رتّبها.
problem-second_factor_on = يوجد عامل ثانٍ مفعّل. أوقفه أولًا.
problem-no_pending_factor = لا عامل ثانٍ ينتظر التأكيد. أعدّ واحدًا أولًا.
problem-is_contact = العنوان لجهة اتصال. سجّل الرفض عندها.
problem-last_admin = لن يبقى للنشاط مدير نظام. عيّن غيره مدير نظام أولًا.
problem-already_member = هذا الشخص عضو في النشاط.
problem-already_invited = هذا العنوان مدعوّ. أعد إرسال الدعوة أو اسحبها.
problem-too_many_invitations = بلغت الدعوات المفتوحة حدّها الأقصى. اسحب واحدة أولًا.
problem-too_many_users = بلغ مستخدمو النشاط حدّهم الأقصى. عطّل أحدهم أولًا.
problem-too_many_tenants = ينتمي الحساب إلى أقصى عدد من الأنشطة. استخدم عنوانًا آخر.
problem-expired = انتهت صلاحية المفتاح. مدّدها أولًا.
problem-still_rotating = للمفتاح أقصى عدد من الأسرار الصالحة. انتظر حتى ينتهي أحدها.
problem-number_taken = رقم واتساب هذا متصل بنشاط آخر. افصله هناك أولًا.
problem-number_connected = رقم واتساب هذا في اتصال آخر. استخدم ذلك الاتصال.
problem-secret_is_generated = ينشئ Ringback سرّ هذا الاتصال. بدّله للحصول على سرّ جديد.
problem-nothing_to_rotate = ليس لهذا الاتصال سرّ خاص به. عيّن بيانات دخول فيها سرّ أولًا.
problem-too_many_secrets = للاتصال أقصى عدد من الأسرار الصالحة. أنهِ التبديل أولًا.
problem-not_rotating = لا تبديل جارٍ.
problem-segment_unusable = تشير الشريحة إلى وسم أو مرحلة أو حقل حُذف أو تغيّر. غيّر شروطها.
problem-campaign_started = بدأت الحملة، فلا يمكن تغييرها أو بدؤها من جديد أو حذفها.
problem-campaign_type = الحملة من نوع آخر.
problem-already_enrolled = جهة الاتصال في السلسلة بالفعل، أو مرّت بها من قبل.
problem-campaign_state = الحملة في حالة أخرى. أعد تحميل الصفحة.
problem-conversation_continued = دُمجت جهة الاتصال في أخرى، وتستمر المحادثة هناك.
problem-conversation_moved = رد شخص آخر في هذه الأثناء. انظر إلى المحادثة، وأعد إرسال ردك إن كان لا يزال مناسبًا.
problem-window_closed = النص الحر عبر واتساب ممكن خلال 24 ساعة من آخر رسالة للشخص. أرسل قالبًا، أو نصًا برسالة قصيرة.
problem-cap_reached = أُرسل أقصى عدد من الرسائل يسمح به الحد. أرسلها لاحقًا، أو اطلب من المشرف رفع الحد.
problem-message_refused = لن تُرسل الرسالة.
problem-not_cancellable = لم يبقَ من الرسالة ما يُلغى.
problem-not_retryable = لم تفشل الرسالة، فلا تُرسل مجددًا.
problem-tenant_leaving = يجري حذف النشاط. أعد تفعيله للإبقاء عليه.
problem-tenant_gone = يجري حذف النشاط نهائيًا.
problem-not_uploaded = لم يُرفع الملف، أو حُذف بعد يوم. ارفعه مجددًا.
problem-import_running = الاستيراد جارٍ. انتظر حتى ينتهي، أو ألغه.
problem-import_done = تم الاستيراد. أنشئ استيرادًا جديدًا.
problem-too_many_imports = يجري أقصى عدد من عمليات الاستيراد. انتظر حتى تنتهي إحداها.
problem-retention_running = يجري تطبيق سياسة الاحتفاظ. انتظر حتى ينتهي، أو ألغه.
problem-recording_not_ready = التسجيل غير جاهز بعد. حاول مجددًا بعد لحظة.
problem-recording_elsewhere = هذا التسجيل في نظام الهاتف فقط. استمع إليه هناك.
problem-media_not_ready = ما زال الملف قيد الجلب. حاول مجددًا بعد لحظة.
problem-asset_refused = ليس الملف كما ذُكر، أو أنه ضار. ارفع غيره.
problem-no_whatsapp = لا اتصال يرسل عبر واتساب. صِله، أو عيّن بيانات دخوله.
problem-template_in_use = تستخدم القالبَ عملياتُ أتمتة. غيّرها أولًا.
problem-template_submitting = يجري تقديم القالب. انتظر دقيقتين.
problem-template_not_editable = لا يسمح المزوّد بتغيير القالب الآن.
problem-template_refused = يرفض المزوّد القالب. صحّحه ثم قدّمه مجددًا.
problem-cursor_expired = لم يعد ما حدث في هذه الأثناء محفوظًا. أعد تحميل الصفحة.
problem-recording_gone = لم يعد التسجيل موجودًا.
problem-media_gone = لم يعد الملف متاحًا.
problem-unprocessable = تعذّرت قراءة بلاغ نظام الهاتف.
problem-provider_refused = يرفض المزوّد بيانات دخول الاتصال. عيّنها مجددًا.
problem-provider_failed = لم يُجب المزوّد كما ينبغي. حاول لاحقًا.

## Faults of fields
fault-required = هذا الحقل مطلوب.
fault-unknown = لا يوجد حقل كهذا.
fault-given_twice = هذا مذكور مرتين.
fault-rings_itself = سترنّ المكالمات على هذا الرقم مرة بعد مرة. اختر رقمًا آخر.
fault-wrong_type = لا يُقرأ هذا كما هو مكتوب.
fault-not_one_of = اختر إحدى القيم الممكنة.
fault-format = { $example ->
    [none] لا يُقرأ هذا كما هو مكتوب.
   *[other] لا يُقرأ هذا كما هو مكتوب. اكتبه مثلًا هكذا: { $example }
  }
fault-hours = لا تُقرأ هذه ساعات. اكتبها مثلًا هكذا: { $example }
fault-not_listed = لا شيء في القائمة بهذا الاسم. اختر منها، مثل { $example }.
fault-phone = لا يُقرأ هذا رقم هاتف. اكتبه مثلًا هكذا: { $example }، أو بعلامة + ورمز الدولة.
fault-two_meanings = يمكن أن يُقرأ هذا بطريقتين. اكتب { $one } أو { $other }.
fault-too_short = { $minimum ->
    [zero] أدخل نصًا أطول.
    [one] أدخل حرفًا واحدًا على الأقل.
    [two] أدخل حرفين على الأقل.
    [few] أدخل { $minimum } أحرف على الأقل.
    [many] أدخل { $minimum } حرفًا على الأقل.
   *[other] أدخل { $minimum } حرف على الأقل.
  }
fault-too_long = { $maximum ->
    [zero] اترك هذا فارغًا.
    [one] أدخل حرفًا واحدًا على الأكثر.
    [two] أدخل حرفين على الأكثر.
    [few] أدخل { $maximum } أحرف على الأكثر.
    [many] أدخل { $maximum } حرفًا على الأكثر.
   *[other] أدخل { $maximum } حرف على الأكثر.
  }
fault-control_characters = أدخل سطرًا واحدًا بلا رموز تحكم.
fault-invisible_characters = في هذا رموز غير مرئية. اكتبه مجددًا.
fault-out_of_range = { $minimum ->
    [none] هذا خارج الحدود.
   *[other] أدخل قيمة من { $minimum } إلى { $maximum }.
  }
fault-too_many = هذا أكثر من المسموح: { $maximum } على الأكثر.
fault-too_few = هذا أقل من المطلوب: { $minimum } على الأقل.
fault-too_large = هذا أكبر من المسموح.
fault-reserved = هذا الاسم محجوز. اختر غيره.
fault-taken = هذه القيمة مستخدمة.
fault-not_found = هذا غير موجود.
fault-not_connected = ليس هذا الرقم من أرقام أي اتصال، فتُهمل المكالمات إليه. أضفه أولًا إلى الاتصال الذي تصل إليه.
fault-not_applicable = هذا لا ينطبق هنا.
fault-fixed = لا يمكن تغيير هذا.
fault-excludes = هذا يستبعد حقلًا آخر.
fault-requires = هذا يحتاج إلى حقل آخر.
fault-wrong_order = النهاية قبل البداية.
fault-overlaps = تتداخل الفترات.
fault-in_past = هذا الوقت مضى.
fault-in_future = هذا الوقت في المستقبل.
fault-not_permitted = لا يمكنك منح هذا القدر أو هذه المدة.
fault-weak_password = كلمة المرور هذه سهلة التخمين. اختر بضع كلمات لا رابط بينها.
fault-wrong_secret = هذا ليس الصحيح.
fault-number = اكتب رقمًا، مثل { $example }.
fault-not_whole = اكتب عددًا صحيحًا، مثل { $example }.
fault-fraction = الأرقام بعد الفاصلة العشرية أكثر من اللازم. اكتب مثلًا { $example }.
fault-ambiguous = يمكن أن يُفهم هذا بطريقتين. اكتب { $whole } أو { $fraction }.
fault-negative = اكتب 0 أو أكثر، دون إشارة سالب.
fault-at_most = اكتب { $maximum } على الأكثر.
fault-other_currency = المبالغ هنا بعملة { $currency }. اكتب مثلًا { $example }.
fault-invalid = هذا غير صالح.
fault-example = { $said } مثلًا: { $example }

## What is written in fields, by their names in the API
example-allowed_countries = AE، IN
example-basis = الطلب 1042 في 20 نوفمبر
example-business = مخبز الزعفران
example-country_code = 971
example-country = AE
example-credentials = 0a1b2c3d4e5f60718293a4b5c6d7e8f9
example-currency = USD
example-default = عميلنا العزيز
example-email = noor@example.com
example-name = نور
example-phone = +971 4 555 0123
example-promotion = AD-SAFFRON
example-secret = 0a1b2c3d4e5f60718293a4b5c6d7e8f9
example-sender = SAFFRON
example-slug = saffron-bakery
example-sources = 203.0.113.7
example-start_words = استئناف
example-stop_words = كفى
example-text = نعتذر، فاتتنا مكالمتك.
example-sms_text = نعتذر، فاتتنا مكالمتك.
example-time_zone = Asia/Dubai
example-variable = address
example-variables = 12 ممشى المارينا

## Reasons
reason-other = سبب آخر
reason-follow_up = { $channel } { $send_at ->
    [none] { $delay_seconds ->
        [none] فورًا
       *[other] بعد { GENITIVE($delay_seconds) }
      }
   *[other] في { $send_at } (ساعات الهدوء)
  }{ $next_channel ->
    [none] {""}
   *[other] ، ثم { $next_channel } إن لم تصل خلال { GENITIVE($fallback_after_seconds) }
  }: { $outcome }، القاعدة «{ $rule }»{ $whatsapp_problem ->
    [none] {""}
   *[other] ؛ بلا واتساب: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] ؛ بلا رسالة قصيرة: { $sms_problem }
  }
reason-planned = { $channel } { $send_at ->
    [none] { $delay_seconds ->
        [none] فورًا
       *[other] بعد { GENITIVE($delay_seconds) }
      }
   *[other] في { $send_at } (ساعات الهدوء)
  }{ $next_channel ->
    [none] {""}
   *[other] ، ثم { $next_channel } إن لم تصل خلال { GENITIVE($fallback_after_seconds) }
  }{ $whatsapp_problem ->
    [none] {""}
   *[other] ؛ بلا واتساب: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] ؛ بلا رسالة قصيرة: { $sms_problem }
  }
reason-suspended = النشاط موقوف
reason-outbound = النشاط هو من اتصل بالعميل
reason-withheld = أخفى المتصل رقمه
reason-sip = ليس للمتصل رقم هاتف
reason-own_number = جاءت المكالمة من رقم للنشاط نفسه
reason-unknown_outcome = لم يقل نظام الهاتف هل رُدّ على المكالمة
reason-late = وصل البلاغ متأخرًا، أو لم يكن الإرسال ممكنًا إلا متأخرًا
reason-destination = { $kind ->
    [country] { $country ->
        [none] لا يراسل النشاط أرقامًا بلا دولة
       *[other] لا يراسل النشاط الأرقام في { $country }
      }
    [premium] هذا رقم مرتفع الكلفة، ولا يُراسَل أبدًا
    [shared_cost] هذا رقم مشترك الكلفة، ولا يُراسَل أبدًا
    [satellite] هذا رقم فضائي، ولا يُراسَل أبدًا
   *[other] هذا ليس رقم هاتف صالحًا
  }
reason-opted_out = { $category ->
    [none] رفض الشخص الرسائل: { $refused_at }
   *[other] رفض الشخص { $category }: { $refused_at }
  }
reason-unnecessary = { $event ->
    [stop] رفض الشخص الرسائل منذ ذلك الحين
    [answered_call] تم الحديث مع الشخص هاتفيًا منذ ذلك الحين
    [inbound] كتب الشخص منذ ذلك الحين
    [human_reply] ردّ زميل منذ ذلك الحين
    [by_phone] كُتبت رسالة من هاتف النشاط نفسه منذ ذلك الحين
    [author] ألغاها من طلبها
    [exit] انتهت الحملة لهذا الشخص
    [template_change] تغيّر القالب منذ ذلك الحين
   *[other] حدث ما يجعلها غير لازمة
  }
reason-no_rule = لا أتمتة لهذه المكالمة
reason-no_consent = { $needs ->
    [opt_in] لم يوافق الشخص على الرسائل
   *[other] لا شيء يدل على أن هذا الشخص يريد رسالة
  }
reason-cooldown = آخر رسالة { $last_at }، ولا تتكرر خلال { GENITIVE($cooldown_seconds) }
reason-cap_reached = { $currency ->
    [none] بلغ العدد حدّه: { $maximum } في { $period }
   *[other] بلغت تكلفة الرسائل حدّها بعملة { $currency } في { $period }
  }. يتجدد الحد { $resets_at }
reason-frequency = لا تُرسل رسائل من هذا النوع بهذا التكرار
reason-too_many_open = ينتظر هذا الشخصَ أقصى عدد من الرسائل
reason-quiet_hours = { $country ->
    [none] ساعات الهدوء{ $quiet_from ->
        [none] {""}
       *[other] {" "}من { $quiet_from } إلى { $quiet_to }
      }
   *[other] لا رسائل ترويجية قصيرة إلى { $country } من { $quiet_from } إلى { $quiet_to }
  }
reason-template = القالب أو قيمه غير مناسبة{ $whatsapp_problem ->
    [none] {""}
   *[other] : { $whatsapp_problem }
  }
reason-content = تعذّر إرسال المحتوى{ $whatsapp_problem ->
    [none] {""}
   *[other] : { $whatsapp_problem }
  }
reason-no_channel = لا قناة تصل إلى الشخص{ $whatsapp_problem ->
    [none] {""}
   *[other] . واتساب: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] . رسالة قصيرة: { $sms_problem }
  }
reason-rule_archived = الأتمتة مؤرشفة
reason-rule_inactive = الأتمتة متوقفة
reason-other_outcome = الأتمتة ليست لمكالمات بهذه النتيجة
reason-other_direction = الأتمتة للمكالمات الصادرة، وهي لا تتلوها رسائل
reason-other_line = لم تكن المكالمة إلى أيٍّ من خطوط الأتمتة
reason-other_hours = الأتمتة لساعات أخرى
reason-other_caller = الأتمتة لمتصلين آخرين
reason-other_ring_time = رنّ الهاتف مدة أقصر أو أطول مما ينبغي
reason-other_talk_time = كانت المكالمة أقصر أو أطول مما ينبغي
reason-no_connection = لا اتصال يحمل هذه القناة
reason-not_reached = لم تصل القناة إلى هذا الشخص قبل قليل
reason-no_marketing = لا يوصل واتساب رسائل تسويقية إلى { $country }
reason-country_rule = الرسائل القصيرة إلى { $country }: { $rule ->
    [senders] قد لا تصل رسالة من مرسل كهذا
    [replies] لا يستطيع أحد الرد هناك، والنص يطلب ذلك
    [promotion_mark] يجب أن يبيّن اسم المرسل أن الرسالة ترويجية
    [links] الروابط غير مسموحة أو تُحجب
    [numbers] أرقام الهاتف غير مسموحة في النص
    [promotion] الرسائل الترويجية القصيرة غير مسموحة
    [registration] يجب تسجيل النصوص أو الأرقام هناك أولًا، وأن يذكر الاتصال أنها مسجلة
   *[other] تمنعها قاعدة في البلد
  }{ $sureness ->
    [vendor] {""}
   *[other] {" "}(غير مؤكد)
  }
reason-no_number = لا رقم هاتف معروفًا للشخص
reason-landline = الرقم هاتف ثابت
reason-no_content = ليس في الأتمتة محتوى لهذه القناة
reason-no_text = لا نص بأي لغة
reason-no_template = لا قالب باسم «{ $template }» بهذه اللغة
reason-template_not_approved = القالب «{ $template }» غير معتمد
reason-template_doubted = يُقرأ القالب «{ $template }» من المزوّد مجددًا
reason-template_category = القالب «{ $template }» من فئة غير فئة الرسالة
reason-value_missing = يحتاج القالب «{ $template }» إلى قيمة
reason-value_unexpected = ليس في القالب «{ $template }» متغيّر كهذا
reason-template_broken = القالب المحفوظ «{ $template }» معطوب
reason-no_content_sid = ليس للقالب «{ $template }» معرّف لدى Twilio
reason-value_refused = يرفض واتساب قيمة فارغة أو فيها أسطر أو مسافات كثيرة
reason-text_too_long = النص أطول من المسموح: { $maximum ->
    [zero] { $maximum } حرف
    [one] حرف واحد
    [two] حرفان
    [few] { $maximum } أحرف
    [many] { $maximum } حرفًا
   *[other] { $maximum } حرف
  } على الأكثر
reason-text_empty = النص فارغ
reason-value_unknown = { $source ->
    [none] قيمة غير معروفة وليس لها بديل
   *[other] القيمة «{ $source }» غير معروفة وليس لها بديل
  }
reason-wrong_placeholder = في النص متغيّر غير صالح
reason-asset_unusable = تعذّر إرسال ملف: غير موجود أو غير جاهز أو من نوع آخر
reason-wrong_content = لا تحمل الرسائل القصيرة إلا النص
reason-not_carried_by_twilio = لا يحمل واتساب عبر Twilio محتوى كهذا
reason-too_large_for_twilio = الملف أكبر مما يمرره Twilio
reason-other_number = الرسالة المُجاب عنها تخص رقم واتساب آخر للنشاط
reason-asset_uploading = يُرفع الملف إلى واتساب
reason-wrong_file_kind = لا يقبل واتساب ملفًا من هذا النوع هنا
reason-not_voice = الملف ليس رسالة صوتية
reason-not_carried = لم يعد الاتصال يحمل هذه القناة
reason-no_recipient = لم يُذكر من تُرسل إليه
reason-earlier_reply = يُرسَل رد سابق في المحادثة أولًا
reason-reply_again = هذا رد؛ أعد الرد في المحادثة
reason-conversation_moved = رد شخص آخر في هذه الأثناء
reason-window_closed = لم يكتب الشخص عبر واتساب في آخر 24 ساعة
reason-paused = الرقم موقوف مؤقتًا حتى { $until_at }
reason-pair_rate = لا تُرسل رسائل أخرى بواتساب إلى هذا الشخص حتى { $until_at }
reason-throughput = تنتظر الرسالة دورها: الرقم يرسل بأقصى سرعة مسموحة
reason-connection_broken = يرفض المزوّد الاتصال «{ $connection }»{ $since_at ->
    [none] {""}
   *[other] {" "}منذ { $since_at }
  }
reason-campaign_paused = تنتظر الرسالة: حملتها متوقفة مؤقتًا
reason-campaign_resumed = لم تعد حملتها متوقفة مؤقتًا
reason-campaign_cancelled = أُلغيت حملتها أو حُذفت
reason-same_person = تصل الرسالة إلى جهة اتصال أخرى للشخص نفسه
reason-contact_merged = دُمجت جهة الاتصال في جهة أخرى، وتصل الرسالة إليها إن أمكن
reason-segment_unusable = حُذف وسم الحملة أو شريحة من شرائحها أو حقل من حقول شريحة
reason-failure_rate = فشلت { $percent } % من رسائلها
reason-low_quality = صنّفت Meta جودة قالبها أو رقمها على أنها منخفضة
reason-opt_out_rate = رفض { $percent } % من الأشخاص مزيدًا من الرسائل بعدها
reason-provider_refused = رفض المزوّد الرسالة (الرمز { $provider_code })
reason-not_accepted = لم يقبل المزوّد الرسالة
reason-unconfirmed = لم يقل المزوّد إن كان قبل الرسالة
reason-contact_deleted = حُذفت جهة الاتصال
reason-recipient_removed = أُزيل الرقم من جهة الاتصال
reason-replaced = حلّت محلها رسائل أحدث إلى هذا الشخص
reason-not_failed = لم تفشل الرسالة
reason-automatic_answer = لا تُرسل الردود التلقائية مجددًا
reason-nothing_left = لم يبقَ من الرسالة ما يُلغى
reason-awaits_reports = ما زالت بلاغات المزوّد منتظرة
reason-decided_again = اتُّخذ القرار مجددًا لأن النتيجة وصلت لاحقًا
reason-recording = ترك المتصل تسجيلًا مدته { $seconds }
reason-answered_after_all = وصل لاحقًا أنه رُدّ على المكالمة
reason-asked = كتب العميل «{ $word }»
reason-follow_up_cancelled = أُلغي ما بقي من المتابعة لأن العميل كتب أولًا
reason-answered_already = أُعطي الرد التلقائي نفسه قبل قليل
reason-answered_often = تلقى هذا الشخص أقصى عدد من الردود التلقائية في يوم
reason-stored_shortened = حُفظت الرسالة مختصرة
reason-sent_by_phone = أُرسلت من هاتف النشاط نفسه
reason-no_country = لم يُحدَّد بلد النشاط
reason-no_language = لم تُحدَّد لغة
reason-no_own_number = لم يُحدَّد رقم الهاتف الذي تذكره الرسائل
reason-no_hours = لم تُحدَّد ساعات العمل
reason-never_open = النشاط مغلق طوال الأسبوع
reason-no_calls = لا اتصال يبلغ عن المكالمات، فلا تُلاحَظ المكالمات الفائتة
reason-line_problem = في الخط «{ $line }» مشكلة: { $problem }
reason-no_webhook_secret = ليس للاتصال «{ $connection }» بيانات للتحقق من البلاغات
reason-test_failed = فشل آخر اختبار للاتصال «{ $connection }»
reason-test_unclear = لم يُجب المزوّد عن آخر اختبار للاتصال «{ $connection }»
reason-not_tested = لم يُختبر الاتصال «{ $connection }» منذ آخر تغيير فيه
reason-no_sender = لا اتصال يرسل عبر { $channel }
reason-channel_unused = لا أتمتة مفعّلة تستخدم { $channel }
reason-no_templates = لا يوجد قالب
reason-none_approved = لا قالب معتمدًا
reason-no_active_rule = لا أتمتة مفعّلة
reason-rule_invalid = الأتمتة «{ $rule }» غير صالحة: { $problem }
reason-rule_obstacle = لا تستطيع الأتمتة «{ $rule }» استخدام إحدى القنوات{ $whatsapp_problem ->
    [none] {""}
   *[other] . واتساب: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] . رسالة قصيرة: { $sms_problem }
  }
reason-line_without_sender = ليس للخط «{ $line }» مرسل خاص عبر { $channel }، فيرسل اتصال آخر
reason-always_quiet = ساعات الهدوء من { $quiet_from } إلى { $quiet_to } تُسقط معظم الرسائل
reason-hours_never = النشاط لا يفتح أبدًا أو لا يغلق أبدًا، فلا تطابق أي مكالمة
reason-unreached = تُجرَّب قبلها «{ $rule }» وتأخذ كل مكالماتها
reason-drip_not_running = لم تبدأ سلسلة الرسائل أو هي متوقفة مؤقتًا، فلا تصل رسائلها إلى المتصلين
reason-looks_like_marketing = تبدو «{ $word }» عرضًا، فقد يُعدّ القالب تسويقيًا
reason-looks_like_code = تبدو «{ $word }» رمزًا لمرة واحدة، ولهذا فئة خاصة في واتساب
