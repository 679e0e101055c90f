## Segments
segments-empty = لا توجد شرائح بعد. الشريحة اختيار محفوظ من جهات الاتصال، للحملات ولتعديل الكثير منها معًا.
segments-new = شريحة جديدة
segments-all = كل جهات الاتصال
segments-all-why = بلا شروط تضم الشريحة كل جهات الاتصال. المسؤول والمصدر واللغة تحتاج إلى وسم أو مرحلة أو حقل معها.
segments-used = هذه موجهة إليها أو تستثنيها، ولا يمكن أن تبدأ بدونها:
segments-delete = حذف الشريحة
segments-delete-effect = تبقى جهات الاتصال. والحملات التي تستخدم الشريحة لا تبدأ حتى تُختار لها شريحة أخرى.
choose = اختر
condition-tag = الوسم
condition-stage = المرحلة
condition-field = الحقل
condition-owner = المسؤول
condition-source = المصدر
condition-language = اللغة
condition-value = القيمة
condition-from = من
condition-to = إلى
condition-day = أو: يوم من أي سنة
condition-day-hint = الشهر واليوم، مثل 11-20
condition-add = إضافة شرط
condition-remove = إزالة
condition-remove-named = إزالة: { $name }
condition-deleted = حُذف في هذه الأثناء
example-day = 11-20

## Changes of many contacts
bulk = تعديل كل جهات اتصالها
bulk-what = التعديل
bulk-add_tags = إضافة وسم
bulk-remove_tags = إزالة وسم
bulk-stage = تحديد المرحلة
bulk-owner = تحديد المسؤول
bulk-language = تحديد اللغة
bulk-field = تحديد حقل
bulk-delete = حذف جهات الاتصال
bulk-none = بلا
bulk-go = العدّ ثم المتابعة
bulk-effect = يُجرى التعديل على كل جهات اتصال { $name } واحدة بعد أخرى، ولا يمكن التراجع عنه دفعة واحدة.
bulk-delete-effect = تُحذف كل جهات اتصال { $name }، ويمكن استعادتها واحدة واحدة خلال 30 يومًا.
bulk-confirm = { $n ->
    [zero] لا جهات اتصال
    [one] تنفيذ على جهة اتصال واحدة
    [two] تنفيذ على جهتي اتصال
    [few] تنفيذ على { $number } جهات اتصال
    [many] تنفيذ على { $number } جهة اتصال
   *[other] تنفيذ على { $number } جهة اتصال
  }
bulk-result-changed = عُدّلت:
bulk-result-unchanged = كانت كذلك:
bulk-result-failed = تعذّر تعديلها:
