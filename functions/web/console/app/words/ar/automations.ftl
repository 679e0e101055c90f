## Automations
automations-why = أول أتمتة تطابق المكالمة هي التي تقرر.
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
automation-media-image = الصورة في الترويسة
automation-media-video = الفيديو في الترويسة
automation-media-document = المستند في الترويسة
automation-media-none = اختر ملفًا
automation-media-hint = تُرفع الملفات من الإعدادات، الملفات.
sample-name = { $language ->
    [ar] ليلى حداد
   *[other] Layla Haddad
  }
sample-first-name = { $language ->
    [ar] ليلى
   *[other] Layla
  }
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
try-title = تجربة
try-why = لا يُرسل شيء ولا يُحفظ شيء. ما يقرر في المكالمات الحقيقية يقرر هنا.
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
replay-old = تغيّر النموذج منذ ذلك. أعد المقارنة.
replay-got = تلقّت
replay-would = كانت ستتلقى
replay-by = رسالة من «{ $rule }»
try-message-otherwise = الرسالة التي كانت ستُرسل لولا ذلك
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
new-basis = لماذا يجوز أن تكتب
new-basis-hint = ما فعله العميل أو وافق عليه، مثل «الطلب 1042 في 20 نوفمبر». يُحفظ مع الرسالة.
new-channel-both = واتساب، وإلا فرسالة قصيرة
new-template-none = بلا قالب: نص من كتابتك
new-template-hint = لا يقبل واتساب نصًا من كتابتك إلا خلال 24 ساعة من آخر ما كتبه العميل هناك
new-would = ستُرسل: { $reason }
new-would-not = لن تُرسل: { $reason }
new-channel = عبر
new-category = الموضوع
automation-sms = نص الرسالة القصيرة
source-text = نص ثابت
