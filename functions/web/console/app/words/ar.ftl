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
back-to-log-in = العودة إلى تسجيل الدخول
has-account = لديّ حساب
sign-up-why = يرد Ringback على مكالماتك الفائتة خلال ثوانٍ عبر واتساب أو الرسائل القصيرة.
sign-up-done = أرسلنا رسالة إلى { $email }. افتح الرابط الذي فيها لإنشاء نشاطك.
sign-up-nothing = لم تصل الرسالة؟ ابحث عنها في البريد غير المرغوب فيه، أو اطلب إرسالها مجددًا. تصل إلى العنوان الواحد 5 رسائل في الساعة و10 رسائل في اليوم على الأكثر.
mail-again = إرسال الرسالة مجددًا
mail-sent-again = إن لم تصل إلى هذا العنوان 5 رسائل في هذه الساعة ولا 10 رسائل اليوم، فهناك رسالة أخرى في الطريق. استخدم أحدث رسالة تصل.
sign-up-other = استخدام عنوان آخر
sign-up-other-why = هذا تسجيل جديد بما أدخلته. يبقى الاسم في العناوين محجوزًا للعنوان الأول يومًا واحدًا، ولذلك يُقترح اسم آخر.
business-name = اسم النشاط التجاري
business-slug = الاسم في الروابط
business-slug-hint = أحرف لاتينية صغيرة a إلى z وأرقام وشرطات: { $host }/app/…
your-name = اسمك
verify-why = أدخل كلمة المرور التي اخترتها عند التسجيل. إن لم تكن أنت، فأغلق هذه الصفحة.
link-incomplete = الرابط ناقص. افتحه من الرسالة مجددًا.
forgot-why = نرسل إليك رابطًا لاختيار كلمة مرور جديدة.
forgot-send = إرسال الرابط
forgot-done = إن كان للعنوان { $email } حساب، فستصله رسالة فيها رابط.
reset-save = تعيين كلمة المرور
reset-done = تم تغيير كلمة المرور.
accept = انضمام
accept-new = ليس لديك حساب في Ringback بالعنوان { $email } بعد. اختر اسمًا وكلمة مرور.
accept-known = تنضم بحسابك { $email } وتبقى كلمة مروره كما هي.
accept-done = أنت الآن عضو في { $business }.
accept-who = يدعوك { $inviter } للعمل مع { $business } بدور { $role }. { $may }
accept-invited = تمت دعوتك للعمل مع { $business } بدور { $role }. { $may }
accept-may-viewer = يمكنك قراءة كل شيء.
accept-may-agent = يمكنك قراءة كل شيء ومراسلة العملاء.
accept-may-manager = يمكنك قراءة كل شيء ومراسلة العملاء وتغيير الإعدادات.
accept-may-admin = يمكنك قراءة كل شيء ومراسلة العملاء وتغيير الإعدادات وإدارة الأشخاص والمفاتيح.

## My account
account-profile = الملف الشخصي
account-preferences = المظهر واللغة
account-language = اللغة
account-theme = المظهر
account-theme-system = حسب الجهاز
account-theme-light = فاتح
account-theme-dark = داكن
account-numerals = الأرقام في النصوص
account-numerals-auto = كالمعتاد في المنطقة
account-numerals-latin = 0 1 2 3
account-numerals-arabic = ٠ ١ ٢ ٣
account-clock = صيغة الوقت
account-clock-auto = كالمعتاد في المنطقة
account-clock-12h = 2:05 م
account-clock-24h = 14:05
account-density = الصفوف
account-density-regular = عادية
account-density-comfortable = أعلى
account-security = أمان الحساب
account-security-why = إن رأيت ما لا تعرفه فغيّر كلمة المرور.
security-logged_in = تسجيل دخول
security-second_factor_asked = قُبلت كلمة المرور وطُلب الرمز
security-log_in_refused = رُفض تسجيل الدخول
security-log_in_limited = محاولات دخول كثيرة جدًا
security-logged_out = تسجيل خروج
security-logged_out_everywhere = تسجيل خروج من كل الأجهزة
security-token_reused = أُنهيت جلسة لأن رمزها استُخدم مرتين
security-reset_asked = طُلبت كلمة مرور جديدة بالبريد
security-password_reset = عُيّنت كلمة المرور برابط في رسالة
security-password_changed = غُيّرت كلمة المرور
security-second_factor_on = فُعّل العامل الثاني
security-second_factor_off = أُوقف العامل الثاني
security-recovery_codes_replaced = رموز استرداد جديدة
security-recovery_code_used = استُخدم رمز استرداد
security-platform_right_given = عُيّن مديرًا للمنصة
security-platform_right_taken = لم يعد مديرًا للمنصة
security-proof_refused = كلمة مرور أو رمز خاطئ أثناء الجلسة
security-other = حدث آخر
security-times = { $n ->
    [zero] (لم يتكرر)
    [one] (مرة واحدة)
    [two] (مرتان)
    [few] ({ $n } مرات)
    [many] ({ $n } مرة)
   *[other] ({ $n } مرة)
  }
account-mails = الرسائل البريدية
account-mails-why = تصل إلى المشرفين ومديري النظام رسالة عندما يحتاج شيء إلى انتباههم. ويصل إلى الموظفين تنبيه عندما ينتظر عملاء ردًا.
mail-connection_refused = مزوّد يرفض أحد الاتصالات
mail-template_paused = قالب موقوف مؤقتًا أو مرفوض
mail-automation_unmatched = أتمتة لم تعد تعمل
mail-cap_nearly_reached = حدٌّ أوشك على بلوغه
mail-campaign_paused = حملة أوقفت نفسها مؤقتًا
mail-customers_wait = رسالة من عميل لم يقرأها أحد لفترة طويلة
account-password-why = تنتهي الجلسات الأخرى، وتبقى هذه.
account-password-current = كلمة المرور الحالية
account-password-change = تغيير كلمة المرور
account-sessions = الأجهزة التي سجّلت الدخول منها
account-session-this = هذه الجلسة
account-session-end = تسجيل الخروج
account-device-unknown = جهاز غير معروف
account-log-out-everywhere = تسجيل الخروج من كل الأجهزة

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
settings-set-up = من أول اتصال بمزوّد إلى أول مكالمة تمت متابعتها، في خمس صفحات
set-up-business = النشاط
set-up-telephone = الهاتف
set-up-messages = الرسائل
set-up-text = ماذا تقول
set-up-try = جرّبه
set-up-done = مكتمل
set-up-open = غير مكتمل
set-up-missing = ما ينقص في هذه الصفحة
set-up-later = لاحقًا
set-up-left = { $place } من { $of } · بقي نحو { $n ->
    [zero] { $n } دقيقة
    [one] دقيقة واحدة
    [two] دقيقتين
    [few] { $n } دقائق
    [many] { $n } دقيقة
   *[other] { $n } دقيقة
  }
set-up-skip = تخطٍّ الآن
set-up-save = حفظ ومتابعة
set-up-go-on = متابعة الإعداد
set-up-another = ربط مزوّد آخر
set-up-change = تغييره
set-up-phone = رقم الهاتف في الرسائل
set-up-phone-hint = الرقم الذي يصل به العملاء إليك، كما ينبغي أن يقرؤوه
set-up-telephone-why = يعرف Ringback بالمكالمات الفائتة من هاتفك. يلزم اتصال واحد يبلّغ عن المكالمات.
telephone-which = أي هاتف لديكم؟
telephone-line = خط عادي أو هاتف محمول
telephone-cloud = رقم لدى Twilio أو Aircall أو Vonage أو Exotel أو Plivo
telephone-system = نظام هاتف خاص بنا
forward-number = أولًا: رقم لدى Twilio
forward-number-why = يظل خطك يرن كما كان. تُحوَّل المكالمات التي لا يرد عليها أحد إلى رقم لدى Twilio، ويراسل Ringback المتصل. اشترِ رقمًا هناك وأدخله أدناه، ثم اطلب الأكواد التي ستظهر هنا.
forward-rings = لا يمكن لخطك التحويل إلا إلى اتصال لا ترن مكالماته. ما يلي ليس كذلك: اختر «لا ترن» فيه، أو اربط رقمًا آخر أدناه.
forward-greeting = شكرًا لاتصالك. لا يمكننا الرد الآن.
forward-codes = اطلب هذا من خطك
forward-codes-why = أدخل كل كود كأنه رقم تتصل به، واضغط زر الاتصال إن كان هاتفك محمولًا. عندئذ تذهب المكالمات التي لا يُرد عليها إلى
forward-network = شبكتك
forward-network-other = شبكة محمول أخرى
forward-network-landline = { $name }، خط أرضي
forward-no_reply = عندما لا يرد أحد
forward-unreachable = عندما يكون الهاتف مغلقًا أو خارج التغطية
forward-busy = عندما يكون الخط مشغولًا
forward-no_reply_or_busy = عندما لا يرد أحد أو يكون الخط مشغولًا
forward-end = للإنهاء:
forward-sure-published = توجد هذه الأكواد في صفحة لهذه الشبكة.
forward-sure-reported = يذكر آخرون هذه الأكواد لهذه الشبكة. تؤكدها الشبكة بعد الطلب، وإلا فاسألها.
forward-sure-standard = هذه هي الأكواد المعتادة لشبكات المحمول. تؤكدها شبكتك بعد الطلب، وإلا فاسألها عن تحويل المكالمات المشروط.
forward-landline = في خط أرضي غير مذكور هنا اطلب من شبكتك التحويل إلى هذا الرقم عندما لا يرد أحد. تكلّف المكالمة المحوَّلة ما تكلّفه مكالمة منك إليه.
set-up-messages-why = تصل الرسالة إلى العملاء عبر واتساب أو رسالة قصيرة. يكفي أحدهما، ومع كليهما تصل الرسالة القصيرة إلى من ليس لديه واتساب.
set-up-text-why = هذا ما يصل إلى العميل بعد مكالمة لم يرد عليها أحد. غيّره ليكون بأسلوبك.
set-up-text-sms = نص الرسالة القصيرة
set-up-text-name = المكالمات الفائتة
set-up-text-first = { $name }: نعتذر، فاتتنا مكالمتك. كيف يمكننا مساعدتك؟ أرسل STOP لإيقاف الرسائل.
set-up-text-create = تشغيل
set-up-template-why = لا يسمح واتساب برسالة أولى إلا بقالب وافقت عليه Meta.{ $falls ->
    [yes] {" "}حتى ذلك الحين تصل الرسالة القصيرة إلى العملاء.
   *[no] {""}
  }
set-up-template-choose = اختيار قالب
set-up-template-use = استخدام هذا القالب
set-up-template-approved = تمت الموافقة عليه
set-up-template-waits = لم تتم الموافقة عليه بعد
set-up-try-call = اتصل بهذا الرقم من هاتف آخر، ودعه يرن ثم أغلق الخط
set-up-try-line = اتصل بخطك من هاتف آخر ولا ترد على المكالمة
set-up-try-number = اتصل بأحد أرقامك المربوطة.
set-up-try-how = تعرض الصفحة من تلقاء نفسها ما يحدث. يجب ألا يكون رقم المتصل مخفيًا.
set-up-try-waiting = بانتظار مكالمة
set-up-try-heard = تم الإبلاغ عن مكالمة من
set-up-try-decision = يقرر Ringback بشأن الرسالة
set-up-try-sent = استلم { $channel } الرسالة
set-up-try-took = بعد القرار بـ { GENITIVE($time) }
set-up-try-open = فتح المكالمة
set-up-try-team = دعوة فريقك
set-up-try-calls = فتح المكالمات
set-up-nothing = لم يصل شيء منذ نصف دقيقة. تحقق مما يلي:
set-up-nothing-codes = طلبت الأكواد وأكدتها شبكتك.
set-up-nothing-address = العناوين أدناه مدخلة في لوحة المزوّد كما هي هنا تمامًا، عند الرقم الذي تتصل به.
set-up-nothing-number = الرقم الذي تتصل به من أرقام الاتصال.
set-up-nothing-answered = انتهت المكالمة ولم يرد عليها أحد. بعض الأنظمة تبلّغ عن المكالمة بعد نصف دقيقة من انتهائها.
set-up-cause = لماذا لم يحدث شيء بعدها
set-up-cause-own_flow = طلب Twilio من Ringback أن يقول له ما يفعله بهذه المكالمة. لكن الاتصال يقول إن شيئًا آخر يرد على مكالماتك، فلم يفعل Ringback شيئًا وانتهت المكالمة. اختر أين يجب أن ترن المكالمات. يعمل ذلك من المكالمة التالية.
set-up-cause-mended = عندما اتصلت، كان الاتصال يقول إن شيئًا آخر يرد على مكالماتك، فانتهت المكالمة. تم تغيير ذلك منذئذ. اتصل مرة أخرى.
set-up-cause-unreported = رد شيء آخر على هذه المكالمة، ولم يبلّغ هل وصلت إلى أحد. اجعله يبلّغ العنوان «call status changes» عن كل هاتف يجعله يرن («statusCallback»)، أو دع Ringback يرد على مكالماتك.
set-up-cause-elsewhere = يقول الاتصال أين يجب أن ترن المكالمات، لكن Twilio لم يسأل Ringback عن هذه المكالمة. ألصق العنوان «a call comes in» عند الرقم الذي اتصلت به.
set-up-cause-open = فتح الاتصال

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
column-outcome = النتيجة
column-message = الرسالة
column-state = الحالة
column-name = الاسم
column-phones = الهاتف
column-last-call = آخر مكالمة
column-calls = المكالمات
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

channel = القناة
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

purpose = الغرض
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
calls-search-more = هذه أحدث مكالمات أول من وُجد. اكتب المزيد من الاسم أو الرقم لترى غيرها.
calls-empty = لا مكالمات في هذه الأيام. تظهر هنا كل مكالمة مع الرسالة التي تلتها والسبب.
calls-followed = المتابعة
calls-followed-yes = تمت متابعتها
calls-followed-no = لم تُتابَع
calls-stopped-yes = أوقفها حدّ أو عطل
calls-answer = الرد
calls-unanswered-yes = لم يردّ أحد
call-talk = الحديث
call-ring = الرنين
no-message = لا رسالة: { $reason }
decision = القرار
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
yes = نعم
no = لا
never = أبدًا
call-reported = ما أبلغ به نظام الهاتف
call-started = البداية
call-decided = وقت القرار
call-provider = نظام الهاتف
call-recordings = التسجيلات
recording-listen = استماع
recording-voicemail = رسالة صوتية
recording-call = تسجيل المكالمة
remarks = ما حدث بعد ذلك
open-message = فتح الرسالة
open-contact = فتح جهة الاتصال

## Inbox
title-inbox = صندوق الوارد
title-conversation = محادثة
menu-more = المزيد
inbox-empty = لا محادثات مفتوحة. يظهر هنا كل من يكتب، أو يتصل فلا يرد عليه أحد.
inbox-mentions-empty = لا ملاحظة تشير إليك. يمكن لزملائك أن يشيروا إليك في ملاحظاتهم عن عميل.
inbox-views = محادثات من
inbox-view-mine = محادثاتي
inbox-view-unassigned = بلا مسؤول
inbox-view-all = الكل
inbox-view-mentions = إشارات إليك
inbox-count-waiting = بانتظار رد
inbox-count-open = مفتوحة
inbox-state-open = مفتوحة
inbox-state-pending = معلّقة
inbox-state-snoozed = مؤجلة
inbox-state-closed = مغلقة
inbox-snoozed-until = مؤجلة حتى { $at }
inbox-waiting-yes = بانتظار رد، الأطول انتظارًا أولًا
inbox-waiting-no = رُدّ عليها
inbox-read = القراءة
inbox-read-no = لم تُقرأ بعد
inbox-window = واتساب
inbox-window-open = نصوص من عندك حتى { $at }
inbox-window-closed = قوالب فقط منذ { $at }
inbox-person = المسؤول
inbox-nobody = لا أحد
inbox-you = أنت
inbox-colleague = أحد الزملاء
inbox-software = برنامج آخر
inbox-team = الفريق
inbox-team-none = بلا فريق
inbox-unread = غير مقروء: { $n }
inbox-waits = ينتظر منذ { $since }
inbox-priority-high = عاجلة
inbox-priority-low = غير عاجلة
inbox-unnamed = عميل بلا اسم
inbox-write = كتابة
inbox-thread = الرسائل والمكالمات
inbox-about = عن المحادثة
inbox-reply-to = يصل الرد إلى
inbox-reply-hidden = واتساب العميل، ورقمه لا يعرفه إلا واتساب
inbox-take = أتولاها
inbox-leave = إسنادها إلى لا أحد
inbox-reopen = فتح من جديد
inbox-set-aside = تعليق
inbox-close = إغلاق
inbox-changed = كتب العميل في هذه الأثناء، أو غيّر أحد الزملاء شيئًا، فلم يُحفظ تغييرك. انظر ما الجديد ثم أعد المحاولة.
inbox-continued = فتح المحادثة الأخرى

## Messages
messages-empty = لا رسائل في هذه الأيام. تظهر هنا الرسائل إلى العملاء وردودهم.
message-new = رسالة جديدة
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
message-send-at = موعد الإرسال
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
content-kind-reaction = تفاعل
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
phone-example = مثل { $national } أو { $example }
phone-example-whole = مثل { $example }
phone-read = قُرئ هكذا:
phone-unknown = قُرئ رقمًا غير معروف هناك. تحقّق منه:
phone-kind-mobile = هاتف محمول
phone-kind-landline = هاتف أرضي
phone-kind-toll_free = مجاني للمتصل
phone-kind-premium = بتعرفة مرتفعة
new-channel = عبر
new-channel-both = واتساب، وإلا فرسالة قصيرة
new-text = النص
new-category = الموضوع
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
new-would = ستُرسل: { $reason }
new-would-not = لن تُرسل: { $reason }
new-leave = هل تغادر الصفحة؟ سيضيع ما كتبته.
new-tab = (يُفتح في علامة تبويب جديدة)

## Contacts
contacts-empty = لا جهات اتصال بعد. يظهر هنا كل من يتصل أو يكتب.
contacts-search = بحث
contacts-search-hint = كلمات من الاسم، أو الرقم بأي كتابة، أو آخر أربعة أرقام منه على الأقل
contact-none = لا أحد يطابق البحث.
contact-profile = الملف الشخصي
contact-language = اللغة
contact-tags = الوسوم
contact-source = المصدر
contact-email = البريد الإلكتروني
contact-may = يمكن مراسلته
contact-may-yes = نعم
contact-may-no = لا، رفض في { $day }
contact-may-no-marketing = نعم، لكن بلا رسائل تسويقية
contact-created = معروف منذ
contact-timeline = السجل الزمني
contact-timeline-empty = لم يحدث شيء بعد.
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

## Automations
title-automations = الأتمتة
title-automation = أتمتة
title-new-automation = أتمتة جديدة
title-try-automations = تجربة على مكالمة
automations-why = أول أتمتة تطابق المكالمة هي التي تقرر.
automations-empty = لا توجد أتمتة. من دونها لا تتلو أيَّ مكالمة رسالة.
automations-archived = عرض المؤرشفة
automations-current = عرض الحالية
automations-archived-why = لا تطابق الأتمتة المؤرشفة أي مكالمة، ويمكن استعادتها.
automations-archived-empty = لا شيء مؤرشفًا.
automations-order = الترتيب
automations-earlier = تقديم «{ $name }»
automations-later = تأخير «{ $name }»
automations-moved = { $name }: الموضع { $place } من { $of }
automation-does = { $outcomes }{ $lines ->
    [none] {""}
   *[other] {" "}إلى { $lines }
  }{ $hours ->
    [open] {" "}والنشاط مفتوح
    [closed] {" "}والنشاط مغلق
   *[any] {""}
  }{ $caller ->
    [new] {" "}من متصل جديد
    [known] {" "}من متصل معروف
   *[any] {""}
  }: { $channel } { $delay ->
    [none] فورًا
   *[other] بعد { GENITIVE($delay) }
  }{ $next ->
    [none] {""}
   *[other] ، وإلا { $next }
  }{ $cooldown ->
    [none] {""}
   *[other] ، مرة واحدة على الأكثر خلال { GENITIVE($cooldown) }
  }
labelled = { $label }: { $text }
automation-line-deleted = خط محذوف
automation-on = مفعّلة
automation-off = متوقفة
automation-archived = مؤرشفة
automation-restored = مستعادة
automation-enabled = مفعّلة
automation-when = متى
automation-outcomes = نتيجة المكالمة
automation-hours = النشاط
automation-hours-any = مفتوح أو مغلق
automation-hours-open = مفتوح
automation-hours-closed = مغلق
automation-caller = المتصل
automation-caller-any = أي شخص
automation-caller-new = جديد: لم يتصل ولم يكتب من قبل
automation-caller-known = معروف: اتصل أو كتب من قبل
automation-when-more = الخطوط والمدد
automation-lines = المكالمات إلى
automation-lines-hint = من دون اختيار: المكالمات إلى كل الخطوط.
automation-min_ring_seconds = أقل مدة رنين بالثواني
automation-max_ring_seconds = أطول مدة رنين بالثواني
automation-min_talk_seconds = أقل مدة حديث بالثواني
automation-max_talk_seconds = أطول مدة حديث بالثواني
automation-then = عندئذٍ
automation-channels = { $one }، وإلا { $other }
automation-channel-only = { $one } فقط
automation-template = قالب واتساب
automation-template-none = اختر قالبًا
automation-template-one = { $name }، { $language }{ $sendable ->
    [yes] {""}
    [gone] {" "}(غير موجود)
   *[no] {" "}(غير معتمد)
  }
automation-by-language = بلغة العميل إن وُجدت نسخة بها
automation-value = قيمة { $name }
automation-value-header = القيمة في الترويسة
automation-media-image = الصورة في الترويسة
automation-media-video = الفيديو في الترويسة
automation-media-document = المستند في الترويسة
automation-media-none = اختر ملفًا
automation-media-other = ملف آخر
automation-media-hint = تُرفع ملفات النشاط عبر واجهة API.
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
sample-name = { $language ->
    [ar] ليلى حداد
   *[other] Layla Haddad
  }
sample-first-name = { $language ->
    [ar] ليلى
   *[other] Layla
  }
text-insert = إدراج قيمة
text-insert-hint = يُستخدم النص الذي بعد الخط إن لم تُعرف القيمة: { $example }
automation-delay = الانتظار قبل الإرسال
automation-delay-hint = إن أمكن الوصول إلى العميل في هذه الأثناء فلا يُرسل شيء.
automation-cooldown = لا تتكرر خلال
automation-cooldown-hint = لا يتلقى الشخص نفسه متابعة أخرى في هذه المدة. 0: بلا حد.
automation-then-more = الموافقة وساعات الهدوء وغيرها
automation-fallback = القناة الثانية بعد
automation-fallback-hint = إن لم تصل الرسالة حتى ذلك الحين. 0: فقط إن فشلت القناة الأولى.
automation-category-utility = المكالمة
automation-category-marketing = عرض، ويتطلب موافقة
automation-consent = من يتلقاها
automation-consent-caller_initiated = كل من اتصل
automation-consent-opt_in_only = من وافق على الرسائل فقط
automation-quiet-tenant = ساعات هدوء النشاط
automation-unknown = إن لم يقل المزوّد هل أرسل
automation-unknown-hint = قد تصل القناة الثانية إلى الشخص مرتين.
automation-unknown-usual = كالمعتاد لمثل هذه الرسائل
automation-unknown-next_channel = استخدام القناة الثانية
automation-unknown-stop = عدم إرسال أي شيء آخر
automation-archive = أرشفة: لا تُتابَع بها أي مكالمة
automation-archive-why = تحتفظ بموضعها وسجلها ويمكن استعادتها. تُرسل الرسائل التي تنتظر من قبل.
automation-archived-done = تمت الأرشفة.
automation-restore = استعادة: تتابع المكالمات مجددًا
automation-restore-why = تعود كما كانت، في موضعها السابق.
automation-field-name = الاسم
automation-field-enabled = التفعيل
automation-field-priority = الترتيب
automation-field-outcomes = النتائج
automation-field-direction = الاتجاه
automation-field-lines = الخطوط
automation-field-hours = الساعات
automation-field-caller = المتصل
automation-field-min_ring_seconds = أقل رنين
automation-field-max_ring_seconds = أطول رنين
automation-field-min_talk_seconds = أقل حديث
automation-field-max_talk_seconds = أطول حديث
automation-field-channels = القنوات
automation-field-category = نوع الرسالة
automation-field-template = القالب
automation-field-sms_text = نص الرسالة القصيرة
automation-field-delay_seconds = الانتظار
automation-field-fallback_after_seconds = مهلة القناة الثانية
automation-field-cooldown_seconds = المدة حتى المتابعة التالية
automation-field-quiet_hours = ساعات الهدوء
automation-field-consent = الموافقة
automation-field-when_unknown = الإرسال غير المؤكد
automation-field-enroll = سلسلة الرسائل
automation-ring = مدة الرنين بالثواني
versions = الإصدارات
version = الإصدار { $n }
version-first = أُنشئت
version-taken = في النموذج الآن ما كان في الإصدار { $n }. لم يُحفظ شيء بعد.
version-take = نقل إلى النموذج
version-changed = ما تغيّر
version-was = قبل
version-is = بعد
automation-header_media = الملف في الترويسة
text-price = نحو { $cost } إلى رقم في بلدك
text-price-unknown = كلفتها إلى رقم في بلدك غير معروفة.
people-away = المعطَّلون: { $n }
people-away-why = لا حق لهم في الدخول. يبقى ما أنجزوه بأسمائهم، ولذلك لا يُحذف أحد.
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
try-title = تجربة
try-why = لا يُرسل شيء ولا يُحفظ شيء. ما يقرر في المكالمات الحقيقية يقرر هنا.
try = تجربة
try-on = على
try-recorded = مكالمة مسجّلة لدينا
try-invented = مكالمة افتراضية
try-call = { $at }، { $who }، { $outcome }
try-this-call = المكالمة التي فتحتها
try-no-calls = لا مكالمات بعد. جرّب مكالمة افتراضية.
try-phone = الرقم المتصل
try-rules = الأتمتة بترتيبها
try-unnamed = أتمتة جديدة
try-draft = (كما في النموذج)
try-decides = تطابق وتقرر
try-passed = كانت ستطابق أيضًا
try-message = الرسالة
try-checks = { $n ->
    [zero] لم ينجح أي فحص.
    [one] نجح فحص واحد.
    [two] نجح فحصان.
    [few] نجحت { $n } فحوص.
    [many] نجح { $n } فحصًا.
   *[other] نجح { $n } فحص.
  }
call-try = تجربة القواعد على هذه المكالمة
message-later = { $channel } في { $at }{ $reason ->
    [none] {""}
   *[other] : { $reason }
  }
message-again = تُعاد المحاولة حتى { $until }: { $reason }
new-would-wait = لن تُرسل بعد: { $reason }. ستُعاد المحاولة حتى { $until }.
new-send-at = إرسال في { $at }
new-send-waiting = إرسال في أقرب وقت ممكن
text-unknown = { $value } غير معروفة، فلا يمكن حفظ النص.{ $right ->
    [none] {" "}اختر قيمة من «إدراج قيمة».
   *[other] {" "}اكتب { $right } بدلًا منها.
  }
replay-old = تغيّر النموذج منذ ذلك. أعد المقارنة.
replay-got = تلقّت
replay-would = كانت ستتلقى
replay-by = رسالة من «{ $rule }»
try-message-otherwise = الرسالة التي كانت ستُرسل لولا ذلك
write-message = كتابة رسالة
people-until = صالحة حتى { $at }
people-new = دعوة شخص
text-unnamed = { $language ->
    [ar] عميلنا العزيز
    [en] there
   *[other] {""}
  }
replay = آخر المكالمات
replay-why = ماذا كان النموذج سيفعل بمكالمات آخر 31 يومًا، 500 على الأكثر؟
replay-run = مقارنة
replay-unchanged = { $n } من { $of } من المكالمات تبقى كما كانت.
replay-more = { $n ->
    [zero] لا رسائل إضافية
    [one] رسالة إضافية لمكالمة واحدة
    [two] رسالتان إضافيتان لمكالمتين
    [few] رسائل إضافية لـ { $n } مكالمات
    [many] رسائل إضافية لـ { $n } مكالمة
   *[other] رسائل إضافية لـ { $n } مكالمة
  }
replay-fewer = { $n ->
    [zero] لا مكالمات تبقى بلا رسالة
    [one] مكالمة واحدة تبقى بلا رسالة
    [two] مكالمتان تبقيان بلا رسالة
    [few] { $n } مكالمات تبقى بلا رسالة
    [many] { $n } مكالمة تبقى بلا رسالة
   *[other] { $n } مكالمة تبقى بلا رسالة
  }
replay-different = { $n ->
    [zero] لا مكالمات تتلوها رسالة مختلفة
    [one] مكالمة واحدة تتلوها رسالة مختلفة
    [two] مكالمتان تتلوهما رسالة مختلفة
    [few] { $n } مكالمات تتلوها رسالة مختلفة
    [many] { $n } مكالمة تتلوها رسالة مختلفة
   *[other] { $n } مكالمة تتلوها رسالة مختلفة
  }

## Settings
title-settings = الإعدادات
title-business = النشاط التجاري
title-connections = الاتصالات
title-connection = اتصال
title-new-connection = ربط مزوّد
title-lines = الخطوط
title-people = الأشخاص
settings-connections = واتساب والرسائل القصيرة وأنظمة الهاتف، وهل تعمل
settings-lines = الأرقام التي يتصل بها العملاء
settings-people = من ينتمي إلى النشاط وبأي دور
settings-business = الاسم والبلد والمنطقة الزمنية وساعات العمل
business-zone = المنطقة الزمنية
business-country = البلد
business-country-hint = تُقرأ الأرقام التي بلا رمز دولة على أنها من هذا البلد.
business-languages = لغات عملائك
language-other = لغة أخرى
language-first = لمن لا تُعرف لغته
business-hours-hint = مثل ⁦9-18⁩ أو «٩ ص - ١ م، ٤ م - ٩ م». اليوم الذي بلا ساعات مغلق.
hours-days = في ساعات محددة
hours-always = مفتوح دائمًا
hours-none = لا ساعات لأي يوم، فيُعدّ النشاط مفتوحًا دائمًا.
hours-read = قُرئت هكذا: { $hours }
hours-pick = اختر ساعات { $day }
hours-from = من
hours-to = إلى
hours-add = أضف ساعات
hours-same = { $hours } في كل الأيام
business-closed = مغلق
connections-empty = لا مزوّد متصلًا. صِل نظام هاتف لملاحظة المكالمات الفائتة، وواتساب أو Twilio للرد عليها.
connection-kind-whatsapp = واتساب
connection-kind-twilio = Twilio
connection-kind-telephony = نظام هاتف آخر
connection-kind-aircall = Aircall
connection-kind-vonage = Vonage
connection-kind-exotel = Exotel
connection-kind-plivo = Plivo
connection-kind = المزوّد
connection-state = الحالة
connection-numbers = الأرقام
connection-healthy = يعمل
connection-unhealthy = مرفوض
connection-refused = محفوظ، لكنه مرفوض
connection-unclear = لم يُجب المزوّد
connection-since = منذ { $at }
connection-stopped = مكالمات آخر 7 أيام التي أُوقفت رسالتها
connection-untested = لم يُختبر
connection-deaf = السرّ ناقص
connection-deaf-why = لا شيء يتحقق مما يبلّغ به المزوّد، فتُرفض ردود العملاء وإشعارات الوصول وطلبات STOP. عيّن بيانات الدخول.
connection-unheard = لم يصل بلاغ بعد
connection-unheard-why = حتى يصل أول بلاغ من WhatsApp ويُتحقق منه، لا يُعرف هل تصل الردود وإشعارات الوصول وطلبات STOP. اكتب إلى الرقم من هاتف لترى ذلك.
webhooks-refused = بلاغات مرفوضة
webhooks-refused-why = { $n ->
    [zero] لم يُرفض بلاغ في آخر يوم.
    [one] رُفض بلاغ في ساعة واحدة من آخر يوم.
    [two] رُفضت بلاغات في ساعتين من آخر يوم.
    [few] رُفضت بلاغات في { $n } ساعات من آخر يوم.
    [many] رُفضت بلاغات في { $n } ساعة من آخر يوم.
   *[other] رُفضت بلاغات في { $n } ساعة من آخر يوم.
  } يستطيع أي أحد إرسال بلاغ، لكن إن كان من WhatsApp فالردود وطلبات STOP تضيع. الأحدث:
webhook-refused-no_secret = ليس للاتصال سرّ لتطبيق Meta يُتحقق به. عيّن بيانات الدخول.
webhook-refused-unsigned = لم يكن موقّعًا، فمن المستبعد أنه من WhatsApp.
webhook-refused-other_secret = كان موقّعًا بسرّ آخر. قارن السرّ بسرّ تطبيقك لدى Meta وعيّن بيانات الدخول.
webhook-refused-other_token = كان رمز التحقق مختلفًا. دوّر السرّ دون إدخال سرّ، فيُنشأ رمز جديد.
connection-health = السلامة
connection-test = اختبار الآن
connection-test-last = آخر اختبار
connection-test-passed = نجح
connection-test-failed = فشل
connection-test-unclear = غير واضح
connection-test-waiting = بانتظار المزوّد
connection-quality = الجودة لدى Meta
quality-green = جيدة
quality-yellow = متوسطة
quality-red = منخفضة
quality-unknown = غير معروفة
connection-paused = موقوف مؤقتًا حتى
connection-urls = عناوين تُلصق لدى المزوّد
connection-urls-why = أدخلها في لوحة المزوّد كما هي تمامًا.
copy = نسخ
copied = تم النسخ
connect = ربط
connect-name = الاسم كما سيراه فريقك
connect-account_sid = معرّف الحساب (SID)
connect-auth_id = معرّف المصادقة
connect-api_key = مفتاح API
connect-numbers = الأرقام
connect-numbers-hint = إن كانت عدة أرقام فافصل بينها بفواصل
connect-display_number = الرقم على واتساب
connect-phone_number_id = معرّف رقم الهاتف لدى Meta
connect-waba_id = معرّف حساب واتساب للأعمال
connect-auth_token = رمز المصادقة
connect-api_key_sid = معرّف مفتاح API
connect-api_key_secret = سرّ مفتاح API
connect-access_token = رمز الوصول لمستخدم النظام
connect-app_secret = سرّ تطبيق Meta
connect-app_secret-hint = في تطبيقك لدى Meta: «App settings → Basic → App secret». به يُتحقق من ردود العملاء وطلبات STOP.
connect-signature_secret = سرّ التوقيع
connect-more = المزيد، إن كنت تستخدمه
connect-sources-hint = العناوين التي يبلّغ منها Exotel، تفصل بينها فواصل. فارغ: أي عنوان.
connect-token-hint = يعرضه Aircall عند إنشاء الـ webhook. أنشئ الاتصال أولًا، ثم عيّنه ضمن بيانات الدخول.
connect-token = رمز الـ webhook
connect-api_id = معرّف API
connect-api_token = رمز API
connect-api_secret = سرّ API
connect-application_id = معرّف تطبيق الصوت
connect-cluster = منطقة الحساب
connect-cluster-singapore = سنغافورة
connect-cluster-mumbai = مومباي
connect-country_code = رمز الاتصال للأرقام الوطنية
connect-sources = عناوين IP
connect-whatsapp_sender = الرقم الذي يرسل عبر واتساب
connect-messaging_service_sid = معرّف Messaging Service
connect-handling = أين يجب أن ترن المكالمات؟
connect-handling-forward = على أحد هواتفنا
connect-handling-forward-hint = إن لم يرد أحد، يكتب Ringback إلى المتصل.
connect-handling-voicemail = لا ترن: يترك المتصلون رسالة صوتية
connect-handling-voicemail-hint = يسجل Twilio ما يقوله المتصلون، ويكتب إليهم Ringback.
connect-handling-greet = لا ترن: يسمع المتصلون جملة
connect-handling-greet-hint = ثم تنتهي المكالمة، ويكتب Ringback إلى المتصل.
connect-handling-own_flow = شيء آخر يرد على مكالماتنا
connect-handling-own_flow-hint = مثل قائمة لديك في Twilio أو نظام هاتف آخر. لا يرد Ringback على أي مكالمة، ويُبلَّغ فقط كيف انتهت المكالمات.
connect-forward_to = رقم ذلك الهاتف
connect-forward_to-hint = ليس الرقم الذي في Twilio، وإلا عادت المكالمة إليه
connect-ring_seconds = مدة الرنين بالثواني
connect-voicemail = يمكن للمتصلين ترك رسالة صوتية إن لم يرد أحد
connect-greeting = ما يسمعه المتصلون
connect-missed_greeting = ما يسمعه المتصلون إن لم يرد أحد
connect-forward-said = يقرؤه صوت Twilio. يمكن أن يبقى فارغًا.
connect-voicemail-said = يقرؤه صوت Twilio. إن كان فارغًا، يسمع المتصلون الصافرة فقط.
connect-greet-said = يقرؤه صوت Twilio. إن كان فارغًا، يسمع المتصلون نغمة الخط المشغول.
guide-find-whatsapp = في developers.facebook.com افتح تطبيقك ثم «WhatsApp → API Setup»: تجد فيه «Phone number ID» و«WhatsApp Business Account ID». رمز الوصول لمستخدم نظام، ضمن «Business settings → System users».
guide-find-twilio = في console.twilio.com تجد ضمن «Account Info» كلًا من «Account SID» و«Auth Token». أنشئ المفتاح ضمن «Account management → API keys & tokens → Create API key».
guide-find-telephony = أي نظام هاتف يستطيع إرسال حدث موقّع عند انتهاء المكالمة. ينشئ Ringback العنوان والسرّ.
guide-find-aircall = أنشئ الاتصال أولًا. يُدخل عنوانه بعد ذلك في «Integrations → Webhooks» في لوحة Aircall.
guide-find-vonage = في dashboard.vonage.com تجد ضمن «API settings» كلًا من «API key» و«Signature secret».
guide-find-exotel = في my.exotel.com تجد ضمن «Settings → API Settings» كلًا من «Account SID» و«API key» و«API token».
guide-find-plivo = في console.plivo.com تعرض الصفحة الأولى «Auth ID» و«Auth Token».
guide-paste-whatsapp = في developers.facebook.com افتح تطبيقك ثم «WhatsApp → Configuration → Edit». ألصق «Callback URL» و«Verify token»، واشترك في الحقل «messages».
guide-paste-twilio = في console.twilio.com افتح «Phone Numbers → Manage → Active numbers» واختر الرقم. ألصق العناوين كاملة عند «A call comes in» و«Call status changes» و«A message comes in»، كل منها مع «Webhook» و«HTTP POST».
guide-paste-twilio-own_flow = في console.twilio.com افتح «Phone Numbers → Manage → Active numbers» واختر الرقم. ألصق العناوين كاملة عند «Call status changes» و«A message comes in»، كل منها مع «Webhook» و«HTTP POST». اترك «A call comes in» كما هو: فهو ما يرد على مكالماتك. وحيث يجعل هاتفًا يرن، يجب أن يبلّغ العنوان الأول أيضًا («statusCallback»)، ليعرف Ringback هل رد أحد.
guide-paste-telephony = اجعل نظام هاتفك يرسل حدثه إلى هذا العنوان، موقّعًا بالسرّ وفق Standard Webhooks.
guide-paste-aircall = في لوحة Aircall افتح «Integrations → Webhooks»، وألصق العنوان واختر الحدث «call.ended». ثم عيّن الرمز الذي يظهر هناك ضمن بيانات الدخول.
guide-paste-vonage = في dashboard.vonage.com افتح «Applications → تطبيقك → Voice» وألصق العنوان عند «Event URL» مع «POST». اترك «Answer URL» كما هو: فهو ما يرد على مكالماتك.
guide-paste-exotel = في المسار ضمن my.exotel.com ضع التطبيق «Passthru» بعد «Connect» وألصق العنوان الأول هناك، غير متزامن. ضع السرّ مكان {"{secret}"}.
guide-paste-plivo = في console.plivo.com افتح «Voice → Applications → تطبيقك» وألصق العنوان عند «Hangup URL» مع «POST». اترك «Answer URL» كما هو: فهو ما يرد على مكالماتك.
connect-optional = { $label } (اختياري)
connect-done = تم ربط { $name }
connect-refused = حُفظ { $name }، لكن المزوّد يرفضه
connect-unclear = حُفظ { $name }، لكن المزوّد لم يُجب
connect-once = تُعرض هذه الأسرار مرة واحدة فقط. احفظها، أو أدخلها لدى المزوّد الآن.
connect-secret = السرّ
connect-verify-token = رمز التحقق
connect-open = اختبار الاتصال
lines-empty = لا خطوط بعد. الخط رقم يتصل به العملاء.
line-number = الرقم
line-hours = الساعات
line-hours-own = خاصة به
line-hours-tenant = ساعات النشاط
title-line = خط
title-new-line = خط جديد
line-number-hint = الرقم الذي يتصل به العملاء
line-number-none = بلا رقم
line-number-other = رقم آخر
line-number-typed = رقم آخر
line-number-known = هذا الرقم من أرقام أحد الاتصالات
line-reporter = الاتصال الذي تصل إليه مكالماته
line-reporter-hint = يُضاف الرقم إلى الاتصال أيضًا.
line-whatsapp = تُرسل رسائل واتساب عبر
line-sms = تُرسل الرسائل القصيرة عبر
line-sms-number = الرقم الذي يرسل الرسائل القصيرة
line-sms-usual = الرقم المعتاد للاتصال
line-sender-any = أي اتصال يستطيع ذلك
line-hours-hint = لا ساعات لأي يوم، فتسري ساعات النشاط.
line-create = إنشاء الخط
line-delete = حذف الخط
line-delete-effect = تُتابع المكالمات إلى رقمه بعد ذلك بالأتمتة التي لا تسمّي خطًا. الأتمتة التي لا تسمّي إلا هذا الخط لا تنطبق بعدها على أي مكالمة.
line-field-name = الاسم
line-field-number = الرقم
line-field-whatsapp = واتساب
line-field-sms = الرسائل القصيرة
line-field-business_hours = الساعات
delete-named = حذف { $name }
keep = إبقاء
connection-settings = الاسم والأرقام
connection-settings-calls = الاسم والأرقام وأين ترن المكالمات
connection-saved-calls = تم الحفظ. يعمل ذلك من المكالمة التالية، ما دامت العناوين أعلاه مدخلة في Twilio.
connection-credentials = بيانات الدخول
connection-credentials-why = تُختبر لدى المزوّد أولًا، وما لم يقبلها تبقى السابقة. أدخلها كلها. لا تُعرض بيانات الدخول أبدًا، وتتوقف السابقة خلال خمس دقائق. لتغيير سر دون انقطاع، بدّله بالتدوير.
connection-credentials-set = تعيين واختبار
connection-delete = حذف الاتصال
connection-delete-effect = تُرفض تقاريره خلال خمس دقائق وتُحذف بيانات دخوله، ولا يُرسل شيء عبره بعد ذلك. لا يمكن التراجع عن هذا.
rotation = تدوير السرّ
rotation-why-ours = ينشئ Ringback سرًّا جديدًا. يبقى الجديد والقديم صالحين حتى تنهي التدوير، فلا تضيع أي مكالمة.
rotation-why-theirs = أدخل السرّ الجديد للمزوّد الذي يوقّع به تقاريره. يبقى الجديد والقديم صالحين حتى تنهي التدوير، فلا يضيع أي تقرير.
rotation-why-either = أدخل السرّ الجديد لتطبيق Meta: يبقى كلاهما صالحًا حتى تنهي التدوير. من دون سرّ تحصل على رمز تحقق جديد لعنوان الاستدعاء.
rotation-secret = السرّ الجديد
rotation-begin = تدوير
rotation-since = السرّ الجديد وما قبله صالحة منذ { $since }. أنهِ التدوير عندما يستخدم المزوّد الجديد.
rotation-finish = إنهاء التدوير
rotation-finish-effect = لا يبقى صالحًا بعد ذلك إلا أحدث سرّ. تتوقف الأقدم عن العمل خلال خمس دقائق.
rotation-finished = لا يصلح الآن إلا السرّ الجديد.
people-empty = لا أحد ينتمي إلى النشاط بعد.
people-members = الأعضاء
people-role = الدور
people-deactivate = تعطيل
people-deactivate-confirm = تعطيل { $name }
people-deactivate-effect = يفقد { $name } حق الدخول فورًا على كل الأجهزة. تنتقل المحادثات المفتوحة إلى آخرين في الفريق خلال دقيقتين. يبقى ما أُنجز باسمه، ويمكنك إعادة التفعيل.
people-deactivate-self-effect = هذا أنت. ستفقد الدخول إلى هذا النشاط فورًا، ويجب أن يعيد مدير آخر تفعيلك.
people-deactivate-done = عُطِّل { $name }.
people-activate = إعادة التفعيل
people-activate-confirm = تفعيل { $name }
people-activate-effect = يستعيد { $name } حق الدخول بالدور وكلمة المرور السابقين.
people-activate-done = أُعيد تفعيل { $name }.
people-invitations = الدعوات المفتوحة
people-invitations-none = لا دعوة مفتوحة.
people-name = اسم الشخص
people-language = لغة الدعوة
people-invite = دعوة
people-invited = أرسلنا دعوة إلى { $email }.
people-withdraw = سحب
people-withdrawn = سُحبت الدعوة.
role-viewer-may = يقرأ كل شيء
role-agent-may = يراسل العملاء أيضًا
role-manager-may = يغيّر الإعدادات أيضًا
role-admin-may = يدير الأشخاص والمفاتيح أيضًا

## Settings of messages
title-closures = العطل وساعات الهدوء والدول
title-words = بيانات في الرسائل وكلمات الإيقاف
title-answers = الردود التلقائية
title-caps = الحدود
settings-closures = متى يكون النشاط مغلقًا، ومتى لا يُزعَج العملاء، وإلى أين تُرسل الرسائل
settings-words = قيم في الرسائل مثل العنوان، وكلمات يوقف بها العملاء الرسائل
settings-answers = ما يُرَدّ عليه تلقائيًا: خارج ساعات العمل، وعند طلب المساعدة أو الإيقاف
settings-caps = كم يجوز أن يُرسل ويُنفق
remove = إزالة
removed = أُزيل
conflict-why = حفظ شخص آخر تغييرات في هذه الأثناء، فلم تُحفظ تغييراتك بعد. يحفظ الزر «حفظ» ما يعرضه النموذج الآن: نسختك مما غيّرته، ونسخته من الباقي.
conflict-field = ما غيّره
conflict-mine = نسختك
conflict-theirs = نسخته
conflict-kept = هذا ما يُحفظ
tenant-field-holidays = العطل
tenant-field-quiet_hours = ساعات الهدوء
tenant-field-allowed_countries = الدول
tenant-field-variables = القيم
tenant-field-stop_words = كلمات الإيقاف
tenant-field-start_words = كلمات البدء
tenant-field-answers = الردود التلقائية
holidays = العطل
holidays-none = لا عطل محددة.
holiday = العطلة { $n }
holiday-name = الاسم
holiday-from = أول يوم
holiday-to = آخر يوم
holiday-hours = الساعات
holiday-add = إضافة عطلة
quiet-hours-why = تنتظر المتابعات حتى تنتهي. ويمكن أن تكون للأتمتة ساعات خاصة.
quiet-hours-none = بلا
countries = الدول
countries-allowed = الدول التي يجوز مراسلتها
countries-hint = أسماء أو رموز بينها فواصل، مثل «الإمارات، الهند». من دون أي دولة: كل الدول.
variables = قيم في الرسائل
variables-why = يمكن أن يعرض النص أو القالب كلًّا منها، مثل { $example }.
variable-new = قيمة جديدة: الاسم
variable-new-hint = مثل address أو website
variable-add = إضافة
stop_words = كلمات الإيقاف
start_words = كلمات البدء
words-more = كلمات أخرى تفصل بينها فواصل
stop_words-hint = تعمل كلمة STOP والكلمات المعتادة بالإنجليزية والعربية دائمًا.
start_words-hint = تعمل كلمة START والكلمات المعتادة بالإنجليزية والعربية دائمًا.
answers-why = لا يتلقى أحد أكثر من أربعة منها خلال 24 ساعة. من دون نص منك يُرسل النص المعتاد بالإنجليزية أو العربية.
answer-after_hours = خارج ساعات العمل
answer-after_hours-on = الرد على من يكتب والنشاط مغلق
answer-help = المساعدة
answer-help-on = الرد على HELP وINFO ومساعدة
answer-stop = كلمات الإيقاف
answer-stop-on = تأكيد أن الرسائل لن تصل بعد الآن
answer-start = كلمات البدء
answer-start-on = تأكيد أن الرسائل ستصل مجددًا
answer-text = النص
answer-usual = النص المعتاد
answer-every = للعميل نفسه مرة واحدة على الأكثر خلال
caps-why = ما تجاوز الحد لا يُرسل. الفترات بالتوقيت العالمي UTC.
caps-empty = لا توجد حدود.
cap = الحد
cap-used = المستخدم
cap-change = تغيير
cap-change-title = تغيير الحد
cap-new = حد جديد
cap-set = تم تعيين الحد.
cap-removed = أُزيل الحد.
cap-remove = إزالة الحد
cap-remove-effect = { $cap }، { $place }: استُخدم { $used } من { $maximum }. من دونه لا تحدّ هذه الرسائل إلا الحدود الأخرى، ويُنسى ما عُدّ.
cap-title = { $purpose }{ $currency ->
    [none] {""}
   *[other] {"، تكلفتها بعملة"} { $currency }
  } في { $period ->
    [hour] الساعة
    [month] الشهر
   *[day] اليوم
  }
cap-of = { $used } من { $maximum }
cap-of-plan = من باقتك، فلا يُغيَّر هنا
cap-resets = يبدأ من جديد
cap-scope-tenant = النشاط كله
cap-scope-abroad = الخارج: دول ليس لك فيها خط
cap-scope-country = دولة واحدة
cap-line = الخط { $name }
cap-purpose = الرسائل
cap-purpose-any = الكل عدا الردود والردود التلقائية والرموز
cap-purpose-follow_up = متابعات المكالمات
cap-purpose-api = رسائل مكتوبة يدويًا أو من برامج أخرى
cap-purpose-reply = الردود
cap-purpose-auto_reply = الردود التلقائية
cap-purpose-campaign = الحملات
cap-purpose-order = الطلبات
cap-purpose-payment = الدفعات
cap-purpose-one_time_code = رموز المرة الواحدة
cap-purpose-feedback = آراء العملاء
cap-purpose-stop_confirmation = تأكيدات الإيقاف
cap-place = أين
cap-period = خلال
cap-period-hour = ساعة
cap-period-day = يوم
cap-period-month = شهر
cap-period-hint = الحد الموجود يأخذ القيمة الجديدة ويواصل العدّ.
cap-counts = ما يُعدّ
cap-counts-number = الرسائل
cap-counts-money = تكلفتها
cap-currency = العملة
cap-currency-hint = تُعدّ التكلفة بحسب قوائم الأسعار، ولا تُختار إلا عملاتها.
cap-maximum = الحد الأقصى
cap-maximum-hint = مع 0 لا يُرسل شيء من هذا.
cap-lower = الحد أقل مما استُخدم
cap-lower-effect = المستخدم في { $period ->
    [hour] هذه الساعة
    [month] هذا الشهر
   *[day] هذا اليوم
  }: { $used }. سيصبح الحد { $maximum }، فلن يُرسل من هذا شيء آخر حتى تنتهي الفترة.
cap-lower-confirm = تعيين الحد إلى { $maximum }
cap-money-begins = يُعدّ ما يُرسل من الآن فصاعدًا.
fault-no_prices = لا أسعار بهذه العملة في قوائم الأسعار، فلا يُعدّ بها شيء. اختر عملة أخرى.
fault-day = اختر يومًا.
connection-credentials-wrong_secret = يرفض المزوّد بيانات الدخول هذه، فبقيت السابقة. صحّحها وحاول مرة أخرى. نص المزوّد:
connection-credentials-invalid = لا يمكن الآن سؤال المزوّد هل يقبل بيانات الدخول هذه، فبقيت السابقة. حاول لاحقًا. السبب:
connection-credentials-anyway = الحفظ رغم ذلك
connection-credentials-anyway-effect = تحل هذه البيانات محل بيانات الاتصال مع أن المزوّد لم يقبلها. فقد لا تُرسل الرسائل، وقد تُرفض تقارير المكالمات.
example-api_key_sid = SK0a1b2c3d4e5f60718293a4b5c6d7e8f9
home-deaf = حتى يُصلَح ذلك لا تصل إلى Ringback مكالمات أرقامه، أو لا تصل كلها.
connection-waiting = لا تُظهره إلا مكالمة
line-unheard = لا اتصال له هذا الرقم بعد، فمكالماته تُتجاهل. الخطوة التالية: اربط الهاتف الذي تصل إليه.
line-unheard-ask = اطلب من مسؤول أن يضيفه إلى الاتصال.
line-unheard-short = تُتجاهل المكالمات
line-reporter-takes = يستقبل مكالمات كل الأرقام. إن كانت تصل إلى اتصال آخر فاختره، فيُضاف الرقم إليه.
in-english = النص بالإنجليزية:
webhook-what = { $what ->
    [a_call_comes_in] عند ورود مكالمة:
    [call_status_changes] عند تغيّر حالة المكالمة:
    [a_message_comes_in] عند ورود رسالة:
    [call_ended_events] أحداث انتهاء المكالمات:
    [webhook_call_ended] عند انتهاء مكالمة:
    [hangup_url] عنوان انتهاء المكالمة:
    [event_url] عنوان الأحداث:
    [callback_url] عنوان استقبال التقارير:
   *[other] {""}
  }
blocked = ما منعته الحدود
blocked-why = متى توفر متسع من جديد، يمكن إرسال ما منعته الحدود في الأيام الأخيرة وما زال صالحًا.
blocked-retry = إعادة إرسال ما منعته الحدود
blocked-effect = { $n ->
    [zero] لا تُرسل أي رسالة
    [one] تُرسل رسالة واحدة من جديد الآن
    [two] تُرسل رسالتان على الأكثر من جديد الآن
    [few] تُرسل { $n } رسائل على الأكثر من جديد الآن
    [many] تُرسل { $n } رسالة على الأكثر من جديد الآن
   *[other] تُرسل { $n } رسالة على الأكثر من جديد الآن
  }{ $not ->
    [0] .
   *[other] ، ويبقى { $not } ممنوعًا.
  }
blocked-cost = { $cost ->
    [none] الكلفة غير معروفة.
   *[other] الكلفة نحو { $cost }{ $unpriced ->
        [0] .
       *[other] ، دون { $unpriced } لا يُعرف سعرها.
      }
  }
blocked-confirm = { $n ->
    [zero] عدم الإرسال
    [one] إرسال رسالة واحدة
    [two] إرسال رسالتين
    [few] إرسال { $n } رسائل
    [many] إرسال { $n } رسالة
   *[other] إرسال { $n } رسالة
  }
blocked-nothing = { $not ->
    [0] لم يُمنع شيء يمكن إرساله بعد.
   *[other] لا يمكن إرسال شيء من جديد بعد: يبقى { $not } ممنوعًا.
  }
blocked-progress = أُعيد إرسال { $sent }، ولم يُرسل { $not }.
blocked-done = لم يُمنع غير ذلك.

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
problem-bad_request = الطلب غير سليم. أعد تحميل الصفحة.
problem-ambiguous_credentials = في الطلب نوعان من بيانات الدخول. أعد تحميل الصفحة.
problem-no_tenant = لا يسمّي الطلب نشاطًا تجاريًا. أعد تحميل الصفحة.
problem-unauthorized = لم تسجّل الدخول. سجّل الدخول مجددًا.
problem-forbidden = لا يسمح دورك بذلك. اطلبه من مدير النظام.
problem-tenant_suspended = هذا النشاط موقوف. راسل الجهة التي تشغّل Ringback لك.
problem-second_factor_needed = أعدّ عاملًا ثانيًا، ثم سجّل الدخول برمزه.
problem-not_found = هذا غير موجود، أو لم يعد موجودًا.
problem-method_not_allowed = لا يعرف Ringback هذا الطلب. أعد تحميل الصفحة.
problem-conflict = حفظ شخص آخر تغييرًا في اللحظة نفسها، فلم يُحفظ تغييرك. أعد تحميل الصفحة لترى تغييره، ثم غيّر ما تريد.
problem-limit_reached = بلغ العدد حدّه الأقصى. احذف واحدًا أولًا.
problem-taken = هذه القيمة مستخدمة. اختر غيرها.
problem-still_running = الطلب نفسه ما زال جاريًا. حاول مجددًا بعد لحظة.
problem-already_done = تم هذا من قبل.
problem-stale = حفظ شخص آخر تغييرًا منذ أن فتحت هذا، فلم يُحفظ تغييرك. أعد تحميل الصفحة لترى تغييره، ثم غيّر ما تريد.
problem-too_large = هذا أكبر من المسموح. أرسل أقل.
problem-wrong_content_type = لا يقبل Ringback هذا النوع من المحتوى.
problem-invalid = صحّح الحقول المعلَّمة.
problem-idempotency_key_reused = تغيّر الطلب أثناء تكراره. أرسله مجددًا.
problem-too_many_requests = طلبات كثيرة جدًا. انتظر لحظة ثم حاول مجددًا.
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
example-default = عميلنا العزيز
example-email = noor@example.com
example-name = نور
example-phone = +971 4 555 0123
example-secret = 0a1b2c3d4e5f60718293a4b5c6d7e8f9
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
    [none] ساعات الهدوء من { $quiet_from } إلى { $quiet_to }
   *[other] لا رسائل ترويجية قصيرة إلى { $country } من { $quiet_from } إلى { $quiet_to }
reason-quiet_hours = ساعات الهدوء{ $quiet_from ->
    [none] {""}
   *[other] {" "}من { $quiet_from } إلى { $quiet_to }
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
