## Inbox
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
inbox-elsewhere = يرد تطبيق آخر على هذا العميل عبر واتساب منذ { $since }، وآخر ما ظهر منه في { $at }. لا رد ولا متابعة تلقائيين هناك.
inbox-person = المسؤول
inbox-reads = هنا أيضًا: { $people }
inbox-writes = يكتب الآن: { $people }
inbox-team = الفريق
inbox-team-none = بلا فريق
inbox-unread = غير مقروء: { $n }
inbox-waits = ينتظر منذ { $since }
inbox-priority-high = عاجلة
inbox-priority-low = غير عاجلة
inbox-unnamed = عميل بلا اسم
inbox-thread = الرسائل والمكالمات
inbox-newer = الأحدث منها
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
problem-conversation_continued = دُمجت جهة الاتصال في أخرى، وتستمر المحادثة هناك.

## Lists, bulk changes, the contact and keys
inbox-none-found = لا محادثة كهذه لأحد ممن عُثر عليهم. جرّب كتابة أخرى، أو مرشحات أقل.
inbox-none-filtered = لا شيء يطابق المرشحات. امسحها لترى كل المحادثات.
inbox-none-contact = لا محادثة لهذا العميل بعد. من يكتب، أو يتصل فلا يجيبه أحد، تكون له محادثة.
inbox-none-mine = ليست لك محادثة مفتوحة. خذ واحدة مما هو بلا مسؤول.
inbox-none-unassigned = لكل محادثة مفتوحة من يتولاها.
inbox-of-all = عرض محادثات كل العملاء
inbox-search-more = هذه أحدث محادثات أول من عُثر عليهم. اكتب المزيد من الاسم أو الرقم لترى البقية.
inbox-tag = الوسم
inbox-tags-none = لا شيء
inbox-tag-add = إضافة وسم
inbox-select = اختيار
inbox-select-one = اختيار { $name }
inbox-select-none = إلغاء الاختيار
inbox-selection = المحادثات المختارة
inbox-selected = اختيرت { $n } من { $most } على الأكثر
inbox-do = ماذا يُفعل بها
inbox-apply = تطبيق
inbox-bulk-progress = { $tried } من { $all }…
inbox-bulk-done = { $n ->
    [zero] لم يتغير شيء.
    [one] تغيرت محادثة واحدة.
    [two] تغيرت محادثتان.
    [few] تغيرت { $n } محادثات.
    [many] تغيرت { $n } محادثة.
   *[other] تغيرت { $n } محادثة.
  }
inbox-bulk-changed = { $n ->
    [zero] لم يحدث شيء في هذه الأثناء.
    [one] حدث شيء في واحدة منها في هذه الأثناء، فلم تتغير. انظر إليها ثم أعد المحاولة:
    [two] حدث شيء في اثنتين منها في هذه الأثناء، فلم تتغيرا. انظر إليهما ثم أعد المحاولة:
    [few] حدث شيء في { $n } منها في هذه الأثناء، فلم تتغير. انظر إليها ثم أعد المحاولة:
    [many] حدث شيء في { $n } منها في هذه الأثناء، فلم تتغير. انظر إليها ثم أعد المحاولة:
   *[other] حدث شيء في { $n } منها في هذه الأثناء، فلم تتغير. انظر إليها ثم أعد المحاولة:
  }
inbox-snooze = تأجيل
inbox-snooze-hours = ثلاث ساعات
inbox-snooze-tomorrow = إلى صباح الغد
inbox-snooze-monday = إلى يوم الاثنين
inbox-snooze-own = إلى وقت تختاره
inbox-snooze-until = حتى
inbox-snooze-then = تأجيل إلى ذلك الوقت
inbox-snooze-not = غير مؤجلة
inbox-priority = الأولوية
inbox-priority-normal = عادية
inbox-changed-both = غيّر أحد الزملاء هذا في هذه الأثناء، فلم يُحفظ تغييرك:
inbox-changed-again = التغيير على أي حال
inbox-field-state = الحالة
inbox-field-snoozed_until = مؤجلة حتى
inbox-field-assignee_id = المسؤول
inbox-field-team_id = الفريق
inbox-field-priority = الأولوية
inbox-field-tags = الوسوم
inbox-contact-gone = مُحيت بيانات جهة الاتصال هذه، أو حُذفت. لا يُعرف عن العميل شيء آخر.
inbox-contact-calls = المكالمات
inbox-keys = المفاتيح
inbox-keys-where = تعمل ما دام التركيز في القائمة أو في الرسائل، ولا تعمل أبدًا أثناء الكتابة.
inbox-keys-hide = فهمت
inbox-key-next = المحادثة التالية
inbox-key-previous = المحادثة السابقة
inbox-key-open = فتح المحادثة
inbox-key-select = اختيارها
inbox-key-reply = الرد
inbox-key-note = كتابة ملاحظة
inbox-key-template = إرسال قالب
inbox-key-assign = إسنادها
inbox-key-mine = أتولاها
inbox-key-close = إغلاقها
inbox-key-snooze = تأجيلها
inbox-key-tag = إضافة وسم
inbox-key-unread = غير المقروءة فقط، أو الكل من جديد
inbox-key-search = البحث
inbox-key-back = العودة إلى القائمة
inbox-key-help = هذه المفاتيح
composer-title = الرد
composer-reply = رد
composer-note = ملاحظة
composer-way = طريقة الإرسال
composer-way-whatsapp = واتساب
composer-way-sms = رسالة قصيرة
composer-way-template = قالب واتساب
composer-way-changed = تغيّرت طريقة الإرسال منذ بدأت الكتابة. اختر الطريقة، أو أرسل بالزر.
composer-note-for = لا يرى الملاحظة إلا فريقك.
composer-open = يقبل واتساب نصوصًا من عندك حتى { $at }، بقي { $hours } س { $minutes } د
composer-closed = لا يقبل واتساب نصوصًا من عندك منذ { $at }.
composer-starts = هذا العميل اتصل فقط. رسالتك تبدأ المحادثة.
composer-none = لا يمكن إرسال رسالة الآن: { $reason }
composer-moved = أجاب { $person } في هذه الأثناء، فلم يُرسَل ردك. اقرأ هذا أولًا، ثم أرسل ردك إن بقي مناسبًا.
composer-lost = لم يصل ردك، وها هو نصه من جديد: { $reason }
composer-lost-file = لم يصل ملفك، ويجب إرفاقه من جديد: { $reason }
composer-lost-template = لم تصل رسالتك: { $reason }
composer-other-draft = حفظت صفحة أخرى مسودة أخرى:
composer-other-empty = أُرسلت المسودة أو حُذفت في صفحة أخرى.
composer-keep-mine = إبقاء المكتوب هنا
composer-take-theirs = أخذ الأخرى
composer-kept = ما كتبته محفوظ:
composer-text = نص الرد
composer-hint = اكتب ردًا، أو / للردود الجاهزة
composer-note-hint = اكتب ملاحظة، أو @ لزميل
composer-canned = الردود الجاهزة
composer-people = الزملاء
composer-alt = Alt { $n }
composer-missing = غير معروف بعد: { $values }. اكتبه أو احذفه.
composer-file = ملف
composer-file-remove = إزالة الملف
composer-file-not-by-sms = لا تحمل الرسالة القصيرة ملفًا. أزِل الملف لإرسال النص.
composer-quote = الرد على هذه
composer-quote-remove = الرد بلا اقتباس
composer-template = القالب
composer-value = القيمة { $name }
composer-saved = حُفظت المسودة
composer-unsaved = لم تُحفظ المسودة بعد
composer-send = إرسال
composer-add = إضافة الملاحظة
composer-forbidden = دورك يقرأ المحادثات. أما الرد فللموظفين والمشرفين ومديري النظام.
