## Problems
fault-no_prices = لا أسعار بهذه العملة في قوائم الأسعار، فلا يُعدّ بها شيء. اختر عملة أخرى.
fault-day = اختر يومًا.
example-api_key_sid = SK0a1b2c3d4e5f60718293a4b5c6d7e8f9
problem-bad_request = الطلب غير سليم. أعد تحميل الصفحة.
problem-ambiguous_credentials = في الطلب نوعان من بيانات الدخول. أعد تحميل الصفحة.
problem-no_tenant = لا يسمّي الطلب نشاطًا تجاريًا. أعد تحميل الصفحة.
problem-tenant_suspended = هذا النشاط موقوف. راسل الجهة التي تشغّل Ringback لك.
problem-second_factor_needed = أعدّ عاملًا ثانيًا، ثم سجّل الدخول برمزه.
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
problem-endpoint_disabled = العنوان مُطفأ. شغّله أولًا.
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
problem-too_many_operations = توجد أعمال طويلة كثيرة جارية أو في الانتظار. انتظر حتى ينتهي بعضها، أو ألغه.
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
fault-shortened = اختصر برنامج الجداول هذا الرقم فضاعت منه أرقام. اجعل العمود نصًا هناك ثم صدّره من جديد.
fault-extension = في هذا رقم تحويلة لا تصل إليه الرسائل. احذفه.
fault-unknown_range = هذا ليس ضمن نطاقات الأرقام المعروفة في دولته. أُخذ كما هو، فتحقق منه.
fault-is_contact = هذا الشخص جهة اتصال بالفعل.
fault-erased = مُحيت بيانات هذا الشخص، ولا يعيده أي استيراد.
fault-deleted = حُذفت جهة الاتصال هذه. استعدها أولًا.
fault-several = الأرقام والعناوين لجهات اتصال مختلفة. ادمجها أولًا.
fault-damaged = هذا تالف أو ليس نص جدول: علامة اقتباس لم تُغلق أو حروف بترميز آخر. احفظه من جديد بصيغة “CSV UTF-8”.
fault-more_cells = في الصف خانات أكثر من الأعمدة. ضع الخانات التي فيها فواصل بين علامتي اقتباس.
fault-no_person = هذه البطاقة قائمة أو مكان وليست شخصًا.
fault-workbook = هذا مصنّف جداول. افتحه في Excel واحفظه بصيغة “CSV UTF-8”.
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
example-emails = noor@example.com
example-source = نموذج الموقع
example-reference = الطلب 1042
example-amount = 120.50
example-name = نور
example-phone = +971 4 555 0123
example-secret = 0a1b2c3d4e5f60718293a4b5c6d7e8f9
example-slug = saffron-bakery
example-sources = 203.0.113.7
example-start_words = استئناف
example-stop_words = كفى
example-carrier = Aramex
example-tracking_url = https://track.example.com/1042
example-body = مرحبًا {"{{1}}"}، طلبك جاهز.
example-footer = مخبز الزعفران
example-samples = ليلى
example-sample = ليلى
example-button = نسخ الرمز
example-text = نعتذر، فاتتنا مكالمتك.
example-sms_text = نعتذر، فاتتنا مكالمتك.
example-time_zone = Asia/Dubai
example-variable = address
example-variables = 12 ممشى المارينا
example-promotion = AD-SAFFRON
example-sender = SAFFRON
example-expires_at = 2027-11-20
example-evidence = الاستمارة 1207، موقّعة في المتجر
example-shop = saffron-bakery.myshopify.com
example-store = https://saffron.example
example-description = يشتري كل أسبوع
example-fields = 12
