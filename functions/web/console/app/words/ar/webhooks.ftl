## عناوين البرامج الأخرى
webhooks-empty = لا عناوين بعد. يمكن لبرامج أخرى، مثل متجر أو n8n، أن تعلم فورًا بالمكالمات والرسائل والنتائج.
webhooks-new = عنوان جديد
webhooks-delete = حذف العنوان
webhooks-delete-effect = لن يصله شيء بعد ذلك، ولا يُرسَل ما ينتظر. لا يمكن التراجع عن ذلك.
hook-name-hint = مثل اسم البرنامج
hook-url-hint = يبدأ بـ https:// وتجده في البرنامج الذي سيعلم بالأحداث.
hook-content-hint = عندئذ تذكر الأحداث اسم العميل ورقم هاتفه والنص. وإلا ففيها الأرقام التي يجدهم بها البرنامج فقط.
hook-header-name = اسم ترويسة (اختياري)
hook-header-value = قيمة الترويسة
hook-header-hint = للبرامج التي تقارن قيمة ثابتة بدل التحقق من التوقيع، كما يستطيع n8n
hook-header-kept = إن تُرك فارغًا تبقى القيمة الحالية.
hook-callback-key = مفتاح الردّ على الأحداث (اختياري)
hook-callback-none = يستمع فقط
hook-callback-hint = يستطيع البرنامج خلال 15 دقيقة بعد الحدث أن يتصرف مع عميله بما يسمح به هذا المفتاح: أن يجيب ويسِم ويُسند ويكتب ملاحظة.
hook-callback-from = العناوين التي يتصل منها
hook-callback-from-hint = عناوين IP أو نطاقات، مثل 203.0.113.0/24، بينها مسافات: عشرة على الأكثر
hook-callback-given = يستطيع البرنامج أن يتصرف مع عملاء أحداثه من { $from }. لا يغيّر ذلك ولا العنوان ولا الترويسة إلا مديرو النظام.
hook-subject-customers = المكالمات والعملاء
hook-subject-messages = الرسائل
hook-subject-work = ما يجري في النشاط
hook-event-call-decided = مكالمة فائتة أو مُجابة
hook-event-contact-changed = عميل جديد أو تغيّرت بياناته
hook-event-consent-changed = عميل يرفض الرسائل أو يوافق عليها
hook-event-conversion-recorded = سُجّلت نتيجة، مثل طلب
hook-event-order-changed = طلب جديد أو تغيّر طلب
hook-event-note-created = كُتبت ملاحظة
hook-event-message-received = كتب عميل
hook-event-message-sent = أُرسلت رسالة
hook-event-message-status = سُلّمت رسالة أو قُرئت أو رُفضت
hook-event-conversation-changed = تغيّرت محادثة
hook-event-campaign-progress = تقدّمت حملة
hook-event-operation-progress = تقدّمت مهمة طويلة
hook-event-template-changed = تغيّر قالب
hook-event-connection-refused = يرفض مزوّد اتصالًا
hook-event-webhook-test = تجربة
hook-events-count = { $n ->
    [zero] بلا أحداث
    [one] نوع واحد من الأحداث
    [two] نوعان من الأحداث
    [few] { $n } أنواع من الأحداث
    [many] { $n } نوعًا من الأحداث
   *[other] { $n } نوع من الأحداث
  }
hook-health = الحالة
hook-healthy = يعمل
hook-failing = يتعثّر
hook-down = متوقّف
hook-since = منذ { $at }
hook-disabled-user = مُطفأ
hook-disabled-gone = مُطفأ: لم يعد يريد أحداثًا
hook-disabled-failing = مُطفأ: تعثّر أيامًا
hook-waiting = { $n ->
    [zero] لا شيء ينتظر محاولة أخرى.
    [one] حدث واحد ينتظر محاولة أخرى.
    [two] حدثان ينتظران محاولة أخرى.
    [few] { $n } أحداث تنتظر محاولة أخرى.
    [many] { $n } حدثًا ينتظر محاولة أخرى.
   *[other] { $n } حدث ينتظر محاولة أخرى.
  }
hook-dropping = تنتظر أحداث كثيرة حتى إن الجديدة تُترك.
hook-once = يظهر هذا مرة واحدة فقط. أدخل أحد الاثنين في البرنامج الآن: به يتحقق من أن الأحداث تأتي من هنا.
hook-secret = السر لمكتبات Standard Webhooks
hook-key = وهو نفسه مفتاحًا نصيًا، لـ n8n
hook-leave = أتغادر الصفحة؟ لم يُنسخ السر الجديد، ولن يظهر مرة أخرى.
hook-go-on = المتابعة إلى التجربة
hook-warning-n8n_test_url = هذا عنوان التجربة في n8n: لا يجيب إلا ما دام أحد يفتح المحرّر. استعمل العنوان الذي فيه /webhook/ بصفة دائمة.
hook-test = إرسال تجربة
hook-tested = أُرسلت التجربة:
hook-recover = إعادة كل ما تعثّر
hook-recovered = { $n ->
    [zero] لم يتعثّر شيء في الأيام الخمسة الأخيرة.
    [one] يُعاد حدث واحد.
    [two] يُعاد حدثان.
    [few] تُعاد { $n } أحداث.
    [many] يُعاد { $n } حدثًا.
   *[other] يُعاد { $n } حدث.
  }
hook-enable = تشغيل
hook-disable = إطفاء
hook-rotate = استبدال السر
hook-rotate-effect = تحصل على سر جديد يظهر مرة واحدة. يصلح الاثنان يومًا، فلا يتوقف شيء بينما يُدخَل الجديد في البرنامج.
hook-rotate-do = إنشاء سر جديد
hook-deliveries = ما أُرسل
hook-deliveries-empty = لم يُرسَل شيء في الأيام السبعة الأخيرة.
hook-event = الحدث
hook-delivery-state = الحالة
hook-delivery-any = الكل
hook-delivery-waiting = ينتظر
hook-delivery-delivered = سُلّم
hook-delivery-failed = تعثّر
hook-delivery-dropped = تُرك
hook-next = المحاولة التالية
hook-retry = أعد المحاولة الآن
hook-outcome-delivered = سُلّم
hook-outcome-refused = رُفض
hook-outcome-gone = لم يعد يريد أحداثًا
hook-outcome-timed_out = لم يُجب في الوقت
hook-outcome-not_reached = تعذّر الوصول إليه
hook-outcome-blocked = العنوان غير مسموح
hook-answer = الجواب { $status } بعد { $ms } ملّي ثانية
hook-took = بعد { $ms } ملّي ثانية
hook-hint-n8n_starting_up = ما زال n8n يبدأ، فلم يعمل شيء. ستُعاد المحاولة.
hook-hint-n8n_only_run_if = أخذه n8n، وقد يكون إعداده “Only Run If” قد تركه.
hook-hint-n8n_authorization = يرفض n8n الترويسة، أو يعدّ الطلب من روبوت (“Ignore Bots”).
hook-hint-n8n_not_registered = لا يعرف n8n عنوانًا كهذا: سير العمل غير مُفعَّل.
example-url = https://n8n.example.com/webhook/5f0c2a9e
example-value = Bearer 5f0c2a9e7d
