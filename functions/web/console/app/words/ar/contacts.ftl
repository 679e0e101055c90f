## Lists
contacts-show = عرض
contacts-show-duplicates = ما قد يكون مكررًا
contacts-show-deleted = المحذوفة
contacts-owner-alone = اختر أيضًا مرحلة أو وسمًا، أو ابحث عن اسم، فتظهر لك جهات الاتصال التي يتولاها هذا الزميل.
contact-deleted = حُذفت
contact-restore = استعادة

## Contact
contact-create = إنشاء جهة الاتصال
contact-several = ابدأ بما يُستخدم أولًا، وافصل بينها بفواصل
contact-taken = ابحث عن جهة الاتصال التي لديها { $what }
contact-lead = العميل المحتمل
contact-kind = عرض
contact-kind-call = المكالمات
contact-kind-message = الرسائل
contact-kind-note = الملاحظات
contact-kind-consent = الموافقة
contact-kind-conversion = النجاحات
contact-kind-merge = عمليات الدمج
contact-gone = ربما حُذفت جهة الاتصال هذه. يمكن استعادتها خلال 30 يومًا.
contact-note-add = إضافة الملاحظة
contact-note-hint = لا يرى الملاحظات إلا فريقك. اكتب @ ثم اسمًا للإشارة إلى زميل
success-add = تسجيل نجاح
success-add-why = طلب أو حجز أو ما شابه. يُحتسب اليوم، ولا يمكن تغييره.
success-what = ما هو
success-value = القيمة
success-currency = العملة
success-reference = مرجعك
contact-data = كل بيانات جهة الاتصال
contact-archive = إعداد الملف
contact-archive-why = كل ما يُعرف عن الشخص في ملف واحد، لمن يطلبه.
contact-archive-open = فتح الملف
contact-delete = حذف جهة الاتصال
contact-delete-effect = لا تظهر بعد ذلك في أي قائمة. يمكن استعادتها خلال 30 يومًا، وتعود إن اتصل الشخص أو كتب. ثم تُمحى.
contact-erase = محو نهائي
contact-erase-effect = تُمحى جهة الاتصال ومكالماتها ورسائلها وملاحظاتها خلال ساعة، ولا يمكن لأحد استعادتها. وما رفضه الشخص يبقى مرفوضًا.
contact-erase-type = للمحو، اكتب:
erasure-runs = يجري محو جهة الاتصال. خلال ساعة يختفي كل ما يخصها.
erasure-done = مُحيت جهة الاتصال وكل ما يخصها.
erasure-failed = لم يكتمل المحو. امحُ جهة الاتصال مرة أخرى؛ تجدها بين المحذوفة.

## Consent
consent-holds = ما يسري الآن
consent-holds-why = لا تُرسل أي رسالة يرفضها أحد هذه البنود.
consent-none = لا رفض ولا موافقة.
consent-ledger = كيف حدث ذلك
consent-said = { $choice ->
    [refused] رفض
    [granted] وافق على
   *[lifted] انتهى رفض
  } { $category ->
    [marketing] الرسائل التسويقية
    [utility] رسائل الخدمة
   *[all] كل الرسائل
  }{ $channel ->
    [whatsapp] {" "}عبر واتساب
    [sms] {" "}عبر الرسائل القصيرة
   *[all] {""}
  }
consent-by = ({ $party ->
    [business] قرار النشاط التجاري
   *[customer] رغبة العميل
  }، { $method ->
    [keyword] كتبها العميل
    [preference_page] اختيرت في صفحة العميل
    [provider] أبلغ عنها المزوّد
    [import] مستوردة
   *[api] سُجّلت
  })
consent-record = تسجيل رغبة
consent-choice = ما قاله
consent-choice-granted = يوافق على الرسائل
consent-choice-refused = لا يريد رسائل
consent-choice-lifted = لم يعد يرفض
consent-category = بخصوص
consent-all = الكل
consent-party = رغبة من
consent-party-customer = رغبة العميل
consent-party-business = قرارنا نحن
consent-party-hint = لا ينهي الرفضَ إلا من رفض.
consent-wording = النص الذي رآه الشخص
consent-wording-hint = من وافق فقد رأى هذا النص، أو يوجد إثبات آخر أدناه.
consent-wording-shown = النص المعروض، الإصدار { $version }:
consent-version = إصدار النص
consent-version-hint = لتجده لاحقًا، مثل 2026-11
consent-evidence = الإثبات
consent-evidence-hint = مثل «الاستمارة 1207، موقّعة في المتجر»
consent-link = رابط للعميل
consent-link-why = في صفحته يختار العميل الرسائل دون تسجيل دخول. لا تعطه لأحد غيره.
consent-link-make = إنشاء رابط
consent-link-until = صالح حتى { $at }.
proof-print = طباعة أو حفظ بصيغة PDF
proof-business = النشاط التجاري
proof-made = أُعدّ في
proof-cut = لم تُدرج المدخلات الأقدم.
example-version = 2026-11

## Merge
merge-probable = الشخص نفسه على الأرجح
merge-none = لا توجد جهة اتصال تبدو للشخص نفسه.
merge-other = جهة اتصال أخرى
duplicate-same_person = أبلغ المزوّد أنه الشخص نفسه
duplicate-phone = الرقم نفسه
duplicate-email = البريد الإلكتروني نفسه
duplicate-name_and_digits = الاسم نفسه ورقم مشابه
merge-compare = مقارنة
merge-preview = قبل الدمج
merge-column-this = هذه
merge-column-other = الأخرى
merge-column-both = بعد الدمج
merge-decision-survivor = لكل منهما قيمة: تبقى قيمة هذه
merge-decision-left_out = لا متسع للكل: يُترك بعضها
merge-decision-stricter = ما رفضته أي منهما يبقى مرفوضًا.
merge-do = دمج
merge-turn = الإبقاء على الأخرى بدلًا منها
merge-effect = تصبحان جهة اتصال واحدة بكل المكالمات والرسائل والملاحظات. ويمكن التراجع من السجل الزمني خلال 24 ساعة.
merge-undo = التراجع عن الدمج
merge-undo-effect = تعود جهتا الاتصال كما كانتا. وما حدث منذ ذلك يبقى مع هذه. ممكن حتى { $until }.
merge-undone = جرى التراجع عن الدمج.
