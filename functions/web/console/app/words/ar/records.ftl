## Tags
tags-empty = لا وسوم بعد. تميّز الوسوم العملاء، كالدائمين، للقوائم والفرق والرسائل الجماعية.
tags-new = وسم جديد
tags-color-none = بلا لون
tags-color-red = أحمر
tags-color-orange = برتقالي
tags-color-yellow = أصفر
tags-color-green = أخضر
tags-color-blue = أزرق
tags-color-violet = بنفسجي
tags-color-grey = رمادي
tags-delete = حذف الوسم
tags-delete-effect = تفقده جهات الاتصال والمحادثات. والرسالة الجماعية الموجهة إليه لا يمكن أن تبدأ.

## Stages
stages-empty = لا مراحل بعد. تبيّن إلى أين وصل من قد يشتري، من أول مكالمة إلى البيع.
stages-new = مرحلة جديدة
stages-position-hint = الأصغر يأتي أولًا. اترك فراغات، مثل 10 و20 و30.
stages-kind-open = ما زالت مفتوحة
stages-kind-won = تم البيع
stages-kind-lost = لم يتم
stages-delete = حذف المرحلة
stages-delete-effect = جهات الاتصال التي فيها تصبح بلا مرحلة.

## Fields of contacts
fields-empty = لا حقول بعد. بالحقل تحفظ المزيد عن العملاء، كتاريخ الميلاد.
fields-new = حقل جديد
fields-key-hint = أحرف لاتينية صغيرة وأرقام و_. تذكره النصوص بهذا الاسم، ولا يمكن تغييره.
fields-type-text = نص
fields-type-number = رقم
fields-type-date = يوم
fields-type-choice = واحد من عدة خيارات
fields-type-yes_no = نعم أو لا
fields-options-hint = خيار في كل سطر
fields-searchable-hint = عشرة حقول على الأكثر. وما لا يُبحث به من البداية لا يُبحث به لاحقًا.
fields-delete = حذف الحقل
fields-delete-effect = لا يظهر بعد ذلك ما حُفظ فيه عن جهات الاتصال، والنصوص التي تذكره تتركه فارغًا.

## Products
products-empty = لا منتجات بعد. تذكر الرسائل المنتجات بأسعارها وصورها.
products-new = منتج جديد
products-sku-hint = يمكن أن تذكر الرسائل المنتج به.
products-currency = العملة
products-availability-in_stock = متوفر
products-availability-out_of_stock = نفد
products-availability-preorder = يمكن طلبه مسبقًا
products-availability-discontinued = لم يعد يُباع
products-image-none = بلا صورة
products-image-kept = الصورة الحالية
products-image-hint = من الصور في ملفات النشاط.
products-values-hint = مثل الوزن: 1 كغ. يمكن أن تذكرها الرسائل.
products-value-name = اسم القيمة
products-value = القيمة
products-value-add = إضافة القيمة
products-variant = النوع { $n }
products-variant-add = إضافة نوع
products-options-hint = مثل المقاس: كبير، اللون: أبيض
products-price-hint = فارغ: سعر المنتج
products-delete = حذف المنتج
products-delete-effect = الرسائل التي تذكره تترك قيمه فارغة.

## Suppressions
suppressions-why = أشخاص ليسوا جهات اتصال بعد ولا يريدون رسائل. إذا صاروا جهات اتصال انتقل رفضهم معهم. وما ترفضه جهة الاتصال يظهر في صفحتها.
suppressions-empty = لا أرقام بعد.
suppressions-address = رقم أو بريد إلكتروني
suppressions-address-hint = يبدأ الرقم بعلامة + ورمز الدولة.
suppressions-refused = المرفوض
suppressions-new = إضافة رقم أو بريد
suppressions-add = إضافة
suppressions-added = لن تصل أي رسالة إلى { $address }.
suppressions-removed = أُزيل { $address } من القائمة.
suppressions-category = الرسائل المرفوضة
suppressions-category-all = كل الرسائل
suppressions-category-marketing = العروض
suppressions-category-utility = ما ليس عرضًا
suppressions-channel = الطريق المرفوض
suppressions-channel-all = كل الطرق
suppressions-channel-whatsapp = واتساب
suppressions-channel-sms = رسالة قصيرة
suppressions-evidence = من أين عُرف ذلك (اختياري)
suppressions-remove = السماح بالرسائل
suppressions-remove-effect = ينتهي كل رفض لـ { $address } وتصبح الرسائل إليه ممكنة من جديد.

example-address = +971501234567
example-key = birthday
example-options = فضي
example-price = 12.50
example-sku = cake-1
example-variants = المقاس: كبير، اللون: أبيض
