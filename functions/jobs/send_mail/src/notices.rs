//! Sentences of notices in English and Arabic: what happened, since when, and what follows from it.

use std::collections::BTreeMap;

use domain::money::{Cap, Period, Scope};
use domain::notices::{DOUBTED, MAX_WAITING, Matter, Notice, Waiting};
use domain::terms::{Category, ConnectionId, Purpose, Reason, Zone};
use domain::webhooks::{EndpointTrouble, MAX_WAITING_DELIVERIES};
use jiff::Timestamp;

use crate::texts::{isolate_text, moment, name, quote_safely};

/// Maximum length of a provider's reason.
const MAX_REASON_LENGTH: usize = 200;

/// Months as they are called in the Gulf and in Egypt.
const MONTHS_IN_ARABIC: [&str; 12] = [
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "مايو",
    "يونيو",
    "يوليو",
    "أغسطس",
    "سبتمبر",
    "أكتوبر",
    "نوفمبر",
    "ديسمبر",
];

/// Names and the time zone for the sentences of notices.
pub(crate) struct Known<'a> {
    pub(crate) connections: &'a BTreeMap<ConnectionId, String>,
    /// Time zone of the business. `None`: in universal time, as a job says that was queued by an older release.
    pub(crate) time_zone: Option<&'a Zone>,
}

impl Known<'_> {
    fn connection(&self, id: ConnectionId) -> Option<String> {
        self.connections.get(&id).map(|typed| name(typed))
    }

    fn in_english(&self, at: Timestamp) -> String {
        self.time_zone.map_or_else(
            || moment(at),
            |zone| isolate_text(at.to_zoned(zone.rules().clone()).strftime("%-d %B, %H:%M")),
        )
    }

    fn in_arabic(&self, at: Timestamp) -> String {
        let Some(zone) = self.time_zone else {
            return moment(at);
        };
        let at = at.to_zoned(zone.rules().clone());
        let month = usize::try_from(at.month())
            .ok()
            .and_then(|month| MONTHS_IN_ARABIC.get(month.saturating_sub(1)));
        isolate_text(format!(
            "{} {}، {}",
            at.day(),
            month.copied().unwrap_or_default(),
            at.strftime("%H:%M")
        ))
    }
}

/// A notice in a sentence or two.
pub(crate) fn in_english(notice: &Notice, known: &Known<'_>) -> String {
    let (subject, at) = (name(&notice.name), known.in_english(notice.at));
    match &notice.matter {
        Matter::ConnectionRefused { reason, .. } => format!(
            "The connection {subject} has been unable to send since {at}: {}. Messages that only it can send wait until somebody \
                corrects this.",
            quote_safely(reason, MAX_REASON_LENGTH)
        ),
        Matter::TemplatePaused {
            connection,
            language,
            status,
            category,
        } => {
            let of = known.connection(*connection);
            let of = of.map_or_else(String::new, |of| format!(" of the connection {of}"));
            let language = name(language);
            if let Some(category) = category {
                return format!(
                    "WhatsApp moved the template {subject} ({language}){of} to the category {} on {at}. Automations whose messages are of \
                        another category send by their next channel, or not at all.",
                    category.as_str(),
                );
            }
            if status == DOUBTED {
                return format!(
                    "On {at}, WhatsApp again refused a message with the template {subject} ({language}){of}, because it knows it otherwise \
                        than it lists it. Until it is read again, automations that use it send by their next channel, or not at all. Look \
                        at it in WhatsApp Manager, or use another one."
                );
            }
            format!(
                "WhatsApp stopped the template {subject} ({language}){of} on {at}; its status is {}. Automations that use it send by their \
                    next channel, or not at all.",
                name(status)
            )
        }
        Matter::CapNearlyReached { cap } => {
            let period = cap.period.as_str();
            let advice = if cap.is_of_plan() {
                "ask the operator of the platform for a larger plan"
            } else {
                "raise the cap"
            };
            format!(
                "Four fifths of the {} are used: it allows {} in the {period} that began on {at}. Once it is reached, such messages \
                    are blocked until the {period} ends. If they are wanted, {advice}.",
                cap_in_english(cap),
                cap.maximum_shown(),
            )
        }
        Matter::CampaignPaused { reason, .. } => format!(
            "The campaign {subject} has paused itself: {}. Nothing more of it is sent until somebody resumes or cancels it.",
            quote_safely(reason.trim_end_matches('.'), MAX_REASON_LENGTH)
        ),
        Matter::CustomersWait(Waiting { conversations, since }) => {
            let since = known.in_english(*since);
            let wait = match conversations {
                1 => {
                    format!("A customer has been waiting for an answer since {since}, and nobody has read the message.")
                }
                MAX_WAITING.. => format!(
                    "Customers wait for an answer in {MAX_WAITING} or more conversations, and nobody has read their messages. The longest \
                        wait began on {since}."
                ),
                number => format!(
                    "Customers wait for an answer in {number} conversations, and nobody has read their messages. The longest wait began \
                        on {since}."
                ),
            };
            format!("{wait} Read and answer them in Ringback.")
        }
        Matter::OrdersLate { .. } => format!(
            "The order {subject} is paid, and was not shipped in the time that your settings allow. There may be others: \
                Orders shows all that are paid and not shipped."
        ),
        Matter::AutomationUnmatched { .. } => format!(
            "The automation {subject} has matched no call for seven days, although there were calls. Check its conditions, and the \
                automations before it."
        ),
        Matter::WebhookFailing { trouble, since, .. } => {
            let since = known.in_english(*since);
            match trouble {
                EndpointTrouble::Failing => format!(
                    "The webhook endpoint {subject} has accepted no event since {since}. Its events wait, and are delivered once it accepts \
                        them again. After five days, it is disabled."
                ),
                EndpointTrouble::Disabled => format!(
                    "The webhook endpoint {subject} was disabled on {at}, because it had accepted no event since {since}. Correct it and \
                        enable it again: what waits is kept for seven days."
                ),
                EndpointTrouble::Gone => format!(
                    "The webhook endpoint {subject} was disabled on {at}, because its receiver answered that it wants no more events (410)."
                ),
                EndpointTrouble::Full => format!(
                    "{MAX_WAITING_DELIVERIES} events wait for the webhook endpoint {subject}, so newer ones have been dropped since {since}. \
                        They can be queued again for seven days."
                ),
            }
        }
    }
}

/// A notice in a sentence or two. Only what a provider said stays in its own words.
pub(crate) fn in_arabic(notice: &Notice, known: &Known<'_>) -> String {
    let (subject, at) = (name(&notice.name), known.in_arabic(notice.at));
    match &notice.matter {
        Matter::ConnectionRefused { reason, .. } => format!(
            "لا يمكن الإرسال عبر الاتصال {subject} منذ {at}، والسبب بالإنجليزية: {}. الرسائل التي لا يمكن إرسالها إلا به تنتظر إلى أن يُحل ذلك.",
            quote_safely(reason, MAX_REASON_LENGTH)
        ),
        Matter::TemplatePaused {
            connection,
            language,
            status,
            category,
        } => {
            let of = known.connection(*connection);
            let of = of.map_or_else(String::new, |of| format!(" للاتصال {of}"));
            let language = name(language);
            if let Some(category) = category {
                return format!(
                    "نقل WhatsApp القالب {subject} ({language}){of} إلى فئة {} في {at}. الأتمتة التي رسائلها من فئة أخرى ترسل عبر قناتها \
                        التالية، أو لا ترسل شيئًا.",
                    category_in_arabic(*category)
                );
            }
            if status == DOUBTED {
                return format!(
                    "رفض WhatsApp مرة أخرى في {at} رسالة بالقالب {subject} ({language}){of}، لأنه يعرفه على غير ما يعرضه. إلى أن يُقرأ من \
                        جديد، الأتمتة التي تستخدمه ترسل عبر قناتها التالية، أو لا ترسل شيئًا. راجعه في WhatsApp Manager، أو استخدم قالبًا \
                        آخر."
                );
            }
            format!(
                "أوقف WhatsApp القالب {subject} ({language}){of} في {at}، وحالته الآن: {}. الأتمتة التي تستخدمه ترسل عبر قناتها التالية، أو \
                    لا ترسل شيئًا.",
                status_in_arabic(status)
            )
        }
        Matter::CapNearlyReached { cap } => {
            let period = match cap.period {
                Period::Hour => "في الساعة التي بدأت في",
                Period::Day => "في اليوم الذي بدأ في",
                Period::Month => "في الشهر الذي بدأ في",
            };
            let advice = if cap.is_of_plan() {
                "فاطلب خطة أكبر من مشغّل المنصة"
            } else {
                "فارفع الحد"
            };
            format!(
                "استُخدمت أربعة أخماس {}، وهو يسمح بـ {} {period} {at}. عند بلوغه تُمنع الرسائل الأخرى إلى نهاية المدة. إن كانت هذه الرسائل \
                    مرغوبة، {advice}.",
                cap_in_arabic(cap),
                maximum_in_arabic(cap)
            )
        }
        Matter::CampaignPaused { code, reason, .. } => {
            let why = pause_in_arabic(*code).map_or_else(
                || {
                    let reason = quote_safely(reason.trim_end_matches('.'), MAX_REASON_LENGTH);
                    format!("والسبب بالإنجليزية: {reason}")
                },
                ToOwned::to_owned,
            );
            format!("أوقفت الحملة {subject} نفسها مؤقتًا، {why}. لن يُرسل منها شيء آخر إلى أن يستأنفها أحد أو يلغيها.")
        }
        Matter::CustomersWait(Waiting { conversations, since }) => {
            let since = known.in_arabic(*since);
            let wait = match conversations {
                1 => format!("ينتظر أحد العملاء ردًا منذ {since}، ولم يقرأ أحد رسالته."),
                MAX_WAITING.. => format!(
                    "ينتظر عملاء ردًا ولم يقرأ أحد رسائلهم. عدد المحادثات: {MAX_WAITING} أو أكثر. بدأ أطول انتظار في {since}."
                ),
                number => {
                    format!("ينتظر عملاء ردًا ولم يقرأ أحد رسائلهم. عدد المحادثات: {number}. بدأ أطول انتظار في {since}.")
                }
            };
            format!("{wait} اقرأها وردّ عليها في Ringback.")
        }
        Matter::OrdersLate { .. } => format!(
            "الطلب {subject} مدفوع، ولم يُرسل خلال المدة التي تسمح بها إعداداتك. قد تكون هناك طلبات أخرى: تعرض صفحة الطلبات كل ما دُفع ولم يُشحن."
        ),
        Matter::AutomationUnmatched { .. } => format!(
            "لم تطابق الأتمتة {subject} أي مكالمة منذ سبعة أيام، مع أنه كانت هناك مكالمات. راجع شروطها، والأتمتة التي تسبقها."
        ),
        Matter::WebhookFailing { trouble, since, .. } => {
            let since = known.in_arabic(*since);
            match trouble {
                EndpointTrouble::Failing => format!(
                    "لم تقبل نقطة Webhook {subject} أي حدث منذ {since}. تنتظر أحداثها وتُرسل عندما تقبلها من جديد. تُعطَّل بعد خمسة أيام."
                ),
                EndpointTrouble::Disabled => format!(
                    "عُطّلت نقطة Webhook {subject} في {at}، لأنها لم تقبل أي حدث منذ {since}. صحّحها ثم فعّلها من جديد: تُحفظ الأحداث المنتظرة \
                        سبعة أيام."
                ),
                EndpointTrouble::Gone => {
                    format!("عُطّلت نقطة Webhook {subject} في {at}، لأن المستقبِل أجاب بأنه لا يريد أحداثًا أخرى (410).")
                }
                EndpointTrouble::Full => format!(
                    "ينتظر {MAX_WAITING_DELIVERIES} حدث لنقطة Webhook {subject}، ولذلك تُسقَط الأحداث الأحدث منذ {since}. يمكن إعادتها إلى \
                        الانتظار خلال سبعة أيام."
                ),
            }
        }
    }
}

const fn category_in_arabic(category: Category) -> &'static str {
    match category {
        Category::Marketing => "التسويق",
        Category::Utility => "الخدمات",
        Category::Authentication => "التحقق",
        Category::Service => "خدمة العملاء",
    }
}

/// Meta's words for the states of a template.
fn status_in_arabic(status: &str) -> String {
    match status {
        "PAUSED" => "متوقف مؤقتًا".to_owned(),
        "DISABLED" => "معطّل".to_owned(),
        "REJECTED" => "مرفوض".to_owned(),
        "PENDING" | "IN_APPEAL" => "قيد المراجعة".to_owned(),
        "PENDING_DELETION" | "DELETED" => "محذوف".to_owned(),
        other => name(other),
    }
}

/// Why a campaign pauses itself. `None`: rare enough for the sentence of the log.
const fn pause_in_arabic(code: Reason) -> Option<&'static str> {
    Some(match code {
        Reason::FailureRate => "لأن كثيرًا من رسائلها الأخيرة لم يصل",
        Reason::OptOutRate => "لأن كثيرًا ممن وصلتهم طلبوا إيقاف الرسائل",
        Reason::LowQuality => "لأن WhatsApp خفّض تقييم جودتها",
        Reason::NoTemplate => "لأن قالبها غير موجود",
        Reason::TemplateNotApproved => "لأن قالبها غير معتمد",
        Reason::TemplateCategory => "لأن قالبها من فئة أخرى",
        Reason::TemplateBroken | Reason::NoContentSid => "لأنه لا يمكن الإرسال بقالبها",
        Reason::NoSender => "لأنه لا رقم ترسل منه",
        Reason::AssetUnusable => "لأن ملفها غير جاهز",
        Reason::RouteRefused => "لأن WhatsApp لا يقبل الرسائل التسويقية منها الآن",
        Reason::SegmentUnusable => "لأن شريحة عملائها غير صالحة",
        _ => return None,
    })
}

/// A cap by its period and by what it applies to.
pub(crate) fn cap_in_english(cap: &Cap) -> String {
    let period = match cap.period {
        Period::Hour => "hourly cap",
        Period::Day => "daily cap",
        Period::Month => "monthly cap",
    };
    match cap.scope {
        Scope::Tenant => period.to_owned(),
        Scope::Line(_) => format!("{period} of one line"),
        Scope::Country(country) => format!("{period} for the country {country}"),
        Scope::Abroad => format!("{period} for numbers abroad"),
    }
}

/// A cap by its period and by what it applies to.
pub(crate) fn cap_in_arabic(cap: &Cap) -> String {
    let period = match cap.period {
        Period::Hour => "حد الساعة",
        Period::Day => "حد اليوم",
        Period::Month => "حد الشهر",
    };
    match cap.scope {
        Scope::Tenant => period.to_owned(),
        Scope::Line(_) => format!("{period} لأحد الخطوط"),
        Scope::Country(country) => format!("{period} للبلد {}", isolate_text(country)),
        Scope::Abroad => format!("{period} للأرقام في الخارج"),
    }
}

/// The maximum of a cap, in messages or money.
pub(crate) fn maximum_in_arabic(cap: &Cap) -> String {
    let what = match cap.purpose {
        None => "الرسائل",
        Some(Purpose::FollowUp) => "رسائل المتابعة",
        Some(Purpose::Reply) => "الردود",
        Some(Purpose::AutoReply) => "الردود الآلية",
        Some(Purpose::Campaign) => "رسائل الحملات",
        Some(Purpose::Order) => "رسائل الطلبات",
        Some(Purpose::Payment) => "رسائل الدفع",
        Some(Purpose::OneTimeCode) => "رموز التحقق",
        Some(Purpose::Feedback) => "طلبات التقييم",
        Some(Purpose::Api) => "رسائل واجهة البرمجة",
        Some(Purpose::StopConfirmation) => "تأكيدات الإيقاف",
    };
    match cap.price() {
        None => format!("{} من {what}", cap.maximum),
        Some(price) => format!("{price} لتكلفة {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_customers_are_counted_up_to_a_hundred() {
        for (conversations, english, arabic) in [
            (1, "A customer has been waiting", "أحد العملاء"),
            (2, "in 2 conversations", "المحادثات: 2."),
            (99, "in 99 conversations", "المحادثات: 99."),
            (100, "in 100 or more conversations", "المحادثات: 100 أو أكثر."),
        ] {
            let since = "2026-11-20T11:45:00Z".parse().unwrap();
            let notice = Notice {
                matter: Matter::CustomersWait(Waiting { conversations, since }),
                name: String::new(),
                at: since,
            };
            let zone = "Asia/Dubai".parse().unwrap();
            let known = Known {
                connections: &BTreeMap::new(),
                time_zone: Some(&zone),
            };
            for (told, part) in [
                (in_english(&notice, &known), english),
                (in_arabic(&notice, &known), arabic),
            ] {
                assert!(told.contains(part) && told.contains("15:45"), "{told}");
            }
        }
    }

    #[test]
    fn late_order_is_told_with_its_number() {
        let notice = Notice {
            matter: Matter::OrdersLate {
                order: "ord_01hq5bakery0000000000000c101hq5bakery0000000000000c2"
                    .parse()
                    .unwrap(),
            },
            name: "1042".to_owned(),
            at: "2026-11-21T00:00:00Z".parse().unwrap(),
        };
        let known = Known {
            connections: &BTreeMap::new(),
            time_zone: None,
        };
        for told in [in_english(&notice, &known), in_arabic(&notice, &known)] {
            assert!(told.contains("1042"), "{told}");
        }
    }

    #[test]
    fn endpoint_is_told_with_its_trouble() {
        let (since, at) = ("2026-11-20T11:45:00Z", "2026-11-21T11:45:00Z");
        for (trouble, english) in [
            (EndpointTrouble::Failing, "has accepted no event since"),
            (EndpointTrouble::Disabled, "was disabled on"),
            (EndpointTrouble::Gone, "(410)"),
            (EndpointTrouble::Full, "100000 events wait"),
        ] {
            let notice = Notice {
                matter: Matter::WebhookFailing {
                    endpoint: "whe_01hq5bakery0000000000000c1".parse().unwrap(),
                    trouble,
                    since: since.parse().unwrap(),
                },
                name: "Shop".to_owned(),
                at: at.parse().unwrap(),
            };
            let known = Known {
                connections: &BTreeMap::new(),
                time_zone: None,
            };
            let (english_text, arabic) = (in_english(&notice, &known), in_arabic(&notice, &known));
            assert!(english_text.contains(english), "{english_text}");
            for text in [english_text, arabic] {
                assert!(text.contains("Shop") && text.contains("11:45"), "{text}");
            }
        }
    }

    /// Meta did not stop it, and has no such word.
    #[test]
    fn template_in_doubt_is_not_told_as_a_stopped_one() {
        let connection = "conn_01hq5bakery0000000000000c1".parse().unwrap();
        let notice = Notice {
            matter: Matter::TemplatePaused {
                connection,
                language: "en_GB".to_owned(),
                status: DOUBTED.to_owned(),
                category: None,
            },
            name: "missed_call".to_owned(),
            at: "2026-11-20T12:00:00Z".parse().unwrap(),
        };
        let connections = BTreeMap::from([(connection, "WhatsApp Dubai".to_owned())]);
        let known = Known {
            connections: &connections,
            time_zone: None,
        };
        for text in [in_english(&notice, &known), in_arabic(&notice, &known)] {
            assert!(text.contains("WhatsApp Manager") && !text.contains(DOUBTED), "{text}");
            assert!(
                text.contains("missed_call") && text.contains("WhatsApp Dubai"),
                "{text}"
            );
        }
    }
}
