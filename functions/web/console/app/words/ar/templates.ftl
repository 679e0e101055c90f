## Templates
templates-empty = لا قوالب بعد. لا يسمح واتساب للنشاط بأن يبدأ المراسلة إلا بقالب اعتمده. في المكتبة قوالب تبدأ بها.
template-library-empty = المكتبة فارغة.
template-state = { $status ->
    [DRAFT] مسودة
    [PENDING] قيد المراجعة
    [IN_APPEAL] قيد المراجعة ثانيةً
    [APPROVED] معتمد
    [REINSTATED] معتمد
    [REJECTED] مرفوض
    [PAUSED] متوقف مؤقتًا
    [DISABLED] موقوف
    [DELETED] محذوف من واتساب
   *[other] { $status }
  }
template-category-utility = خدمة
template-category-marketing = عرض
template-category-authentication = رمز لمرة واحدة
template-topic = { $topic ->
    [missed_call] مكالمات فائتة
    [order] طلبات
    [payment] مدفوعات
    [feedback] آراء العملاء
    [code] رموز
   *[appointment] مواعيد
  }
template-adopt = إرسال إلى واتساب باللغتين
template-reason-ABUSIVE_CONTENT = يرى واتساب أن النص مسيء.
template-reason-INCORRECT_CATEGORY = يرى واتساب أن النص من نوع غير المذكور.
template-reason-INVALID_FORMAT = يرى واتساب خطأً في المتغيرات أو أمثلتها أو شكل النص.
template-reason-PROMOTIONAL = يرى واتساب أن النص عرض ترويجي.
template-reason-SCAM = يرى واتساب أن النص احتيال.
template-reason-TAG_CONTENT_MISMATCH = النص بلغة غير المذكورة أو من نوع آخر.
template-submitting = يجري إرساله إلى واتساب.
template-doubted = رفض واتساب رسالة لأن القالب لديه مختلف. لا يُرسل به شيء حتى تُقرأ قائمة واتساب من جديد.
template-changed = فيه تغييرات لم تُرسل إلى واتساب.
template-editable = يسمح واتساب بالتغيير التالي { $at }.
template-fixed = ما أُرسل عبر Twilio لا يمكن تغييره. اكتب قالبًا آخر.
templates-sync = قراءة قائمة واتساب
templates-syncing = تجري القراءة… { $done } حتى الآن
templates-synced = قُرئت القائمة. جديد: { $created }، متغيّر: { $changed }، محذوف: { $deleted }{ $skipped ->
    [0] {""}
   *[other] ، لا يمكن إرساله من هنا: { $skipped }
  }{ $failed ->
    [0] .
   *[other] . اتصالات لم تعطِ قائمتها: { $failed }
  }
templates-sync-failed = لم تُقرأ القائمة إلى آخرها. حاول مرة أخرى.

## Form
template-name-hint = أحرف إنجليزية صغيرة وأرقام وشرطات سفلية. أنهِه برقم: الاسم المحذوف لا يتاح قبل 30 يومًا.
template-language = اللغة
template-language-hint = مثل الإنجليزية، أو رمز مثل { $code }
template-connection-first = أول اتصال يرسل عبر واتساب
template-save = حفظ المسودة
template-field-category = النوع
template-category-hint = الخدمة ردّ على شيء فعله الشخص، والعرض كل ما يبيع.
template-field-header = الترويسة
template-field-body = النص
template-field-footer = التذييل
template-field-buttons = الأزرار
template-field-code = الرمز
template-field-parameter_format = أسماء المتغيرات
template-field-name = الاسم
template-field-language = اللغة
template-media-none = بلا ترويسة
template-media-text = نص
template-media-image = صورة
template-media-video = فيديو
template-media-document = مستند
template-header-words = نص الترويسة
template-medium-hint = يراجعه واتساب بهذا الملف: JPEG أو PNG حتى 5 ميغابايت، أو MP4 أو PDF حتى 16 ميغابايت. للرسائل ملفاتها.
template-variable-add = إدراج { $variable }
template-sample = مثال على { $name }
template-field-kind = ما يفعله
template-kind-quick_reply = يردّ بكلماته
template-kind-url = يفتح صفحة
template-kind-phone_number = يتصل برقم
template-kind-offer_code = ينسخ رمز عرض
template-field-text = الكلمات على الزر
template-field-url = العنوان
template-url-hint = يمكن أن ينتهي بـ { $variable } فتكمله كل رسالة.
template-field-phone_number = الرقم
template-field-sample = مثال
template-field-media = الملف
template-field-sample_asset_id = الملف
template-sample-hint = العنوان كاملًا أو الرمز
template-button-numbered = الزر { $place }
template-button-add = إضافة زر
template-button-remove = إزالة الزر
template-field-button = الكلمات على زر نسخ الرمز
template-field-security_advice = ينبّه إلى عدم إخبار أحد بالرمز
template-field-valid_minutes = دقائق صلاحية الرمز (اختياري)
template-by-whatsapp = يكتب واتساب نص الرموز بنفسه.
template-lint = { $n ->
    [zero] لن يجد واتساب ما يرفضه.
    [one] سيرفضه واتساب لسبب واحد:
    [two] سيرفضه واتساب لسببين:
    [few] سيرفضه واتساب لـ{ $n } أسباب:
    [many] سيرفضه واتساب لـ{ $n } سببًا:
   *[other] سيرفضه واتساب لـ{ $n } سبب:
  }
template-submit-title = المراجعة
template-submit = إرسال إلى واتساب
template-submit-why = يراجعه واتساب خلال دقائق أو يوم. ما اعتمده من قبل لا يُرسل في هذه الأثناء.
template-submitted = لدى واتساب ما يظهر في النموذج.
template-submit-used = يمكن أن يرسله { $names }. إلى أن يعتمده واتساب من جديد يكون الإرسال بالقناة التالية أو لا يكون.
template-submit-anyway = إرسال على أي حال
template-uses = يستخدمه
template-uses-none = لا تستخدمه أي أتمتة
template-delete = حذف القالب
template-delete-effect = يُحذف من واتساب أيضًا، ولا يقبل قالبًا جديدًا بهذا الاسم مدة 30 يومًا.
template-in-use = لا يمكن حذفه ما دامت أتمتة تستخدمه.
template-numbers = أرقام آخر 30 يومًا
template-content = المحتوى
template-all = الكل
template-edition = المحتوى { $n }
template-clicked = نقرات
template-cost = الكلفة

## Files
assets-empty = لا ملفات بعد.
assets-new = ملف جديد
assets-delete = حذف الملف
assets-delete-effect = تفشل الرسائل التي لم تُرسل بعد إن كانت تحتاجه.
asset-kind = النوع
asset-kind-image = صورة
asset-kind-video = فيديو
asset-kind-audio = صوت
asset-kind-document = مستند
asset-kind-sticker = ملصق
asset-state-awaiting_upload = لم يُرفع
asset-state-scanning = قيد الفحص
asset-state-ready = جاهز
asset-state-refused = مرفوض
asset-reason = { $reason ->
    [empty] الملف فارغ.
    [too_large] الملف كبير جدًا.
    [wrong_size] وصل الملف ناقصًا.
    [wrong_type] الملف من نوع غير ما يقوله اسمه.
    [harmful] الملف ضار.
   *[other] وصل الملف تالفًا.
  } احذفه وارفع غيره.
asset-open = فتح
asset-uses = أين يُستخدم
asset-uses-none = لا يُستخدم
asset-use-templates = قالب
asset-use-automations = أتمتة
asset-use-campaigns = رسالة جماعية
asset-use-products = منتج
upload = رفع ملف
upload-hint = صور (JPEG وPNG) حتى 5 ميغابايت، وفيديو (MP4 و3GPP) وصوت (MP3 وAAC وOpus) حتى 16 ميغابايت، وملفات PDF ونصوص وأوفيس حتى 100 ميغابايت.
upload-refused = { $why ->
    [type] لا تُقبل هنا ملفات من هذا النوع.
    [empty] الملف فارغ.
   *[size] الملف كبير جدًا: الحد الأقصى { $most }.
  } اختر غيره.
upload-stop = إيقاف
upload-broken = انقطع الرفع عند { $share }.
upload-again = رفعه مرة أخرى
upload-done = رُفع { $name }.
