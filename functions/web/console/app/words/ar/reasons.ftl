## Reasons
reason-other = سبب آخر
reason-follow_up = { $channel } { $send_at ->
    [none] { $delay_seconds ->
        [none] فورًا
       *[other] بعد { GENITIVE($delay_seconds) }
      }
   *[other] في { $send_at } (ساعات الهدوء)
  }{ $next_channel ->
    [none] {""}
   *[other] ، ثم { $next_channel } إن لم تصل خلال { GENITIVE($fallback_after_seconds) }
  }: { $outcome }، القاعدة «{ $rule }»{ $whatsapp_problem ->
    [none] {""}
   *[other] ؛ بلا واتساب: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] ؛ بلا رسالة قصيرة: { $sms_problem }
  }
reason-planned = { $channel } { $send_at ->
    [none] { $delay_seconds ->
        [none] فورًا
       *[other] بعد { GENITIVE($delay_seconds) }
      }
   *[other] في { $send_at } (ساعات الهدوء)
  }{ $next_channel ->
    [none] {""}
   *[other] ، ثم { $next_channel } إن لم تصل خلال { GENITIVE($fallback_after_seconds) }
  }{ $whatsapp_problem ->
    [none] {""}
   *[other] ؛ بلا واتساب: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] ؛ بلا رسالة قصيرة: { $sms_problem }
  }
reason-suspended = النشاط موقوف
reason-outbound = النشاط هو من اتصل بالعميل
reason-withheld = أخفى المتصل رقمه
reason-sip = ليس للمتصل رقم هاتف
reason-own_number = جاءت المكالمة من رقم للنشاط نفسه
reason-unknown_outcome = لم يقل نظام الهاتف هل رُدّ على المكالمة
reason-late = وصل البلاغ متأخرًا، أو لم يكن الإرسال ممكنًا إلا متأخرًا
reason-destination = { $kind ->
    [country] { $country ->
        [none] لا يراسل النشاط أرقامًا بلا دولة
       *[other] لا يراسل النشاط الأرقام في { $country }
      }
    [premium] هذا رقم مرتفع الكلفة، ولا يُراسَل أبدًا
    [shared_cost] هذا رقم مشترك الكلفة، ولا يُراسَل أبدًا
    [satellite] هذا رقم فضائي، ولا يُراسَل أبدًا
   *[other] هذا ليس رقم هاتف صالحًا
  }
reason-opted_out = { $category ->
    [none] رفض الشخص الرسائل{ $refused_at ->
        [none] {""}
       *[other] : { $refused_at }
      }
   *[other] رفض الشخص { $category }: { $refused_at }
  }
reason-unnecessary = { $event ->
    [stop] رفض الشخص الرسائل منذ ذلك الحين
    [answered_call] تم الحديث مع الشخص هاتفيًا منذ ذلك الحين
    [inbound] كتب الشخص منذ ذلك الحين
    [human_reply] ردّ زميل منذ ذلك الحين
    [by_phone] كُتبت رسالة من هاتف النشاط نفسه منذ ذلك الحين
    [author] ألغاها من طلبها
    [exit] انتهت الحملة لهذا الشخص
    [template_change] تغيّر القالب منذ ذلك الحين
   *[other] حدث ما يجعلها غير لازمة
  }
reason-no_rule = لا أتمتة لهذه المكالمة
reason-no_consent = { $needs ->
    [opt_in] لم يوافق الشخص على الرسائل
   *[other] لا شيء يدل على أن هذا الشخص يريد رسالة
  }
reason-cooldown = آخر رسالة { $last_at }، ولا تتكرر خلال { GENITIVE($cooldown_seconds) }
reason-cap_reached = { $currency ->
    [none] بلغ العدد حدّه: { $maximum } في { $period }
   *[other] بلغت تكلفة الرسائل حدّها بعملة { $currency } في { $period }
  }. يتجدد الحد { $resets_at }
reason-frequency = لا تُرسل رسائل من هذا النوع بهذا التكرار
reason-too_many_open = ينتظر هذا الشخصَ أقصى عدد من الرسائل
reason-quiet_hours = { $country ->
    [none] ساعات الهدوء{ $quiet_from ->
        [none] {""}
       *[other] {" "}من { $quiet_from } إلى { $quiet_to }
      }
   *[other] لا رسائل ترويجية قصيرة إلى { $country } من { $quiet_from } إلى { $quiet_to }
  }
reason-template = القالب أو قيمه غير مناسبة{ $whatsapp_problem ->
    [none] {""}
   *[other] : { $whatsapp_problem }
  }
reason-content = تعذّر إرسال المحتوى{ $whatsapp_problem ->
    [none] {""}
   *[other] : { $whatsapp_problem }
  }
reason-no_channel = لا قناة تصل إلى الشخص{ $whatsapp_problem ->
    [none] {""}
   *[other] . واتساب: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] . رسالة قصيرة: { $sms_problem }
  }
reason-rule_archived = الأتمتة مؤرشفة
reason-rule_inactive = الأتمتة متوقفة
reason-other_outcome = الأتمتة ليست لمكالمات بهذه النتيجة
reason-other_direction = الأتمتة للمكالمات الصادرة، وهي لا تتلوها رسائل
reason-other_line = لم تكن المكالمة إلى أيٍّ من خطوط الأتمتة
reason-other_hours = الأتمتة لساعات أخرى
reason-other_caller = الأتمتة لمتصلين آخرين
reason-other_ring_time = رنّ الهاتف مدة أقصر أو أطول مما ينبغي
reason-other_talk_time = كانت المكالمة أقصر أو أطول مما ينبغي
reason-no_connection = لا اتصال يحمل هذه القناة
reason-not_reached = لم تصل القناة إلى هذا الشخص قبل قليل
reason-no_marketing = لا يوصل واتساب رسائل تسويقية إلى { $country }
reason-country_rule = الرسائل القصيرة إلى { $country }: { $rule ->
    [senders] قد لا تصل رسالة من مرسل كهذا
    [replies] لا يستطيع أحد الرد هناك، والنص يطلب ذلك
    [promotion_mark] يجب أن يبيّن اسم المرسل أن الرسالة ترويجية
    [links] الروابط غير مسموحة أو تُحجب
    [numbers] أرقام الهاتف غير مسموحة في النص
    [promotion] الرسائل الترويجية القصيرة غير مسموحة
    [registration] يجب تسجيل النصوص أو الأرقام هناك أولًا، وأن يذكر الاتصال أنها مسجلة
   *[other] تمنعها قاعدة في البلد
  }{ $sureness ->
    [vendor] {""}
   *[other] {" "}(غير مؤكد)
  }
reason-no_number = لا رقم هاتف معروفًا للشخص
reason-landline = الرقم هاتف ثابت
reason-no_content = ليس في الأتمتة محتوى لهذه القناة
reason-no_text = لا نص بأي لغة
reason-no_template = لا قالب باسم «{ $template }» بهذه اللغة
reason-template_not_approved = القالب «{ $template }» غير معتمد
reason-template_doubted = يُقرأ القالب «{ $template }» من المزوّد مجددًا
reason-template_category = القالب «{ $template }» من فئة غير فئة الرسالة
reason-value_missing = يحتاج القالب «{ $template }» إلى قيمة
reason-value_unexpected = ليس في القالب «{ $template }» متغيّر كهذا
reason-template_broken = القالب المحفوظ «{ $template }» معطوب
reason-no_content_sid = ليس للقالب «{ $template }» معرّف لدى Twilio
reason-value_refused = يرفض واتساب قيمة فارغة أو فيها أسطر أو مسافات كثيرة
reason-text_too_long = النص أطول من المسموح: { $maximum ->
    [zero] { $maximum } حرف
    [one] حرف واحد
    [two] حرفان
    [few] { $maximum } أحرف
    [many] { $maximum } حرفًا
   *[other] { $maximum } حرف
  } على الأكثر
reason-text_empty = النص فارغ
reason-value_unknown = { $source ->
    [none] قيمة غير معروفة وليس لها بديل
   *[other] القيمة «{ $source }» غير معروفة وليس لها بديل
  }
reason-wrong_placeholder = في النص متغيّر غير صالح
reason-asset_unusable = تعذّر إرسال ملف: غير موجود أو غير جاهز أو من نوع آخر
reason-wrong_content = لا تحمل الرسائل القصيرة إلا النص
reason-not_carried_by_twilio = لا يحمل واتساب عبر Twilio محتوى كهذا
reason-too_large_for_twilio = الملف أكبر مما يمرره Twilio
reason-other_number = الرسالة المُجاب عنها تخص رقم واتساب آخر للنشاط
reason-asset_uploading = يُرفع الملف إلى واتساب
reason-wrong_file_kind = لا يقبل واتساب ملفًا من هذا النوع هنا
reason-not_voice = الملف ليس رسالة صوتية
reason-not_carried = لم يعد الاتصال يحمل هذه القناة
reason-no_recipient = لم يُذكر من تُرسل إليه
reason-earlier_reply = يُرسَل رد سابق في المحادثة أولًا
reason-reply_again = هذا رد؛ أعد الرد في المحادثة
reason-conversation_moved = رد شخص آخر في هذه الأثناء
reason-window_closed = لم يكتب الشخص عبر واتساب في آخر 24 ساعة
reason-answered_elsewhere = يرد على هذا الشخص تطبيق آخر يشاركك رقم واتساب منذ { $since_at }
reason-paused = الرقم موقوف مؤقتًا حتى { $until_at }
reason-pair_rate = لا تُرسل رسائل أخرى بواتساب إلى هذا الشخص حتى { $until_at }
reason-throughput = تنتظر الرسالة دورها: الرقم يرسل بأقصى سرعة مسموحة
reason-connection_broken = يرفض المزوّد الاتصال «{ $connection }»{ $since_at ->
    [none] {""}
   *[other] {" "}منذ { $since_at }
  }
reason-campaign_paused = تنتظر الرسالة: حملتها متوقفة مؤقتًا
reason-campaign_resumed = لم تعد حملتها متوقفة مؤقتًا
reason-campaign_cancelled = أُلغيت حملتها أو حُذفت
reason-same_person = تصل الرسالة إلى جهة اتصال أخرى للشخص نفسه
reason-contact_merged = دُمجت جهة الاتصال في جهة أخرى، وتصل الرسالة إليها إن أمكن
reason-segment_unusable = حُذف وسم الحملة أو شريحة من شرائحها أو حقل من حقول شريحة
reason-failure_rate = فشلت { $percent } % من رسائلها
reason-low_quality = صنّفت Meta جودة قالبها أو رقمها على أنها منخفضة
reason-route_refused = يرفض واتساب الرسائل التسويقية بهذه الطريقة (الرمز { $provider_code }): اقبل شروط Meta لرسائل التسويق واختبر الاتصال
reason-opt_out_rate = رفض { $percent } % من الأشخاص مزيدًا من الرسائل بعدها
reason-provider_refused = رفض المزوّد الرسالة (الرمز { $provider_code })
reason-not_accepted = لم يقبل المزوّد الرسالة
reason-unconfirmed = لم يقل المزوّد إن كان قبل الرسالة
reason-contact_deleted = حُذفت جهة الاتصال
reason-recipient_removed = أُزيل الرقم من جهة الاتصال
reason-replaced = حلّت محلها رسائل أحدث إلى هذا الشخص
reason-not_failed = لم تفشل الرسالة
reason-automatic_answer = لا تُرسل الردود التلقائية مجددًا
reason-nothing_left = لم يبقَ من الرسالة ما يُلغى
reason-awaits_reports = ما زالت بلاغات المزوّد منتظرة
reason-decided_again = اتُّخذ القرار مجددًا لأن النتيجة وصلت لاحقًا
reason-recording = ترك المتصل تسجيلًا مدته { $seconds }
reason-answered_after_all = وصل لاحقًا أنه رُدّ على المكالمة
reason-asked = كتب العميل «{ $word }»
reason-follow_up_cancelled = أُلغي ما بقي من المتابعة لأن العميل كتب أولًا
reason-answered_already = أُعطي الرد التلقائي نفسه قبل قليل
reason-answered_often = تلقى هذا الشخص أقصى عدد من الردود التلقائية في يوم
reason-stored_shortened = حُفظت الرسالة مختصرة
reason-sent_by_phone = أُرسلت من هاتف النشاط نفسه
reason-sent_elsewhere = أرسلها تطبيق آخر يشاركك الرقم
reason-wrote_elsewhere = كُتبت إلى تطبيق آخر يشاركك الرقم، وهو من يرد
reason-no_country = لم يُحدَّد بلد النشاط
reason-no_language = لم تُحدَّد لغة
reason-no_own_number = لم يُحدَّد رقم الهاتف الذي تذكره الرسائل
reason-no_hours = لم تُحدَّد ساعات العمل
reason-never_open = النشاط مغلق طوال الأسبوع
reason-no_calls = لا اتصال يبلغ عن المكالمات، فلا تُلاحَظ المكالمات الفائتة
reason-line_problem = في الخط «{ $line }» مشكلة: { $problem }
reason-no_webhook_secret = ليس للاتصال «{ $connection }» بيانات للتحقق من البلاغات
reason-test_failed = فشل آخر اختبار للاتصال «{ $connection }»
reason-test_unclear = لم يُجب المزوّد عن آخر اختبار للاتصال «{ $connection }»
reason-not_tested = لم يُختبر الاتصال «{ $connection }» منذ آخر تغيير فيه
reason-no_sender = لا اتصال يرسل عبر { $channel }
reason-channel_unused = لا أتمتة مفعّلة تستخدم { $channel }
reason-no_templates = لا يوجد قالب
reason-none_approved = لا قالب معتمدًا
reason-no_active_rule = لا أتمتة مفعّلة
reason-rule_invalid = الأتمتة «{ $rule }» غير صالحة: { $problem }
reason-rule_obstacle = لا تستطيع الأتمتة «{ $rule }» استخدام إحدى القنوات{ $whatsapp_problem ->
    [none] {""}
   *[other] . واتساب: { $whatsapp_problem }
  }{ $sms_problem ->
    [none] {""}
   *[other] . رسالة قصيرة: { $sms_problem }
  }
reason-line_without_sender = ليس للخط «{ $line }» مرسل خاص عبر { $channel }، فيرسل اتصال آخر
reason-always_quiet = ساعات الهدوء من { $quiet_from } إلى { $quiet_to } تُسقط معظم الرسائل
reason-hours_never = النشاط لا يفتح أبدًا أو لا يغلق أبدًا، فلا تطابق أي مكالمة
reason-unreached = تُجرَّب قبلها «{ $rule }» وتأخذ كل مكالماتها
reason-drip_not_running = لم تبدأ سلسلة الرسائل أو هي متوقفة مؤقتًا، فلا تصل رسائلها إلى المتصلين
reason-looks_like_marketing = تبدو «{ $word }» عرضًا، فقد يُعدّ القالب تسويقيًا
reason-looks_like_code = تبدو «{ $word }» رمزًا لمرة واحدة، ولهذا فئة خاصة في واتساب
