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
account-password-why = تنتهي الجلسات الأخرى، وتبقى هذه.
account-password-current = كلمة المرور الحالية
account-password-change = تغيير كلمة المرور
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
