## Resources
record-create = إنشاء
record-name = الاسم
record-description = الغرض (اختياري)
record-filter = الشروط
record-text = النص
record-members = الأعضاء
record-mode = من يتولى المحادثة الجديدة
record-max_open = أقصى عدد من المحادثات المفتوحة للشخص الواحد
record-lines = الخطوط
record-languages = لغات العملاء
record-tags = وسوم العملاء
record-role = الدور
record-scopes = ما يُسمح به
record-expires_at = آخر يوم (اختياري)
record-url = العنوان
record-events = ما يعلم به
record-content = اذكر أيضًا من هو وما كُتب
record-header = الترويسة
record-color = اللون
record-position = الترتيب
record-kind = معناها
record-key = الاسم القصير
record-type = ما يحتويه
record-options = الخيارات
record-searchable = البحث عن جهات الاتصال به
record-sku = رقم الصنف
record-price = السعر
record-availability = التوفر
record-page = صفحته
record-image = الصورة
record-fields = قيم أخرى
record-variants = الأنواع
record-callback = مفتاح الردّ على الأحداث

## Canned replies
canned-replies-empty = لا ردود جاهزة بعد. الرد الذي يتكرر كثيرًا يُدرج في المحادثة بكتابة «/» ثم اسمه.
canned-replies-new = رد جاهز جديد
canned-replies-name-hint = يجده فريقك بهذا الاسم بعد «/».
canned-replies-delete = حذف الرد الجاهز
canned-replies-delete-effect = لن يستطيع أحد إدراجه بعد ذلك. وما كُتب به يبقى.

## Teams
teams-empty = لا فرق بعد. يحصل الفريق على محادثات خطوطه ولغاته ووسومه.
teams-new = فريق جديد
teams-size = { $n ->
    [zero] بلا أعضاء
    [one] عضو واحد
    [two] عضوان
    [few] { $n } أعضاء
    [many] { $n } عضوًا
   *[other] { $n } عضو
  }
teams-mode-by_hand = من يأخذها بنفسه
teams-mode-in_turn = الأعضاء المتاحون بالتناوب
teams-mode-fewest_open = العضو المتاح صاحب أقل عدد من المحادثات المفتوحة
teams-mode-hint = يحدد كل عضو هل هو متاح في قائمة حسابه.
teams-max-hint = من بلغ هذا العدد لا يحصل على المزيد. فارغ: بلا حد.
teams-which = يحصل الفريق على المحادثات التي لا يتولاها أحد عندما يكتب العميل أو يتصل: كلها، أو فقط ما كان خطه ولغته ووسمه مما تختاره هنا.
teams-delete = حذف الفريق
teams-delete-effect = تبقى محادثاته عند من يتولاها. وما لا يتولاه أحد ينتقل إلى فريق آخر عندما يكتب العميل أو يتصل من جديد.

## Keys
key-one = المفتاح
api-keys-empty = لا مفاتيح بعد. بالمفتاح يعمل برنامج آخر، مثل برنامج نقاط البيع، باسم النشاط.
api-keys-new = مفتاح جديد
api-keys-delete = حذف المفتاح
api-keys-delete-effect = يُرفض فورًا البرنامج الذي يستخدمه. لا يمكن التراجع عن ذلك.
key-name-hint = مثل اسم البرنامج الذي يستخدمه
key-expires-hint = فارغ: يعمل إلى أن يُحذف.
key-all = كل ما يُسمح به لدوره
key-only = ما يُختار فقط
key-narrowed = ليس كله
key-used = آخر استخدام
key-used-on = استُخدم { $day }
key-unused = لم يُستخدم
key-expired = انتهى
key-once = يُعرض المفتاح مرة واحدة فقط. أدخله الآن في البرنامج، الذي يرسله في الترويسة { $header }.
key-leave = هل تغادر الصفحة؟ لم تنسخ المفتاح الجديد، ولن يُعرض مرة أخرى.
key-use = الاستخدام
key-begins = يبدأ بـ
key-until = يعمل حتى { $at }
key-created = أُنشئ
key-rotate = استبدال المفتاح
key-rotate-why = تحصل على مفتاح جديد. يبقى القديم يعمل مدة، فلا يتوقف شيء حتى يحصل البرنامج على الجديد.
key-rotate-do = إنشاء مفتاح جديد
key-rotate-effect = تُرفض فورًا كل مفاتيح { $name } السابقة، ويتوقف البرنامج حتى يحصل على الجديد.
key-rotate-lost = المفتاح الجديد أعلاه لم يُنسخ، ولن يُعرض مرة أخرى.
key-overlap = مدة عمل القديم
key-overlap-none = ينتهي فورًا
key-right = { $right ->
    [read] الاطلاع
    [write] التغيير
    [send] الإرسال
    [erase] المحو النهائي
    [bulk] تغيير الكثير دفعة واحدة
    [scan] الحكم بأن ملفًا ضار
   *[other] { $right }
  }
key-subject = { $subject ->
    [tenant] النشاط وإعداداته
    [users] الأشخاص
    [api_keys] المفاتيح
    [webhooks] عناوين البرامج الأخرى
    [connections] الاتصالات بالمزوّدين
    [lines] الخطوط
    [automations] الأتمتة
    [contacts] جهات الاتصال
    [calls] المكالمات
    [recordings] تسجيلات المكالمات
    [messages] الرسائل
    [media] صور العملاء وملفاتهم
    [conversations] صندوق الوارد
    [live] ما يتغير فور حدوثه
    [canned_replies] الردود الجاهزة
    [teams] الفرق
    [imports] استيراد جهات الاتصال
    [exports] التصدير
    [products] المنتجات
    [orders] الطلبات
    [assets] ملفات النشاط
    [templates] القوالب
    [fields] حقول جهات الاتصال
    [tags] الوسوم
    [stages] مراحل العملاء المحتملين
    [segments] مجموعات جهات الاتصال
    [campaigns] الحملات
    [suppressions] أرقام لا تصلها رسائل
    [caps] الحدود
    [operations] المهام الطويلة
    [metrics] الأرقام
    [usage] تكلفة الرسائل
    [audit] من غيّر ماذا
   *[other] { $subject }
  }

## Settings of the inbox
attend-notify_after_minutes = الدقائق التي يُرسل بعدها بريد عن رسالة لم يقرأها أحد
attend-notify_after_minutes-hint = 0: لا يُرسل إلى أحد.
attend-hand_over_after_minutes = الدقائق التي تنتقل بعدها محادثات من هو غير متاح إلى غيره
attend-hand_over_after_minutes-hint = تنتقل المحادثات التي ينتظر فيها عملاء إلى آخرين من فرقه، أو تبقى بلا أحد. فارغ: فقط إذا طلب ذلك.
attend-close_after_days = الأيام بلا جديد التي تُغلق بعدها المحادثة
attend-close_after_days-hint = فارغ: لا تُغلق أبدًا.
attend-close_unanswered = إغلاق ما ينتظر فيه العميل ردًا أيضًا
backfill = المحادثات السابقة
backfill-why = تصبح المكالمات والرسائل التي سبقت صندوق الوارد محادثات. تُفتح التي ينتظر فيها عميل من الأسبوع الأخير، وتُغلق غيرها. وما في الصندوق يبقى كما هو.
backfill-begin = إنشاء المحادثات
backfill-runs = { $total ->
    [none] جهات الاتصال التي فُحصت: { $done }.
   *[other] جهات الاتصال التي فُحصت: { $done } من { $total }.
  }
backfill-done = تم في { $at }. جهات الاتصال التي فُحصت: { $done }.
backfill-failed = توقف في { $at } بعد فحص { $done } من جهات الاتصال. ابدأه من جديد: يبقى ما أُنشئ.
backfill-cancelled = أُلغي في { $at } بعد فحص { $done } من جهات الاتصال.
