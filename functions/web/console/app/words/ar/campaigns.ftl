## Broadcasts
campaigns-empty = لا رسائل جماعية بعد. الرسالة الجماعية رسالة واحدة إلى كثيرين، يتلقاها كل منهم مرة واحدة.
campaign-state-draft = مسودة
campaign-state-scheduled = مجدولة
campaign-state-running = قيد الإرسال
campaign-state-paused = متوقفة مؤقتًا
campaign-state-finishing = أوشكت على الانتهاء
campaign-state-completed = أُرسلت
campaign-state-cancelled = ملغاة
campaign-people = الأشخاص
campaign-new-why = لا يُرسل شيء قبل أن ترى من يتلقاها وكم تكلف.
campaign-name-hint = لا يرى الاسم إلا فريقك.
campaign-create = إنشاء واختيار من يتلقاها
campaign-steps = الخطوات
campaign-step-audience = لمن
campaign-step-message = الرسالة
campaign-step-when = متى
campaign-step-check = الفحص
campaign-step-numbered = { $place }. { $step }
campaign-save-on = حفظ ومتابعة: { $step }
campaign-open = فتحها
campaign-started-already = بدأت، فلا يمكن تغييرها بعد الآن.
campaign-go-on = متابعة الكتابة
campaign-delete = حذفها
campaign-delete-effect = تُحذف هي وتقريرها. تبقى الرسائل المرسلة في قائمة الرسائل.

## Who
campaign-who = من يتلقاها
campaign-who-hint = لا يتلقاها إلا من وافق على الرسائل. تُثبَّت القائمة عند البدء.
campaign-audience-none = اختر شريحة أو وسمًا
campaign-audience-segment = الشريحة: { $name }
campaign-audience-tag = الوسم: { $name }
campaign-audience-deleted = حُذف في هذه الأثناء
campaign-excluded_segments = من دون هذه الشرائح
campaign-excluded_tags = من دون هذه الوسوم
campaign-segment = الشريحة
campaign-tag = الوسم
campaign-count = عدّهم
campaign-counted = { $n ->
    [zero] لا أحد حاليًا
    [one] جهة اتصال واحدة حاليًا
    [two] جهتا اتصال حاليًا
    [few] { $number } جهات اتصال حاليًا
    [many] { $number } جهة اتصال حاليًا
   *[other] { $number } جهة اتصال حاليًا
  }

## Message
campaign-category-marketing = عرض
campaign-category-utility = شيء طلبه العملاء
campaign-category-hint = لا يتلقى أحد عرضين خلال 24 ساعة.
campaign-channels = عبر
campaign-category = الموضوع
campaign-sms_text = نص الرسالة القصيرة
campaign-template = قالب واتساب
campaign-fallback_after_seconds = القناة الثانية بعد
campaign-line = الخط
campaign-variants = النصوص البديلة
campaign-variants-why = يمكن أن يتلقى بعض الأشخاص نصًا آخر. يقارن التقرير بينها.
campaign-variant = النص البديل
campaign-variant-first = النص الأول
campaign-variant-name = نص بديل { $place }
campaign-variant-same = كما في النص الأول
campaign-variant-add = إضافة نص بديل
campaign-variant-remove = إزالة { $name }
campaign-percent = النسبة المئوية من الأشخاص
campaign-hold_percent = النسبة المئوية لمن ينتظر
campaign-hold-hint = يتلقون النص الذي تختاره بعد قراءة التقرير. إن تُرك فارغًا لا ينتظر أحد.

## When
campaign-begins = تبدأ
campaign-begins-once = فور بدئها
campaign-begins-at = في وقت محدد
campaign-begins-local = في وقت بحسب ساعات المتلقين
campaign-starts_at = اليوم والوقت
campaign-starts_at_local = اليوم والوقت حيث المتلقون
campaign-starts-hint = بتوقيت النشاط، { $zone }.
campaign-local-hint = بتوقيت بلد كل رقم.
campaign-send_window = الساعات
campaign-window-hint = تنتظر الرسائل هذه الساعات بتوقيت المتلقي، وتنتظر في كل حال انتهاء ساعات الهدوء.
campaign-window-none = في أي ساعة
campaign-window-some = ضمن ساعات محددة فقط
campaign-per_minute = الرسائل في الدقيقة
campaign-pace-hint = إن تُرك فارغًا: بأسرع ما يسمح به المزودون.

## Check
campaign-incomplete = شيء ما ناقص. ارجع إلى الخطوة التي تخصه.
campaign-checking = جارٍ العد… { $done } حتى الآن. لا يُرسل شيء.
campaign-outdated = تغيّرت الرسالة الجماعية بعد هذا الفحص. افحص من جديد.
campaign-old-check = مضى على هذا الفحص أكثر من 15 دقيقة. يفحص البدء من جديد أولًا.
campaign-check-failed = فشل الفحص، أو تغيّرت الرسالة الجماعية في هذه الأثناء. افحص من جديد.
campaign-check-again = فحص من جديد
campaign-outcome = ما سيحدث للجميع
campaign-chosen = المختارون
campaign-held = من دون رسالة: { $reason }
campaign-would-get = سيتلقون الرسالة
campaign-channel-problem = { $channel }: { $reason } ({ $people })
campaign-deferred = { $n ->
    [zero] لن تنتظر أي رسالة.
    [one] ستنتظر رسالة واحدة انتهاء ساعات الهدوء أو الساعات التي حددتها.
    [two] ستنتظر رسالتان انتهاء ساعات الهدوء أو الساعات التي حددتها.
    [few] ستنتظر { $n } رسائل انتهاء ساعات الهدوء أو الساعات التي حددتها.
    [many] ستنتظر { $n } رسالة انتهاء ساعات الهدوء أو الساعات التي حددتها.
   *[other] ستنتظر { $n } رسالة انتهاء ساعات الهدوء أو الساعات التي حددتها.
  }
campaign-ends = قد تخرج آخر رسالة في { $at }.
campaign-file = فتح قائمة الجميع
campaign-cost = التكلفة
campaign-country = البلد
campaign-country-others = بلدان أخرى
campaign-units = الرسائل
campaign-price = { $category ->
    [marketing] عرض
    [marketing_lite] عرض
    [utility] خدمة
    [service] محادثة
   *[other] أخرى
  }
campaign-no-price = لا سعر معروف
campaign-cost-all = المجموع نحو { $amount }
campaign-cost-least = المجموع { $amount } على الأقل
campaign-old-prices = فُحصت قائمة الأسعار آخر مرة في { $day }، فقد تكون التكلفة خاطئة.
campaign-would-stop = ستتوقف فور بدئها: { $reason }
campaign-remedy = إصلاح ذلك
campaign-cap = { $period ->
    [hour] لا يتسع الحد { $maximum } في الساعة للجميع: استُعمل { $counted }
    [day] لا يتسع الحد { $maximum } في اليوم للجميع: استُعمل { $counted }
   *[other] لا يتسع الحد { $maximum } في الشهر للجميع: استُعمل { $counted }
  }{ $needed ->
    [none] .
   *[other] ، والمطلوب { $needed }.
  } تتوقف الرسالة الجماعية مؤقتًا عند بلوغه.
campaign-share = ميتا: { $customers } من { $most } من العملاء الذين يمكنك أن تبدأ بمراسلتهم خلال 24 ساعة. تأخذ الرسالة الجماعية حتى { $share } ثم تتابع في اليوم التالي.
campaign-rule = { $refused ->
    [yes] { $reason }. يخص ذلك { $people }، وتفشل رسائلهم القصيرة.
   *[other] { $reason }. يخص ذلك { $people }.
  }
campaign-samples = كما سيقرؤها الناس
campaign-test = جرّبها على هاتف
campaign-test-why = إنها رسالة حقيقية: يجب أن يكون متلقيها قد وافق على الرسائل، ولن يتلقى عرضًا آخر خلال 24 ساعة.
campaign-test-phone = الرقم
campaign-test-send = إرسال تجربة
campaign-test-sent = أُرسلت.
campaign-test-open = اعرف ما حدث لها
campaign-send = { $n ->
    [zero] لا ترسل إلى أحد
    [one] إرسال إلى شخص واحد
    [two] إرسال إلى شخصين
    [few] إرسال إلى { $people } أشخاص
    [many] إرسال إلى { $people } شخصًا
   *[other] إرسال إلى { $people } شخص
  }{ $cost ->
    [none] {""}
   *[other] { $least ->
        [yes] {" "}مقابل { $cost } على الأقل
       *[other] {" "}مقابل { $cost }
      }
  }
campaign-counted-again = مضى وقت طويل أو تغيّر شيء ما: يُعاد العد. انظر إلى الأرقام قبل أن تبدأ.
campaign-nobody = لن يتلقى الرسالة أحد.
campaign-overtaken = لم يبدأ شيء هنا: غُيّرت الرسالة الجماعية أو بدأت في علامة تبويب أخرى أو بيد زميل.

## Progress
campaign-starts = تبدأ { $at }
campaign-starts-local = تبدأ بحسب ساعات المتلقين
campaign-recipients = { $n ->
    [zero] لا أحد في قائمتها.
    [one] في قائمتها شخص واحد.
    [two] في قائمتها شخصان.
    [few] في قائمتها { $number } أشخاص.
    [many] في قائمتها { $number } شخصًا.
   *[other] في قائمتها { $number } شخص.
  }
campaign-difference = { $direction ->
    [more] { $n ->
        [zero] لم ينضم أحد منذ الفحص الذي عدّ { $counted }.
        [one] انضم شخص واحد منذ الفحص الذي عدّ { $counted }.
        [two] انضم شخصان منذ الفحص الذي عدّ { $counted }.
        [few] انضم { $n } أشخاص منذ الفحص الذي عدّ { $counted }.
        [many] انضم { $n } شخصًا منذ الفحص الذي عدّ { $counted }.
       *[other] انضم { $n } شخص منذ الفحص الذي عدّ { $counted }.
      }
   *[other] { $n ->
        [zero] لم يخرج أحد منذ الفحص الذي عدّ { $counted }.
        [one] خرج شخص واحد منذ الفحص الذي عدّ { $counted }.
        [two] خرج شخصان منذ الفحص الذي عدّ { $counted }.
        [few] خرج { $n } أشخاص منذ الفحص الذي عدّ { $counted }.
        [many] خرج { $n } شخصًا منذ الفحص الذي عدّ { $counted }.
       *[other] خرج { $n } شخص منذ الفحص الذي عدّ { $counted }.
      }
  }
campaign-progress = تقرر أمر { $done } من { $total }، منهم { $errors } من دون رسالة.
campaign-progress-label = التقدم
campaign-limited = استُنفدت حصة اليوم من المحادثات الجديدة على واتساب. تتابع { $until }.
campaign-stopped = أوقفت نفسها مؤقتًا: { $reason }
campaign-pause = إيقاف مؤقت
campaign-resume = استئناف
campaign-cancel = إلغاء
campaign-cancel-effect = لن يتلقى أحد شيئًا آخر منها. لا يمكن استئنافها.
campaign-cancel-named = إلغاء { $name }
campaign-winner = اختر لمن ينتظر
campaign-winner-why = أعدّ التقرير وقارن النصوص واختر ما يتلقاه الباقون.
campaign-choose = إرسال { $name } إلى الباقين
campaign-choose-effect = يتلقى كل من ينتظر هذا النص. لا يمكن تغييره بعد ذلك.
campaign-chosen-variant = يتلقى من انتظر: { $name }

## Report
campaign-report = التقرير
campaign-report-make = إعداد التقرير
campaign-report-again = إعداده من جديد
campaign-report-at = حتى { $at }
campaign-report-recipients = المتلقون
campaign-report-delivered = سُلّمت
campaign-report-read = قُرئت
campaign-report-failed = فشلت
campaign-report-left_out = من دون رسالة
campaign-report-replied = ردّوا
campaign-report-clicked = فتحوا رابطًا
campaign-report-opted_out = لا يريدون مزيدًا من الرسائل
campaign-report-reasons = لماذا لا
campaign-report-cost = التكلفة: { $reported } كما أفاد المزودون، و{ $estimated } بحسب قوائم الأسعار
campaign-report-unpriced = { $n ->
    [zero] سعر كل الرسائل معروف.
    [one] لا يُعرف سعر رسالة واحدة.
    [two] لا يُعرف سعر رسالتين.
    [few] لا يُعرف سعر { $n } رسائل.
    [many] لا يُعرف سعر { $n } رسالة.
   *[other] لا يُعرف سعر { $n } رسالة.
  }
campaign-export = تصدير المتلقين
campaign-export-open = فتح الملف
campaign-why = السبب
campaign-recipient-waiting = ينتظر
campaign-recipient-left_out = من دون رسالة
campaign-recipient-not_retained = حُذفت بعد ذلك
campaign-recipients-empty = لا أحد في هذه الصفحة. قد يكون في التالية آخرون.
