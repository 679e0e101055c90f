## Reports
report-by = العرض حسب
report-by-day = اليوم
report-by-hour = الساعة
report-by-line = الخط
report-part-day = اليوم
report-part-hour = الساعة
report-part-line = الخط
report-nothing = لا شيء في هذه الأيام.
report-total = المجموع
report-all = كل المكالمات
report-stopped = أوقفت رسالتها
report-delivery = الرسائل بعد المكالمات
report-planned = مخطط لها
report-replies = المدة حتى ردّ العملاء
report-within = المدة
report-people = الردود
report-up-to = حتى { GENITIVE($time) }
report-median = نصف الردود على الأقل جاء في غضون { GENITIVE($time) }.
report-reasons = لماذا لم تُرسل رسالة
report-reason = السبب
report-received = رسائل العملاء
report-opt-outs = رفض الرسائل
report-conversions = طلبات وزيارات وما شابه
report-line-none = بلا خط
report-cost-in = التكلفة بعملة { $currency }
report-channels = حسب القناة، بعملة { $currency }
report-channel = القناة
report-amount = التكلفة
report-reported = أبلغ عنها المزوّد
report-estimated = تقديرية
report-free-all = لا يُعرف أن شيئًا كلّف شيئًا.
report-estimates = مجانية: { $n }. التقديرات بحسب قوائم الأسعار، وفاتورة المزوّد هي الحكم.
report-unpriced = رسائل لا يُعرف سعرها، حسب البلد
report-country = البلد
report-country-none = بلد غير معروف
report-purpose = الغرض

## Who has changed what
audit-empty = لم يتغير شيء في هذه الأيام.
audit-who = من
audit-object = ماذا
audit-fields = الحقول
audit-before = قبل
audit-after = بعد
audit-hidden = تغيّر؛ الأسرار لا تُعرض أبدًا
audit-operator = مشغّل Ringback
audit-created = إنشاء
audit-changed = تغيير
audit-removed = حذف
audit-read = اطلاع
audit-kind = { $kind ->
    [api_key] مفتاح
    [asset] ملف
    [campaign] حملة
    [canned_reply] رد جاهز
    [cap] حد
    [connection] اتصال بمزوّد
    [contact] جهة اتصال
    [conversation] محادثة
    [export] تصدير
    [import] استيراد
    [invitation] دعوة
    [line] خط
    [member] شخص
    [note] ملاحظة
    [operation] مهمة
    [product] منتج
    [rule] أتمتة
    [segment] مجموعة
    [tag] وسم
    [team] فريق
    [template] قالب
    [tenant] النشاط
    [webhook_endpoint] برنامج آخر
   *[other] { $kind }
  }

## Long tasks
operations-empty = لا مهام في آخر 30 يومًا. هنا يظهر الاستيراد والتصدير وفحص الحملات وكل عمل يستغرق وقتًا.

## How long calls and messages stay
retention-why = بعدها تُحذف نهائيًا. تبقى الأرقام والموافقات والملاحظات.
retention-calls_days = أيام بقاء المكالمات
retention-messages_days = أيام بقاء الرسائل
retention-hint = من 30 إلى 3650. فارغ: 730
retention-shorten = هل تُحذف أبكر من ذي قبل؟
retention-shorten-effect = المكالمات الجديدة تُحذف نهائيًا بعد هذا العدد من الأيام: { $calls_days }، والرسائل الجديدة بعد: { $messages_days }. ما هو محفوظ يبقى كما هو إلى أن تطبّق ذلك عليه، وعندها تقول الصفحة ما الذي سيُحذف.
retention-shorten-confirm = حذفها أبكر
retention-past = ما هو محفوظ الآن
retention-past-why = التغيير أعلاه للمكالمات والرسائل الجديدة. هنا تطبّق ما حُفظ على البقية كلها.
retention-stored = المحفوظ، على الأكثر
retention-expiring = ما يُحذف بذلك، على الأكثر
retention-counts = المكالمات: { $calls }. الرسائل: { $messages }.
retention-takes = التكلفة والمدة
retention-estimated = عُدّت بعض الأسابيع نيابة عن غيرها.
retention-application = { $state }، { $at }. أُنجز: { $done }.
retention-apply = تطبيق ذلك على المحفوظ
retention-apply-effect = تختفي فورًا ونهائيًا المكالمات التي تجاوز عمرها بالأيام { $calls_days } والرسائل التي تجاوز عمرها { $messages_days }. على الأكثر، المكالمات: { $calls }، الرسائل: { $messages }.
retention-apply-confirm = حذف ما هو أقدم
