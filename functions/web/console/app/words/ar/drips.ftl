## Drips
drips = سلاسل الرسائل
drip-why = السلسلة رسائل عدة إلى شخص بعد آخر، خطوة بخطوة.
drip-types = الأنواع
drip-new = سلسلة جديدة
drip-running = جارية
drip-version = الإصدار { $n }
drip-start = بدء
drip-start-named = بدء { $name }
drip-start-effect = من يدخلها تصله رسائلها من الآن.

## Steps
drip-message = رسالة
drip-wait = انتظار
drip-branch = تفرّع
drip-tag = وسم
drip-stage = مرحلة
drip-notify = ملاحظة
drip-exit = نهاية
drip-kind = الخطوة التالية
drip-add = إضافتها
drip-removed = أُزيلت { $name }.
drip-no-steps = لا خطوات بعد.
drip-versions = من دخلها يتابع بالخطوات التي بدأ بها.
drip-choose = اختر
drip-next = الخطوة التالية
drip-if = إذا
drip-tag-remove = إزالته
drip-owner = إن لم تختر أحدًا: المسؤول عن جهة الاتصال.
drip-until = حتى
drip-until-passed = مرور مدة
drip-until-time_of_day = ساعة من اليوم
drip-until-weekday = يوم من الأسبوع

## Who enters
drip-triggers = يدخلون تلقائيًا
drip-new_contact = جهات الاتصال الجديدة
drip-tags = من يحصل على وسم
drip-triggers-more = المراحل والتواريخ
drip-stages = من يدخل مرحلة
drip-date = في تاريخ
drip-recurrence = كم مرة
drip-yearly = كل سنة
drip-once = مرة واحدة
drip-side = قبله أم بعده
drip-before = قبله
drip-after = بعده
drip-audience = يدخلون عند بدئها
drip-nobody = لا أحد
drip-reentry = يمكن الدخول مرة أخرى
drip-exits = يخرج مبكرًا من
drip-on_reply = يكتب
drip-on_call = يتحدث بالهاتف
drip-on_conversion = يشتري أو يحجز

## People
drip-enrol-some = إدخال جهة اتصال
drip-enrol = إدخال
drip-enrolled = دخل { $name } السلسلة.
drip-people-empty = لا أحد في هذه الصفحة.
drip-none-open = لا سلسلة جارية.
drip-active = فيها
drip-completed = أتمّها
drip-exited = خرج
drip-now = التالي
drip-steps-taken = الخطوات
drip-cap = ينتظر متسعًا في حدّ
drip-stop = إخراج من السلسلة
drip-stop-effect = لا تُرسل الرسائل المنتظرة أيضًا.
drip-skipped = لم يُفعل شيء
drip-fulfilled = تحقق الشرط
drip-other-steps = خطوات سابقة
