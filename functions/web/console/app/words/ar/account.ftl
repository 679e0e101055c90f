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
mail-orders_late = طلب متأخر
mail-webhook_failing = نقطة Webhook لا تقبل الأحداث
account-password-why = تنتهي الجلسات الأخرى، وتبقى هذه.
account-password-current = كلمة المرور الحالية
account-password-change = تغيير كلمة المرور
factor-on = يطلب تسجيل الدخول كلمة المرور ورمزًا.
factor-off = يطلب تسجيل الدخول كلمة المرور وحدها.
factor-link = رمز إلى جانب كلمة المرور
factor-why = يعرض تطبيق على هاتفك رمزًا جديدًا كل 30 ثانية. ومن يعرف كلمة مرورك لا يستطيع الدخول من دونه.
factor-begin = إعداد
factor-scan = امسح هذا بتطبيق المصادقة
factor-scan-how = مثل Google Authenticator أو Microsoft Authenticator أو 1Password. أضف فيه حسابًا ووجّه الكاميرا إلى هنا.
factor-qr = رمز QR لتطبيق المصادقة
factor-secret = أو اكتب هذا في التطبيق.
factor-secret-one = المفتاح السري
factor-here = التطبيق على هذا الجهاز
factor-confirm = تفعيل
factor-codes = رموز الاسترداد
factor-codes-why = إن فقدت هاتفك فكل رمز من هذه يُدخلك مرة واحدة. لا تُعرض إلا الآن. احفظها حيث تجدها من دون الهاتف.
factor-codes-download = تنزيل
factor-codes-stored = حفظتها
factor-codes-leave = هل تغادر الصفحة؟ لن تُعرض الرموز مرة أخرى، ومن دونها لا تدخل إن فقدت هاتفك.
factor-codes-left = { $n ->
    [zero] لم يبق أي رمز استرداد.
    [one] بقي رمز استرداد واحد.
    [two] بقي رمزا استرداد.
    [few] بقيت { $n } رموز استرداد.
    [many] بقي { $n } رمز استرداد.
   *[other] بقي { $n } رمز استرداد.
  }
factor-codes-replace = رموز استرداد جديدة
factor-codes-replace-why = تتوقف الرموز السابقة عن العمل.
factor-remove = إيقاف
factor-remove-why = تكفي بعدها كلمة المرور وحدها. ولتستخدم هاتفًا آخر، أوقف هذا ثم فعّله من جديد.
account-sessions = الأجهزة التي سجّلت الدخول منها
account-session-this = هذه الجلسة
account-session-end = تسجيل الخروج
account-device-unknown = جهاز غير معروف
account-log-out-everywhere = تسجيل الخروج من كل الأجهزة
availability = أنا متاح
availability-on = يمكن أن تصلك محادثات جديدة من فرقك.
availability-off = لا تصلك محادثات جديدة. وما عندك يبقى عندك.
availability-hand-over = تسليم المحادثات التي ينتظر فيها عملاء
availability-handed = تنتقل خلال دقيقتين إلى آخرين من فرقك، أو تبقى بلا أحد.
account-notifications = على هذا الجهاز وغيره وبالبريد
notify-devices = على الأجهزة
notify-devices-why = تصل الإشعارات حين لا ينظر أحد إلى صفحة من Ringback.
notify-state-none = لا يستطيع هذا المتصفح عرض الإشعارات. على iPhone ثبّت التطبيق أولًا.
notify-state-refused = المتصفح يحظر الإشعارات. اسمح بها لهذا الموقع في إعدادات المتصفح.
notify-state-off = لا تصل الإشعارات إلى هذا الجهاز.
notify-state-on = تصل الإشعارات إلى هذا الجهاز.
notify-turn-on = تشغيلها هنا
notify-turn-off = إيقافها هنا
notify-failed = خدمة الإشعارات في المتصفح لا تجيب. حاول لاحقًا.
notify-device-this = هذا الجهاز
notify-remove = إزالة
notify-what = ما تصلك إشعارات عنه
notify-what-why = يُذكر اسم العميل، ولا يظهر ما كتبه إلا إن اخترت ذلك.
notify-mine = رسائل العملاء الذين تتولاهم
notify-unassigned = رسائل العملاء الذين لا يتولاهم أحد
notify-mentions = الملاحظات التي تذكرك
notify-calls = المكالمات الفائتة التي لن تتبعها رسالة
notify-attention = ما يجب أن ينتبه إليه المشرفون
notify-texts = إظهار ما كُتب
notify-quiet-why = بتوقيت النشاط. تصل رسائل البريد في أي ساعة.
notify-quiet-none = بلا ساعات هدوء
install = تثبيت Ringback
install-why = للتطبيق نافذة خاصة به، وتُظهر أيقونته عدد العملاء الذين ينتظرونك.
install-desk = في Chrome أو Edge: الأيقونة في طرف شريط العنوان.
install-android = في Android: قائمة المتصفح ثم «تثبيت التطبيق».
install-iphone = في iPhone وiPad: «مشاركة» ثم «إضافة إلى الشاشة الرئيسية». لا تصل الإشعارات هناك إلا إلى التطبيق المثبّت.
