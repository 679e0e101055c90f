## Lists
column-outcome = النتيجة
column-message = الرسالة

## Calls
calls-search-more = هذه أحدث مكالمات أول من وُجد. اكتب المزيد من الاسم أو الرقم لترى غيرها.
calls-followed = المتابعة
calls-followed-yes = تمت متابعتها
calls-followed-no = لم تُتابَع
calls-stopped-yes = أوقفها حدّ أو عطل
calls-unanswered-yes = لم يردّ أحد
call-talk = الحديث
call-ring = الرنين
call-grounds = ما بُني عليه القرار
call-grounds-why = كما كان معروفًا وقت اتخاذ القرار، ويبقى كذلك مهما تغيّر.
ground-new_caller = أول مكالمة من هذا الرقم
ground-open = النشاط مفتوح
ground-opted_out = رفض كل الرسائل
ground-marketing_opted_out = رفض الرسائل التسويقية
ground-opted_in = وافق على الرسائل
ground-last_follow_up_at = آخر متابعة
ground-last_inbound_at = آخر ما كتبه
ground-last_answered_at = آخر مكالمة رُدّ عليها
ground-last_by_phone_at = آخر رسالة من هاتف النشاط نفسه
ground-cooldown_seconds = لا تتكرر خلال
call-reported = ما أبلغ به نظام الهاتف
call-started = البداية
call-decided = وقت القرار
call-provider = نظام الهاتف
call-recordings = التسجيلات
recording-listen = استماع
recording-voicemail = رسالة صوتية
recording-call = تسجيل المكالمة
open-message = فتح الرسالة

## Automations
call-try = تجربة القواعد على هذه المكالمة
write-message = كتابة رسالة
