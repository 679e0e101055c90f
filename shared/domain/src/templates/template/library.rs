//! A library of templates to begin with, in English and Arabic. A tenant submits one with one request.

use serde::Serialize;

use super::TemplateDefinition;
use crate::templates::{Button, CodeOptions, Header, Press, TemplateCategory, TemplateContent};
use crate::terms::{Source, Verbatim, Whole};

/// Topic of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TemplateTopic"))]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Calls that nobody answered, or that should be followed by something.
    MissedCall,
    /// Orders.
    Order,
    /// Payments.
    Payment,
    /// Feedback.
    Feedback,
    /// One-time codes.
    Code,
    /// Appointments.
    Appointment,
}

/// A template of the library.
#[derive(Debug)]
pub struct Entry {
    /// Name, in the library and at the provider.
    pub name: &'static str,
    pub topic: Topic,
    english: Wording,
    arabic: Wording,
}

/// A language of a template.
#[derive(Debug)]
struct Wording {
    header: Option<&'static str>,
    body: &'static str,
    /// Samples of the variables, from the first on.
    samples: &'static [&'static str],
    replies: &'static [&'static str],
}

/// Minutes of validity of the library's codes.
const CODE_MINUTES: u32 = 10;

impl Entry {
    /// Its language versions: Meta's code of the language, and the content.
    pub fn versions(&self) -> [(&'static str, TemplateContent); 2] {
        [
            ("en", self.content(&self.english, "Copy code")),
            ("ar", self.content(&self.arabic, "نسخ الرمز")),
        ]
    }

    fn content(&self, words: &Wording, copy: &str) -> TemplateContent {
        let code = (self.topic == Topic::Code).then(|| CodeOptions {
            security_advice: true,
            valid_minutes: Whole::new(CODE_MINUTES),
            button: Verbatim::from_stored(copy.to_owned()),
        });
        let samples = (1..).zip(words.samples);
        let samples =
            samples.map(|(number, sample): (u32, _)| (number.to_string(), Verbatim::from_stored((*sample).to_owned())));
        let replies = words.replies.iter().map(|reply| Button {
            kind: Press::QuickReply,
            text: Verbatim::from_stored((*reply).to_owned()),
            url: None,
            sample: None,
            phone_number: None,
        });
        TemplateContent {
            category: match code {
                Some(_) => TemplateCategory::Authentication,
                None => TemplateCategory::Utility,
            },
            parameter_format: super::ParameterFormat::Positional,
            header: words.header.map(|text| Header {
                text: Some(Verbatim::from_stored(text.to_owned())),
                ..Header::default()
            }),
            body: code.is_none().then(|| Verbatim::from_stored(words.body.to_owned())),
            footer: None,
            buttons: replies.collect::<Vec<_>>().into(),
            samples: samples.collect::<std::collections::BTreeMap<_, _>>().into(),
            code,
        }
    }
}

/// Samples of the library that are the customer's name.
const CUSTOMERS: [&str; 2] = ["Maya", "مايا"];
/// Samples of the library that are the name of the business.
const BUSINESSES: [&str; 4] = ["Saffron Bakery", "مخبز الزعفران", "Marina Dental", "مارينا لطب الأسنان"];

/// The sources of the body's variables that are a name, if the template was made from the library: its text is the library's.
pub fn library_sources(template: &TemplateDefinition) -> Vec<(String, Source)> {
    let Some(entry) = find_in_library(&template.name) else {
        return Vec::new();
    };
    let wordings = [&entry.english, &entry.arabic];
    let own = wordings.into_iter().find(|wording| wording.body == template.body);
    let samples = (1..).zip(own.map_or(&[][..], |own| own.samples));
    let sources = samples.filter_map(|(number, sample): (u32, _)| {
        let source = if CUSTOMERS.contains(sample) {
            Source::ContactFirstName
        } else if BUSINESSES.contains(sample) {
            Source::Tenant("name".to_owned())
        } else {
            return None;
        };
        Some((number.to_string(), source))
    });
    sources.collect()
}

/// The template with this name.
pub fn find_in_library(name: &str) -> Option<&'static Entry> {
    LIBRARY.iter().find(|entry| entry.name == name)
}

/// All templates of the library, by topic.
#[rustfmt::skip]
pub static LIBRARY: [Entry; 24] = [
    Entry {
        name: "missed_call",
        topic: Topic::MissedCall,
        english: Wording {
            header: None,
            body: "Hello {{1}}, sorry we missed your call to {{2}} today. How can we help you?",
            samples: &["Maya", "Saffron Bakery"],
            replies: &["Call me back", "Opening hours"],
        },
        arabic: Wording {
            header: None,
            body: "مرحبًا {{1}}، نعتذر لأننا لم نتمكن من الرد على مكالمتك إلى {{2}} اليوم. كيف يمكننا مساعدتك؟",
            samples: &["مايا", "مخبز الزعفران"],
            replies: &["اتصلوا بي", "ساعات العمل"],
        },
    },
    Entry {
        name: "missed_call_after_hours",
        topic: Topic::MissedCall,
        english: Wording {
            header: None,
            body: "Hello {{1}}, you called {{2}} while we were closed. We open again at {{3}} and will answer you here then.",
            samples: &["Maya", "Saffron Bakery", "9 am"],
            replies: &["Call me back"],
        },
        arabic: Wording {
            header: None,
            body: "مرحبًا {{1}}، اتصلت بـ {{2}} خارج ساعات العمل. نفتح مجددًا عند {{3}} وسنجيبك هنا حينها بكل سرور.",
            samples: &["مايا", "مخبز الزعفران", "التاسعة صباحًا"],
            replies: &["اتصلوا بي"],
        },
    },
    Entry {
        name: "missed_call_busy",
        topic: Topic::MissedCall,
        english: Wording {
            header: None,
            body: "Hello {{1}}, all our lines at {{2}} were busy when you called. Write to us here and we will answer as soon as we can.",
            samples: &["Maya", "Saffron Bakery"],
            replies: &["Call me back"],
        },
        arabic: Wording {
            header: None,
            body: "مرحبًا {{1}}، كانت جميع خطوط {{2}} مشغولة عند اتصالك. راسلنا هنا وسنجيبك في أقرب وقت ممكن.",
            samples: &["مايا", "مخبز الزعفران"],
            replies: &["اتصلوا بي"],
        },
    },
    Entry {
        name: "call_follow_up",
        topic: Topic::MissedCall,
        english: Wording {
            header: None,
            body: "Hello {{1}}, thank you for your call to {{2}} today. If you need anything else, just reply to this message.",
            samples: &["Maya", "Saffron Bakery"],
            replies: &[],
        },
        arabic: Wording {
            header: None,
            body: "مرحبًا {{1}}، شكرًا لاتصالك بـ {{2}} اليوم. إن احتجت إلى أي شيء آخر، فما عليك إلا الرد على هذه الرسالة.",
            samples: &["مايا", "مخبز الزعفران"],
            replies: &[],
        },
    },
    Entry {
        name: "order_received",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, we received your order {{2}} for a total of {{3}}. We will tell you when it is on its way.",
            samples: &["Maya", "1042", "AED 120.50"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، استلمنا طلبك رقم {{2}} بمبلغ إجمالي قدره {{3}}. سنخبرك عندما يكون في الطريق إليك.",
            samples: &["مايا", "1042", "120.50 درهم"],
            replies: &[],
        },
    },
    Entry {
        name: "order_confirmed",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} is confirmed and will be ready on {{3}}. Reply here to change anything about it.",
            samples: &["Maya", "1042", "20 November"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، تم تأكيد طلبك رقم {{2}} وسيكون جاهزًا يوم {{3}}. يمكنك الرد هنا لتغيير أي شيء فيه.",
            samples: &["مايا", "1042", "20 نوفمبر"],
            replies: &[],
        },
    },
    Entry {
        name: "order_ready",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} is ready. You can collect it at {{3}} during our opening hours.",
            samples: &["Maya", "1042", "Marina Walk 5"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، طلبك رقم {{2}} جاهز. يمكنك استلامه من {{3}} خلال ساعات العمل المعتادة.",
            samples: &["مايا", "1042", "ممشى المارينا 5"],
            replies: &[],
        },
    },
    Entry {
        name: "order_shipped",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} is on its way and should arrive on {{3}}. We will let you know about any delay.",
            samples: &["Maya", "1042", "20 November"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، طلبك رقم {{2}} في الطريق إليك ومن المتوقع وصوله يوم {{3}}. سنبلغك بأي تأخير.",
            samples: &["مايا", "1042", "20 نوفمبر"],
            replies: &[],
        },
    },
    Entry {
        name: "order_delivered",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} was delivered today. If something is missing or damaged, please reply to this message.",
            samples: &["Maya", "1042"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، تم توصيل طلبك رقم {{2}} اليوم. إن كان هناك شيء ناقص أو تالف، فيرجى الرد على هذه الرسالة.",
            samples: &["مايا", "1042"],
            replies: &[],
        },
    },
    Entry {
        name: "order_cancelled",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} was cancelled as requested. Any amount that you have paid will be returned to you.",
            samples: &["Maya", "1042"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، تم إلغاء طلبك رقم {{2}} كما طلبت. سيعاد إليك أي مبلغ قمت بدفعه من قبل.",
            samples: &["مايا", "1042"],
            replies: &[],
        },
    },
    Entry {
        name: "order_late",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} is taking longer than planned. We will tell you when it is on its way.",
            samples: &["Maya", "1042"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، يستغرق طلبك رقم {{2}} وقتًا أطول من المتوقع. سنخبرك عندما يكون في الطريق إليك.",
            samples: &["مايا", "1042"],
            replies: &[],
        },
    },
    Entry {
        name: "order_packed",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} is packed and will leave us soon. We will tell you when it is on its way.",
            samples: &["Maya", "1042"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، تم تجهيز طلبك رقم {{2}} وسيغادرنا قريبًا. سنخبرك عندما يكون في الطريق إليك.",
            samples: &["مايا", "1042"],
            replies: &[],
        },
    },
    Entry {
        name: "order_on_its_way",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} has left us and is on its way to you. Reply here if you have a question about it.",
            samples: &["Maya", "1042"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، غادرنا طلبك رقم {{2}} وهو الآن في الطريق إليك. يمكنك الرد هنا إن كان لديك سؤال عنه.",
            samples: &["مايا", "1042"],
            replies: &[],
        },
    },
    Entry {
        name: "order_called_off",
        topic: Topic::Order,
        english: Wording {
            header: Some("Your order"),
            body: "Hello {{1}}, your order {{2}} was cancelled. Reply here if you did not expect this or have a question about it.",
            samples: &["Maya", "1042"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("طلبك"),
            body: "مرحبًا {{1}}، تم إلغاء طلبك رقم {{2}}. يمكنك الرد هنا إن لم تتوقع ذلك أو كان لديك سؤال عنه.",
            samples: &["مايا", "1042"],
            replies: &[],
        },
    },
    Entry {
        name: "payment_due",
        topic: Topic::Payment,
        english: Wording {
            header: Some("Payment"),
            body: "Hello {{1}}, the amount of {{2}} for invoice {{3}} is due soon. Please reply here if you have any question about it.",
            samples: &["Maya", "AED 120.50", "2026-118"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("الدفع"),
            body: "مرحبًا {{1}}، مبلغ {{2}} للفاتورة رقم {{3}} مستحق قريبًا. يرجى الرد هنا إن كان لديك أي سؤال عنها.",
            samples: &["مايا", "120.50 درهم", "2026-118"],
            replies: &[],
        },
    },
    Entry {
        name: "payment_overdue",
        topic: Topic::Payment,
        english: Wording {
            header: Some("Payment"),
            body: "Hello {{1}}, we have not yet received the amount of {{2}} for invoice {{3}}. If you have paid it already, please ignore this message.",
            samples: &["Maya", "AED 120.50", "2026-118"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("الدفع"),
            body: "مرحبًا {{1}}، لم نستلم بعد مبلغ {{2}} للفاتورة رقم {{3}}. إن كنت قد دفعته بالفعل، فيرجى تجاهل هذه الرسالة.",
            samples: &["مايا", "120.50 درهم", "2026-118"],
            replies: &[],
        },
    },
    Entry {
        name: "payment_received",
        topic: Topic::Payment,
        english: Wording {
            header: Some("Payment"),
            body: "Hello {{1}}, we received your payment of {{2}} for invoice {{3}}. Thank you, nothing is left to pay.",
            samples: &["Maya", "AED 120.50", "2026-118"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("الدفع"),
            body: "مرحبًا {{1}}، استلمنا دفعتك بمبلغ {{2}} للفاتورة رقم {{3}}. شكرًا لك، لم يتبق شيء للدفع.",
            samples: &["مايا", "120.50 درهم", "2026-118"],
            replies: &[],
        },
    },
    Entry {
        name: "payment_failed",
        topic: Topic::Payment,
        english: Wording {
            header: Some("Payment"),
            body: "Hello {{1}}, your payment of {{2}} for invoice {{3}} could not be completed. Please try again or contact us here.",
            samples: &["Maya", "AED 120.50", "2026-118"],
            replies: &[],
        },
        arabic: Wording {
            header: Some("الدفع"),
            body: "مرحبًا {{1}}، لم تكتمل دفعتك بمبلغ {{2}} للفاتورة رقم {{3}}. يرجى المحاولة مرة أخرى أو التواصل معنا هنا.",
            samples: &["مايا", "120.50 درهم", "2026-118"],
            replies: &[],
        },
    },
    Entry {
        name: "feedback_visit",
        topic: Topic::Feedback,
        english: Wording {
            header: None,
            body: "Hello {{1}}, you visited {{2}} recently. How satisfied were you with your visit?",
            samples: &["Maya", "Saffron Bakery"],
            replies: &["Very satisfied", "It was fine", "Not satisfied"],
        },
        arabic: Wording {
            header: None,
            body: "مرحبًا {{1}}، لقد زرت {{2}} مؤخرًا. ما مدى رضاك عن زيارتك لنا في ذلك اليوم؟",
            samples: &["مايا", "مخبز الزعفران"],
            replies: &["راضٍ جدًا", "لا بأس", "غير راضٍ"],
        },
    },
    Entry {
        name: "feedback_order",
        topic: Topic::Feedback,
        english: Wording {
            header: None,
            body: "Hello {{1}}, your order {{2}} has arrived. How satisfied are you with it so far?",
            samples: &["Maya", "1042"],
            replies: &["Very satisfied", "It was fine", "Not satisfied"],
        },
        arabic: Wording {
            header: None,
            body: "مرحبًا {{1}}، لقد وصل طلبك رقم {{2}}. ما مدى رضاك عنه حتى الآن؟ يسعدنا سماع رأيك.",
            samples: &["مايا", "1042"],
            replies: &["راضٍ جدًا", "لا بأس", "غير راضٍ"],
        },
    },
    Entry {
        name: "verification_code",
        topic: Topic::Code,
        english: Wording {
            header: None,
            body: "",
            samples: &[],
            replies: &[],
        },
        arabic: Wording {
            header: None,
            body: "",
            samples: &[],
            replies: &[],
        },
    },
    Entry {
        name: "appointment_confirmed",
        topic: Topic::Appointment,
        english: Wording {
            header: Some("Your appointment"),
            body: "Hello {{1}}, your appointment at {{2}} is confirmed for {{3}}. We look forward to seeing you.",
            samples: &["Maya", "Marina Dental", "20 November, 10:00"],
            replies: &["Change it"],
        },
        arabic: Wording {
            header: Some("موعدك"),
            body: "مرحبًا {{1}}، تم تأكيد موعدك في {{2}} يوم {{3}}. نتطلع إلى رؤيتك قريبًا ونشكرك على ثقتك.",
            samples: &["مايا", "مارينا لطب الأسنان", "20 نوفمبر، 10:00"],
            replies: &["تغيير الموعد"],
        },
    },
    Entry {
        name: "appointment_reminder",
        topic: Topic::Appointment,
        english: Wording {
            header: Some("Your appointment"),
            body: "Hello {{1}}, a reminder of your appointment at {{2}} on {{3}}. Please tell us if you cannot come.",
            samples: &["Maya", "Marina Dental", "20 November, 10:00"],
            replies: &["I will come", "Change it"],
        },
        arabic: Wording {
            header: Some("موعدك"),
            body: "مرحبًا {{1}}، نذكرك بموعدك في {{2}} يوم {{3}}. يرجى إبلاغنا إن لم تتمكن من الحضور في الوقت المحدد.",
            samples: &["مايا", "مارينا لطب الأسنان", "20 نوفمبر، 10:00"],
            replies: &["سأحضر", "تغيير الموعد"],
        },
    },
    Entry {
        name: "appointment_cancelled",
        topic: Topic::Appointment,
        english: Wording {
            header: Some("Your appointment"),
            body: "Hello {{1}}, your appointment at {{2}} on {{3}} is cancelled. Reply here to choose another time.",
            samples: &["Maya", "Marina Dental", "20 November, 10:00"],
            replies: &["Another time"],
        },
        arabic: Wording {
            header: Some("موعدك"),
            body: "مرحبًا {{1}}، تم إلغاء موعدك في {{2}} يوم {{3}}. يمكنك الرد هنا لاختيار وقت آخر يناسبك.",
            samples: &["مايا", "مارينا لطب الأسنان", "20 نوفمبر، 10:00"],
            replies: &["وقت آخر"],
        },
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::templates::{Through, lint_draft};

    #[test]
    fn library_passes_the_lint() {
        for entry in &LIBRARY {
            for (language, content) in entry.versions() {
                for through in [Through::Meta, Through::Twilio] {
                    let found = lint_draft(entry.name, language, &content, through, None);
                    assert_eq!(found.problems, [], "{} {language} {through:?}", entry.name);
                    assert_eq!(found.warnings, [], "{} {language}", entry.name);
                }
            }
        }
    }

    #[test]
    fn library_has_every_topic_once_by_name() {
        let names: BTreeSet<_> = LIBRARY.iter().map(|entry| entry.name).collect();
        assert_eq!(names.len(), LIBRARY.len());
        for topic in [
            Topic::MissedCall,
            Topic::Order,
            Topic::Payment,
            Topic::Feedback,
            Topic::Code,
            Topic::Appointment,
        ] {
            assert!(LIBRARY.iter().any(|entry| entry.topic == topic), "{topic:?}");
        }
        assert!(find_in_library("missed_call").is_some() && find_in_library("nothing").is_none());
    }

    #[test]
    fn names_in_templates_of_the_library_are_known() {
        for entry in &LIBRARY {
            for (language, content) in entry.versions() {
                let mut template = content.onto(&TemplateDefinition {
                    name: entry.name.to_owned(),
                    language: language.to_owned(),
                    ..TemplateDefinition::empty()
                });
                let found = library_sources(&template);
                let names = found.iter().map(|(name, source)| format!("{name} {source}"));
                let expected: &[&str] = match entry.topic {
                    Topic::Code => &[],
                    Topic::Order | Topic::Payment => &["1 contact.first_name"],
                    Topic::Feedback if entry.name == "feedback_order" => &["1 contact.first_name"],
                    Topic::MissedCall | Topic::Feedback | Topic::Appointment => {
                        &["1 contact.first_name", "2 tenant.name"]
                    }
                };
                assert_eq!(names.collect::<Vec<_>>(), expected, "{} {language}", entry.name);
                // It was edited since.
                template.body.push('!');
                assert!(library_sources(&template).is_empty());
            }
        }
    }
}
