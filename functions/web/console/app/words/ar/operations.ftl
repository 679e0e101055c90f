operation-state = الحالة
operation-state-queued = في الانتظار
operation-state-running = جارٍ
operation-state-cancelling = يجري إيقافه
operation-state-done = اكتمل
operation-state-failed = تعذّر
operation-state-cancelled = أُوقف
operation-progress = التقدّم
operation-done = { $total ->
    [none] أُنجز { $done }. يمكنك مغادرة الصفحة، فالعمل يستمر.
   *[other] أُنجز { $done } من { $total }. يمكنك مغادرة الصفحة، فالعمل يستمر.
  }
operation-cancelling = يجري الإيقاف. ما أُنجز يبقى كما هو.
operation-cancel = إيقاف
operation-failed = تعذّر الإكمال. ما أُنجز قبل ذلك يبقى كما هو.
operation-cancelled = أُوقف العمل. ما أُنجز قبل ذلك يبقى كما هو.
operation-what = المهمة
operation-errors = لم يُنجز
operation-result = النتيجة
operation-kind = { $kind ->
    [apply_retention] حذف المكالمات والرسائل القديمة
    [backfill_conversations] محادثات من قبل
    [archive_contact] كل بيانات جهة اتصال
    [change_contacts] تغيير جهات اتصال كثيرة
    [count_segment] عدّ مجموعة
    [erase_contact] محو جهة اتصال
    [import_contacts] استيراد جهات اتصال
    [export_data] تصدير
    [preflight_campaign] فحص حملة
    [report_campaign] تقرير حملة
    [run_campaign] إرسال حملة
    [sync_templates] قراءة القوالب من المزوّد
   *[other] { $kind }
  }
operation-cancel-effect = تنتهي خلال دقيقة. ما أُنجز يبقى.
operation-cancel-named = إيقاف: { $kind }
