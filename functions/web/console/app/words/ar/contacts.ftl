## Lists
column-phones = الهاتف
column-last-call = آخر مكالمة
column-calls = المكالمات

## Contacts
contact-none = لا أحد يطابق البحث.
contact-profile = الملف الشخصي
contact-language = اللغة
contact-source = المصدر
contact-email = البريد الإلكتروني
contact-may = يمكن مراسلته
contact-may-yes = نعم
contact-may-no = لا، رفض في { $day }
contact-may-no-marketing = نعم، لكن بلا رسائل تسويقية
contact-created = معروف منذ
contact-timeline = السجل الزمني
timeline-consent = الموافقة
timeline-note = ملاحظة
timeline-merge = دُمجت معها جهة اتصال أخرى
conversion-order = طلب
conversion-booking = حجز
conversion-visit = زيارة
conversion-payment = دفعة
conversion-quote = عرض سعر
conversion-sign_up = تسجيل
conversion-other = تحويل آخر
