## Set-up
settings-set-up = من أول اتصال بمزوّد إلى أول مكالمة تمت متابعتها، في خمس صفحات
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
set-up-another = ربط مزوّد آخر
set-up-change = تغييره
set-up-phone = رقم الهاتف في الرسائل
set-up-phone-hint = الرقم الذي يصل به العملاء إليك، كما ينبغي أن يقرؤوه
set-up-telephone-why = يعرف Ringback بالمكالمات الفائتة من هاتفك. يلزم اتصال واحد يبلّغ عن المكالمات.
telephone-which = أي هاتف لديك؟
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
set-up-text-first = { $way ->
    [number] { $name }: نعتذر، فاتتنا مكالمتك. سنعاود الاتصال بك. لإيقاف الرسائل أرسل رسالة إلى { $number }.
    [elsewhere] { $name }: نعتذر، فاتتنا مكالمتك. سنعاود الاتصال بك. لإيقاف الرسائل أخبرنا عبر واتساب أو بمكالمة.
   *[other] { $name }: نعتذر، فاتتنا مكالمتك. كيف يمكننا مساعدتك؟ أرسل STOP لإيقاف الرسائل.
  }
set-up-text-create = تشغيل
set-up-text-unnamed = عميلنا العزيز
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

## Automations
people-away = المعطَّلون: { $n }
people-away-why = لا حق لهم في الدخول. يبقى ما أنجزوه بأسمائهم، ولذلك لا يُحذف أحد.
people-until = صالحة حتى { $at }
people-new = دعوة شخص

## Settings
settings-connections = واتساب والرسائل القصيرة وأنظمة الهاتف، وهل تعمل
settings-lines = الأرقام التي يتصل بها العملاء
settings-people = من ينتمي إلى النشاط وبأي دور
settings-business = الاسم والبلد والمنطقة الزمنية وساعات العمل
business-zone = المنطقة الزمنية
business-country = البلد
business-country-hint = تُقرأ الأرقام التي بلا رمز دولة على أنها من هذا البلد.
business-languages = لغات عملائك
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
connection-kind-whatsapp = واتساب
connection-kind-twilio = Twilio
connection-kind-telephony = نظام هاتف آخر
connection-kind-aircall = Aircall
connection-kind-vonage = Vonage
connection-kind-exotel = Exotel
connection-kind-plivo = Plivo
connection-kind-shopify = Shopify
connection-kind-woocommerce = WooCommerce
connection-kind = المزوّد
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
connection-marketing = شروط Meta لرسائل التسويق
marketing-terms-accepted = مقبولة: تُرسل قوالب التسويق كرسائل تسويقية
marketing-terms-not_accepted = غير مقبولة: اقبلها في مدير واتساب ثم أعد الاختبار. يكتب آخرون أن التسويق بدونها ينتهي في 13 أكتوبر 2027 (غير مؤكد).
marketing-terms-ineligible = لا تسمح Meta بذلك لهذا الحساب
connection-paused = موقوف مؤقتًا حتى
connection-urls = عناوين تُلصق لدى المزوّد
connection-urls-why = أدخلها في لوحة المزوّد كما هي تمامًا.
connect = ربط
connect-name = الاسم كما سيراه فريقك
connect-account_sid = معرّف الحساب (SID)
connect-auth_id = معرّف المصادقة
connect-shop = نطاق المتجر لدى Shopify (… .myshopify.com)
connect-store = عنوان المتجر
connect-signing_key = مفتاح توقيع الـ webhooks
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
guide-find-shopify = في admin.shopify.com يعرض «Settings → Domains» النطاق المنتهي بـ ‎.myshopify.com‎. مفتاح التوقيع تجده أسفل الـ webhooks في «Settings → Notifications → Webhooks»؛ وإن لم يظهر بعد فأنشئ الربط أولًا.
guide-find-woocommerce = في WordPress يعرض «Settings → General» العنوان تحت «Site Address». ينشئ Ringback السرّ.
guide-paste-whatsapp = في developers.facebook.com افتح تطبيقك ثم «WhatsApp → Configuration → Edit». ألصق «Callback URL» و«Verify token»، واشترك في الحقل «messages».
guide-paste-twilio = في console.twilio.com افتح «Phone Numbers → Manage → Active numbers» واختر الرقم. ألصق العناوين كاملة عند «A call comes in» و«Call status changes» و«A message comes in»، كل منها مع «Webhook» و«HTTP POST».
guide-paste-twilio-own_flow = في console.twilio.com افتح «Phone Numbers → Manage → Active numbers» واختر الرقم. ألصق العناوين كاملة عند «Call status changes» و«A message comes in»، كل منها مع «Webhook» و«HTTP POST». اترك «A call comes in» كما هو: فهو ما يرد على مكالماتك. وحيث يجعل هاتفًا يرن، يجب أن يبلّغ العنوان الأول أيضًا («statusCallback»)، ليعرف Ringback هل رد أحد.
guide-paste-telephony = اجعل نظام هاتفك يرسل حدثه إلى هذا العنوان، موقّعًا بالسرّ وفق Standard Webhooks.
guide-paste-aircall = في لوحة Aircall افتح «Integrations → Webhooks»، وألصق العنوان واختر الحدث «call.ended». ثم عيّن الرمز الذي يظهر هناك ضمن بيانات الدخول.
guide-paste-vonage = في dashboard.vonage.com افتح «Applications → تطبيقك → Voice» وألصق العنوان عند «Event URL» مع «POST». اترك «Answer URL» كما هو: فهو ما يرد على مكالماتك.
guide-paste-exotel = في المسار ضمن my.exotel.com ضع التطبيق «Passthru» بعد «Connect» وألصق العنوان الأول هناك، غير متزامن. ضع السرّ مكان {"{secret}"}.
guide-paste-plivo = في console.plivo.com افتح «Voice → Applications → تطبيقك» وألصق العنوان عند «Hangup URL» مع «POST». اترك «Answer URL» كما هو: فهو ما يرد على مكالماتك.
guide-paste-shopify = في admin.shopify.com افتح «Settings → Notifications → Webhooks» وأنشئ webhook بهذا العنوان وبصيغة «JSON» لكل حدث من هذه: إنشاء طلب، ودفع طلب، وتنفيذ طلب، وإلغاء طلب، وتحديث طلب، وإنشاء شحنة، وتحديث شحنة. ثم أدخل مفتاح التوقيع الظاهر أسفلها ضمن بيانات الدخول.
guide-paste-woocommerce = في WordPress افتح «WooCommerce → Settings → Advanced → Webhooks» وأضف webhook بهذا العنوان في «Delivery URL» وبالسرّ في «Secret» وبالحالة «Active» لكل موضوع من هذه: «Order created» و«Order updated» و«Order deleted» و«Order restored».
connect-optional = { $label } (اختياري)
connect-done = تم ربط { $name }
connect-refused = حُفظ { $name }، لكن المزوّد يرفضه
connect-unclear = حُفظ { $name }، لكن المزوّد لم يُجب
connect-once = تُعرض هذه الأسرار مرة واحدة فقط. احفظها، أو أدخلها لدى المزوّد الآن.
connect-secret = السرّ
connect-verify-token = رمز التحقق
connect-open = اختبار الاتصال
line-number = الرقم
line-hours = الساعات
line-hours-own = خاصة به
line-hours-tenant = ساعات النشاط
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
people-members = الأعضاء
people-role = الدور
people-deactivated = معطَّل
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
letters = أحرف كمرسل
letters-why = ما يقرؤه الناس بدل الرقم، مثل اسمك. لا يستطيع أحد الرد عليها، فيجب أن تذكر النصوص طريقة غير STOP. وفي بعض البلدان لا تصل إلا الأحرف المسجلة لدى Twilio.
letters-country = البلد
letters-sender = الأحرف
letters-promotion = أحرف الرسائل الترويجية
letters-registered = مسجلة لدى Twilio
letters-unregistered = غير مسجلة
letters-add = إضافة أحرف
rules-confirmed = قواعد بلدان لا تسري
rules-confirmed-rule = { $rule ->
    [senders] من يحق له الإرسال
    [replies] لا يستطيع أحد الرد
    [promotion_mark] علامة الرسائل الترويجية
    [promotion_hours] ساعات الرسائل الترويجية
    [promotion] لا رسائل ترويجية
    [links] الروابط
    [numbers] أرقام الهاتف في النص
    [registration] التسجيل
   *[other] { $rule }
  }

## Settings of messages
settings-closures = متى يكون النشاط مغلقًا، ومتى لا يُزعَج العملاء، وإلى أين تُرسل الرسائل
settings-words = قيم في الرسائل مثل العنوان، وكلمات يوقف بها العملاء الرسائل
settings-answers = ما يُرَدّ عليه تلقائيًا: خارج ساعات العمل، وعند طلب المساعدة أو الإيقاف
settings-order-messages = ما يصل العملاء عند استلام الطلب أو تأخره أو تجهيزه أو شحنه أو تسليمه أو إلغائه
settings-order-settings = كم ينتظر الطلب المدفوع قبل شحنه
settings-caps = كم يجوز أن يُرسل ويُنفق
settings-retention = متى تُحذف المكالمات والرسائل
settings-operations = الاستيراد والتصدير وكل عمل طويل: إلى أين وصل وما نتيجته
settings-audit = تغييرات آخر 400 يوم، بالحقول قبلها وبعدها
remove = إزالة
removed = أُزيل
tenant-field-holidays = العطل
tenant-field-quiet_hours = ساعات الهدوء
tenant-field-allowed_countries = الدول
tenant-field-variables = القيم
tenant-field-stop_words = كلمات الإيقاف
tenant-field-start_words = كلمات البدء
tenant-field-retention = أيام المكالمات والرسائل
tenant-field-answers = الردود التلقائية
holidays = العطل
holidays-none = لا عطل محددة.
holiday = العطلة { $n }
holiday-name = الاسم
holiday-from = أول يوم
holiday-to = آخر يوم
holiday-hours = الساعات
holiday-add = إضافة عطلة
countries = الدول
countries-allowed = الدول التي يجوز مراسلتها
countries-hint = أسماء أو رموز بينها فواصل، مثل «الإمارات، الهند». من دون أي دولة: كل الدول.
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
   *[other] ، تكلفتها بعملة { $currency }
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
country-hint = حرفان، مثل AE
cap-money-begins = يُعدّ ما يُرسل من الآن فصاعدًا.
connection-credentials-wrong_secret = يرفض المزوّد بيانات الدخول هذه، فبقيت السابقة. صحّحها وحاول مرة أخرى. نص المزوّد:
connection-credentials-invalid = لا يمكن الآن سؤال المزوّد هل يقبل بيانات الدخول هذه، فبقيت السابقة. حاول لاحقًا. السبب:
connection-credentials-anyway = الحفظ رغم ذلك
connection-credentials-anyway-effect = تحل هذه البيانات محل بيانات الاتصال مع أن المزوّد لم يقبلها. فقد لا تُرسل الرسائل، وقد تُرفض تقارير المكالمات.
connection-waiting = لا تُظهره إلا مكالمة
line-unheard = لا اتصال له هذا الرقم بعد، فمكالماته تُتجاهل. الخطوة التالية: اربط الهاتف الذي تصل إليه.
line-unheard-ask = اطلب من مسؤول أن يضيفه إلى الاتصال.
line-unheard-short = تُتجاهل المكالمات
line-reporter-takes = يستقبل مكالمات كل الأرقام. إن كانت تصل إلى اتصال آخر فاختره، فيُضاف الرقم إليه.
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
blocked-keep = عدم الإرسال
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
settings-templates = ما يسمح واتساب للنشاط بأن يبدأ به المراسلة، ومراجعاته
settings-assets = صور وفيديو ومستندات للرسائل والقوالب
settings-segments = اختيارات محفوظة من جهات الاتصال، وتعديلها كلها معًا
settings-canned-replies = ردود يدرجها فريقك ببضع ضغطات
settings-teams = من يعملون معًا، ومن يتولى المحادثات الجديدة
settings-inbox-settings = متى يُنبَّه الأشخاص، ومتى تنتقل المحادثات أو تُغلق
settings-api-keys = ما يُسمح به للبرامج الأخرى باسم النشاط
settings-webhooks = البرامج التي تعلم فورًا بما يحدث، مثل متجر أو n8n
settings-tags = ما تُوسم به جهات الاتصال والمحادثات
settings-stages = إلى أين وصل من قد يشتري
settings-fields = ما تريد معرفته أيضًا عن العملاء
settings-products = ما يمكن أن تذكره الرسائل، مع السعر والصورة
settings-suppressions = أشخاص ليسوا جهات اتصال ويرفضون الرسائل
tenant-field-orders = الطلبات المتأخرة
tenant-field-inbox = صندوق الوارد
