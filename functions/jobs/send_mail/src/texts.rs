//! Texts of the e-mails in English and, from right to left, in Arabic.
//!
//! No images, no remote content and no tracking: the only links are those of the job, and pages of the console that a notice is about.

use std::net::IpAddr;

use domain::accounts::Role;
use domain::money::Cap;
use domain::notices::{Matter, Notice};
use domain::terms::TenantId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use jobs::{Author, FactorChange, Link, Mail};
use kit::html::escape_html;
use providers::mail::Letter;

use crate::notices::{self, Known};

/// Unicode's isolates, which keep a name's own direction within a sentence of the other direction. They are removed from
/// names, so that those in a sentence are always ours.
const NAME_BEGINS: char = '\u{2068}';
const NAME_ENDS: char = '\u{2069}';

/// Invisible character that keeps text after a dot or a slash from becoming a link.
const WORD_JOINER: char = '\u{2060}';

const MAX_NAME_LENGTH: usize = 80;

/// Writes a mail in this language, or else in English. `pages`: those of the tenant in the console, if the deployment has an address.
pub(crate) fn write(mail: &Mail, language: &str, pages: Option<&Pages<'_>>) -> Letter {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    if primary.eq_ignore_ascii_case("ar") {
        arabic(mail, pages).letter(&ARABIC)
    } else {
        english(mail, pages).letter(&ENGLISH)
    }
}

/// The page of the console with the tenant's caps.
const CAPS: &str = "settings/caps";

/// The console's pages of a tenant. Whoever opens one logs in, and reads it in the language of the account.
pub(crate) struct Pages<'a> {
    /// Prefix of all links, with a slash at its end.
    pub(crate) base: &'a str,
    pub(crate) tenant: TenantId,
}

impl Pages<'_> {
    /// Address of the page for attending to a matter.
    fn of(&self, matter: &Matter) -> String {
        let page = match matter {
            Matter::ConnectionRefused { connection, .. } => format!("settings/connections/{connection}"),
            Matter::TemplatePaused { .. } => "settings/templates".to_owned(),
            Matter::CapNearlyReached { .. } => CAPS.to_owned(),
            Matter::CustomersWait(_) => "inbox?unread=true".to_owned(),
            Matter::AutomationUnmatched { automation } => format!("automations/{automation}"),
            Matter::WebhookFailing { .. } => "settings/webhooks".to_owned(),
            Matter::OrdersLate { order } => format!("orders/{order}"),
            Matter::CampaignPaused { campaign, .. } => format!("campaigns/{campaign}"),
        };
        self.to(&page)
    }

    fn to(&self, page: &str) -> String {
        format!("{}app/{}/{page}", self.base, self.tenant)
    }
}

/// A notice with the page that it is about, on a line of its own.
fn with_page(sentence: String, notice: &Notice, pages: Option<&Pages<'_>>) -> String {
    match pages.map(|pages| pages.of(&notice.matter)) {
        Some(page) => format!("{sentence}\n{page}"),
        None => sentence,
    }
}

/// A sentence about a cap, with a link to the page of caps.
fn with_caps(sentence: String, pages: Option<&Pages<'_>>) -> String {
    match pages {
        Some(pages) => format!("{sentence}\n{}", pages.to(CAPS)),
        None => sentence,
    }
}

/// The parts that all mails of a language share.
struct Frame {
    language: &'static str,
    direction: &'static str,
    or_open: &'static str,
    sent_because: &'static str,
}

const ENGLISH: Frame = Frame {
    language: "en",
    direction: "ltr",
    or_open: "If the button does not work, open this link:",
    sent_because: "You received this e-mail because your address was used on Ringback.",
};

const ARABIC: Frame = Frame {
    language: "ar",
    direction: "rtl",
    or_open: "أو افتح هذا الرابط:",
    sent_because: "أرسل Ringback هذه الرسالة لأن بريدك الإلكتروني استُخدم فيه.",
};

/// The text of a mail. Names in it stand between isolates.
struct Words<'a> {
    subject: String,
    /// Paragraphs, with an empty line between them.
    before: String,
    /// Label and target of the button.
    action: Option<(&'static str, &'a str)>,
    after: String,
}

fn english<'a>(mail: &'a Mail, pages: Option<&Pages<'_>>) -> Words<'a> {
    const OR_NOT: &str = "If this was you, you do not need to do anything. If it was not, choose a new password on \
        the log-in page now and tell whoever manages Ringback at your business.";
    match mail {
        Mail::VerifyEmail { link, business } => {
            let business = name(business);
            Words {
                subject: format!("Confirm your e-mail address for {business}"),
                before: format!(
                    "Somebody signed up {business} on Ringback with this e-mail address. If this was you, confirm \
                        the address:"
                ),
                action: Some(("Confirm the address", unsealed_url(link))),
                after: "The page asks for the password that you chose at sign-up. If this was not you, ignore this \
                    e-mail. Without the confirmation, nothing happens."
                    .to_owned(),
            }
        }
        Mail::AccountExists { business, log_in_link } => Words {
            subject: "You already have a Ringback account".to_owned(),
            before: format!(
                "Somebody, probably you, signed up {} on Ringback with this e-mail address. The address already has \
                    an account, so nothing was changed. Log in with your password, or choose a new one on the same \
                    page:",
                name(business)
            ),
            action: Some(("Log in", unsealed_url(log_in_link))),
            after: "If this was not you, you do not need to do anything.".to_owned(),
        },
        Mail::ResetPassword { link } => Words {
            subject: "Choose a new password".to_owned(),
            before: "Somebody requested a new password for your Ringback account. If this was you, choose it here:"
                .to_owned(),
            action: Some(("Choose a new password", unsealed_url(link))),
            after: "The link works once and for an hour. If this was not you, ignore this e-mail. Your password \
                stays the same."
                .to_owned(),
        },
        Mail::Invitation {
            link,
            business,
            inviter,
            name: guest,
            role,
        } => {
            let (business, inviter) = (name(business), name(inviter));
            let hello = guest.as_ref().map_or_else(String::new, |guest| format!("Hello {}, ", name(guest)));
            let role = match role {
                Some(Role::Viewer) => " as a viewer, who reads everything",
                Some(Role::Agent) => " as an agent, who also writes to customers",
                Some(Role::Manager) => " as a manager, who also changes settings",
                Some(Role::Admin) => " as an administrator, who also decides who has access",
                None => "",
            };
            Words {
                subject: format!("{inviter} invites you to {business} on Ringback"),
                before: format!(
                    "{hello}{inviter} invites you to work with {business} on Ringback{role}. Ringback is a service that \
                        follows up on missed calls. Accept the invitation here:"
                ),
                action: Some(("Accept the invitation", unsealed_url(link))),
                after: format!(
                    "The link works once and for a limited time. If you do not know {business}, ignore this e-mail."
                ),
            }
        }
        Mail::PasswordChanged {} => Words {
            subject: "Your password was changed".to_owned(),
            before: "The password of your Ringback account has just been changed.".to_owned(),
            action: None,
            after: OR_NOT.to_owned(),
        },
        Mail::EmailFactorChanged { what } => {
            let (subject, before) = match what {
                FactorChange::TurnedOn => (
                    "Two-step log-in was turned on",
                    "From now on, logging in to your Ringback account also requires a code from your authenticator \
                        app.",
                ),
                FactorChange::TurnedOff => (
                    "Two-step log-in was turned off",
                    "Logging in to your Ringback account no longer requires a code from your authenticator app.",
                ),
                FactorChange::RecoveryCodesReplaced => (
                    "You have new recovery codes",
                    "New recovery codes were created for your Ringback account. The old ones no longer work.",
                ),
                FactorChange::RecoveryCodeUsed => (
                    "A recovery code was used",
                    "A recovery code was used instead of the authenticator app to log in to your Ringback account. \
                        It cannot be used again.",
                ),
            };
            Words {
                subject: subject.to_owned(),
                before: before.to_owned(),
                action: None,
                after: OR_NOT.to_owned(),
            }
        }
        Mail::WrongCode {} => Words {
            subject: "Wrong code for your Ringback account".to_owned(),
            before: "Somebody entered the password of your Ringback account and a wrong code of the second step. The code was \
                     refused."
                .to_owned(),
            action: None,
            after: OR_NOT.to_owned(),
        },
        Mail::NewDevice { device, address, at } => Words {
            subject: "New log-in to your Ringback account".to_owned(),
            before: format!(
                "Somebody logged in to your Ringback account from a new device or place: {}.",
                log_in(device.as_deref(), *address, *at, ", ")
            ),
            action: None,
            after: OR_NOT.to_owned(),
        },
        Mail::PlatformRight { given: true } => Words {
            subject: "You are now an administrator of Ringback".to_owned(),
            before: "Your account can now administer all of Ringback, including every business on it. The \
                permission takes effect once two-step log-in is turned on for your account."
                .to_owned(),
            action: None,
            after: "If you did not expect this, tell the operator of Ringback now.".to_owned(),
        },
        Mail::PlatformRight { given: false } => Words {
            subject: "You are no longer an administrator of Ringback".to_owned(),
            before: "Your account can no longer administer Ringback.".to_owned(),
            action: None,
            after: "If you did not expect this, ask the operator of Ringback. Your account and your businesses stay \
                the same."
                .to_owned(),
        },
        Mail::PlatformInvited { business, invited } => {
            let (business, invited) = (name(business), name(invited));
            Words {
                subject: format!("Ringback invites an administrator to {business}"),
                before: format!(
                    "The operator of Ringback has invited {invited} as an administrator of {business}, like you."
                ),
                action: None,
                after: "If your business did not ask for this, tell the operator of Ringback now. You can withdraw \
                    the invitation, or deactivate the new administrator. Their actions are recorded in the audit \
                    log."
                    .to_owned(),
            }
        }
        Mail::CapLoosened {
            business,
            by,
            before,
            maximum,
            at,
        } => {
            let (business, cap, at) = (name(business), notices::cap_in_english(before), moment(*at));
            let by = match by {
                Author::Person(person) => name(person),
                Author::ApiKey(key) => format!("The API key {}", name(key)),
                Author::Platform => "The operator of Ringback".to_owned(),
            };
            let from = before.maximum_shown();
            let (subject, sentence) = match with_maximum(before, *maximum) {
                Some(after) => (
                    format!("A cap of {business} was raised"),
                    format!(
                        "{by} raised the {cap} of {business} from {from} to {} at {at}.",
                        after.maximum_shown()
                    ),
                ),
                None => (
                    format!("A cap of {business} was removed"),
                    format!("{by} removed the {cap} of {business}, which allowed {from}, at {at}."),
                ),
            };
            Words {
                subject,
                before: with_caps(sentence, pages),
                action: None,
                after: "Caps limit what can be sent, and so spent, in your name. If your business did not want this, set the cap \
                    again, and deactivate the person or revoke the API key. The audit log has every change."
                    .to_owned(),
            }
        }
        Mail::Notices {
            business,
            notices,
            connections,
            time_zone,
            more,
            link,
        } => {
            let known = Known {
                connections,
                time_zone: time_zone.as_ref(),
            };
            let business = name(business);
            Words {
                subject: format!("{business} needs your attention"),
                before: join_paragraphs(
                    format!("Somebody must attend to this at {business}:"),
                    notices
                        .iter()
                        .map(|notice| with_page(notices::in_english(notice, &known), notice, pages)),
                    (*more > 0).then(|| format!("And {more} more.")),
                ),
                action: link
                    .as_ref()
                    .map(|link| ("Choose which of these e-mails you get", unsealed_url(link))),
                after: "You get this e-mail because you work for the business. Which of these e-mails you get, you choose in \
                    your account."
                    .to_owned(),
            }
        }
    }
}

/// Paragraphs: the first one, one for each notice, and perhaps one for those that are left out.
fn join_paragraphs(first: String, notices: impl Iterator<Item = String>, left_out: Option<String>) -> String {
    let all: Vec<String> = [first].into_iter().chain(notices).chain(left_out).collect();
    all.join("\n\n")
}

fn arabic<'a>(mail: &'a Mail, pages: Option<&Pages<'_>>) -> Words<'a> {
    const OR_NOT: &str = "إن كنت أنت من فعل ذلك، فلا داعي لفعل أي شيء. وإن لم تكن أنت، فاختر كلمة مرور جديدة فورًا من صفحة تسجيل \
                          الدخول، وأخبر المسؤول عن Ringback في نشاطك التجاري.";
    match mail {
        Mail::VerifyEmail { link, business } => {
            let business = name(business);
            Words {
                subject: format!("تأكيد بريدك الإلكتروني لحساب {business}"),
                before: format!("سجّل شخص ما {business} في Ringback بهذا البريد الإلكتروني. إن كنت أنت، فأكّد \
                    العنوان:"),
                action: Some(("تأكيد العنوان", unsealed_url(link))),
                after: "ستطلب الصفحة كلمة المرور التي اخترتها عند التسجيل. إن لم تكن أنت، فتجاهل هذه الرسالة: لن يحدث شيء من دون \
                        التأكيد."
                    .to_owned(),
            }
        }
        Mail::AccountExists { business, log_in_link } => Words {
            subject: "لديك حساب في Ringback بالفعل".to_owned(),
            before: format!(
                "حاول شخص ما، وربما أنت، تسجيل {} في Ringback بهذا البريد الإلكتروني. يوجد حساب بهذا العنوان بالفعل، لذلك لم يتغيّر \
                 شيء. سجّل الدخول بكلمة مرورك المعتادة، أو اختر كلمة مرور جديدة من الصفحة نفسها:",
                name(business)
            ),
            action: Some(("تسجيل الدخول", unsealed_url(log_in_link))),
            after: "إن لم تكن أنت، فلا داعي لفعل أي شيء.".to_owned(),
        },
        Mail::ResetPassword { link } => Words {
            subject: "اختيار كلمة مرور جديدة".to_owned(),
            before: "طلب شخص ما كلمة مرور جديدة لحسابك في Ringback. إن كنت أنت، فاخترها هنا:".to_owned(),
            action: Some(("اختيار كلمة مرور جديدة", unsealed_url(link))),
            after: "يعمل الرابط مرة واحدة ولمدة قصيرة. إن لم تكن أنت، فتجاهل هذه الرسالة: ستبقى كلمة مرورك كما هي."
                .to_owned(),
        },
        Mail::Invitation {
            link,
            business,
            inviter,
            name: guest,
            role,
        } => {
            let (business, inviter) = (name(business), name(inviter));
            let hello = guest.as_ref().map_or_else(String::new, |guest| format!("مرحبًا {}، ", name(guest)));
            let role = match role {
                Some(Role::Viewer) => " بدور «مُطَّلِع» يقرأ كل شيء",
                Some(Role::Agent) => " بدور «موظف» يراسل العملاء أيضًا",
                Some(Role::Manager) => " بدور «مشرف» يغيّر الإعدادات أيضًا",
                Some(Role::Admin) => " بدور «مدير النظام» يقرّر أيضًا من يحق له الدخول",
                None => "",
            };
            Words {
                subject: format!("دعوة من {inviter} للعمل مع {business} في Ringback"),
                before: format!(
                    "{hello}تلقّيت دعوة من {inviter} للعمل مع {business} في Ringback{role}. Ringback خدمة لمتابعة المكالمات الفائتة. يمكنك \
                     قبول الدعوة هنا:"
                ),
                action: Some(("قبول الدعوة", unsealed_url(link))),
                after: format!("يعمل الرابط مرة واحدة ولمدة محدودة. إن كنت لا تعرف {business}، فتجاهل هذه الرسالة."),
            }
        }
        Mail::PasswordChanged {} => Words {
            subject: "تم تغيير كلمة مرورك".to_owned(),
            before: "تم للتو تغيير كلمة مرور حسابك في Ringback.".to_owned(),
            action: None,
            after: OR_NOT.to_owned(),
        },
        Mail::EmailFactorChanged { what } => {
            let (subject, before) = match what {
                FactorChange::TurnedOn => (
                    "تم تفعيل تسجيل الدخول بخطوتين",
                    "من الآن فصاعدًا سيُطلب منك أيضًا رمز من تطبيق المصادقة عند تسجيل الدخول إلى حسابك في Ringback.",
                ),
                FactorChange::TurnedOff => (
                    "تم إيقاف تسجيل الدخول بخطوتين",
                    "لن يُطلب منك بعد الآن رمز من تطبيق المصادقة عند تسجيل الدخول إلى حسابك في Ringback.",
                ),
                FactorChange::RecoveryCodesReplaced => (
                    "لديك رموز استرداد جديدة",
                    "أُنشئت رموز استرداد جديدة لحسابك في Ringback، ولم تعد الرموز القديمة صالحة.",
                ),
                FactorChange::RecoveryCodeUsed => (
                    "تم استخدام رمز استرداد",
                    "تم تسجيل الدخول إلى حسابك في Ringback برمز استرداد بدلًا من تطبيق المصادقة. لن يعمل هذا الرمز \
                        مرة أخرى.",
                ),
            };
            Words {
                subject: subject.to_owned(),
                before: before.to_owned(),
                action: None,
                after: OR_NOT.to_owned(),
            }
        }
        Mail::WrongCode {} => Words {
            subject: "رمز خاطئ لحسابك في Ringback".to_owned(),
            before: "أدخل شخص ما كلمة مرور حسابك في Ringback مع رمز خاطئ للخطوة الثانية، وتم رفض الرمز.".to_owned(),
            action: None,
            after: OR_NOT.to_owned(),
        },
        Mail::NewDevice { device, address, at } => Words {
            subject: "تسجيل دخول جديد إلى حسابك في Ringback".to_owned(),
            before: format!(
                "سجّل شخص ما الدخول إلى حسابك في Ringback من جهاز أو مكان غير معروف: {}.",
                log_in(device.as_deref(), *address, *at, "، ")
            ),
            action: None,
            after: OR_NOT.to_owned(),
        },
        Mail::PlatformRight { given: true } => Words {
            subject: "أصبحت من مديري Ringback".to_owned(),
            before: "مُنح حسابك صلاحية إدارة Ringback بالكامل، بما في ذلك جميع الأنشطة التجارية المسجلة فيه. تعمل الصلاحية بعد تفعيل \
                     تسجيل الدخول بخطوتين في حسابك."
                .to_owned(),
            action: None,
            after: "إن لم تكن تتوقع ذلك، فأخبر القائمين على Ringback فورًا.".to_owned(),
        },
        Mail::PlatformRight { given: false } => Words {
            subject: "لم تعد من مديري Ringback".to_owned(),
            before: "سُحبت من حسابك صلاحية إدارة Ringback بالكامل.".to_owned(),
            action: None,
            after: "إن لم تكن تتوقع ذلك، فاسأل القائمين على Ringback. يبقى حسابك وأنشطتك التجارية كما هي.".to_owned(),
        },
        Mail::PlatformInvited { business, invited } => {
            let (business, invited) = (name(business), name(invited));
            Words {
                subject: format!("دعوة من Ringback لمدير جديد في {business}"),
                before: format!("دعا القائمون على Ringback {invited} ليكون مديرًا في {business} مثلك."),
                action: None,
                after: "إن لم يطلب نشاطك التجاري ذلك، فأخبر القائمين على Ringback فورًا. يمكنك سحب الدعوة، وإيقاف من قبلها؛ وكل ما يفعله \
                        مسجل في سجل التدقيق."
                    .to_owned(),
            }
        }
        Mail::CapLoosened {
            business,
            by,
            before,
            maximum,
            at,
        } => {
            let (business, cap, at) = (name(business), notices::cap_in_arabic(before), moment(*at));
            let by = match by {
                Author::Person(person) => name(person),
                Author::ApiKey(key) => format!("مفتاح واجهة البرمجة {}", name(key)),
                Author::Platform => "القائمون على Ringback".to_owned(),
            };
            let from = notices::maximum_in_arabic(before);
            let (subject, sentence) = match with_maximum(before, *maximum) {
                Some(after) => (
                    format!("رُفع حد من حدود {business}"),
                    format!(
                        "رُفع {cap} في {business} من {from} إلى {}، في {at}. من رفعه: {by}.",
                        notices::maximum_in_arabic(&after)
                    ),
                ),
                None => (
                    format!("أُزيل حد من حدود {business}"),
                    format!("أُزيل {cap} في {business}، وكان يسمح بـ {from}، في {at}. من أزاله: {by}."),
                ),
            };
            Words {
                subject,
                before: with_caps(sentence, pages),
                action: None,
                after: "الحدود تقيّد ما يمكن إرساله باسمك وما يكلّفه. إن لم يرد نشاطك التجاري ذلك، فأعد الحد إلى ما كان، وأوقف من فعل ذلك أو \
                        ألغِ المفتاح؛ وكل تغيير مسجل في سجل التدقيق."
                    .to_owned(),
            }
        }
        Mail::Notices {
            business,
            notices,
            connections,
            time_zone,
            more,
            link,
        } => {
            let known = Known {
                connections,
                time_zone: time_zone.as_ref(),
            };
            let business = name(business);
            Words {
                subject: format!("يحتاج {business} إلى انتباهك"),
                before: join_paragraphs(
                    format!("في {business} ما يحتاج إلى انتباه أحد:"),
                    notices
                        .iter()
                        .map(|notice| with_page(notices::in_arabic(notice, &known), notice, pages)),
                    (*more > 0).then(|| format!("وهناك أمور أخرى، عددها {more}.")),
                ),
                action: link
                    .as_ref()
                    .map(|link| ("اختيار الرسائل التي تصلك من هذا النوع", unsealed_url(link))),
                after: "تصلك هذه الرسالة لأنك تعمل لدى هذا النشاط التجاري. تختار من حسابك أيّ هذه الرسائل تصلك."
                    .to_owned(),
            }
        }
    }
}

/// URL of a link that has been unsealed.
fn unsealed_url(link: &Link) -> &str {
    link.url().unwrap_or_default()
}

/// Where and when somebody logged in, as far as it is known.
fn log_in(device: Option<&str>, address: Option<IpAddr>, at: Timestamp, separator: &str) -> String {
    let known = [device.map(name), address.map(isolate_text), Some(moment(at))];
    known.into_iter().flatten().collect::<Vec<_>>().join(separator)
}

/// A text between isolates. It needs no other treatment.
pub(crate) fn isolate_text(shown: impl std::fmt::Display) -> String {
    format!("{NAME_BEGINS}{shown}{NAME_ENDS}")
}

pub(crate) fn moment(at: Timestamp) -> String {
    isolate_text(at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC"))
}

/// The cap with this maximum. `None`: it was removed.
fn with_maximum(cap: &Cap, maximum: Option<u32>) -> Option<Cap> {
    maximum.map(|maximum| Cap { maximum, ..cap.clone() })
}

/// A name that a person typed, as [`quote_safely`].
pub(crate) fn name(typed: &str) -> String {
    quote_safely(typed, MAX_NAME_LENGTH)
}

/// A text of somebody else's, made safe for a mail: on one line, shortened, without direction marks, and without text that a mail
/// program would turn into a link.
pub(crate) fn quote_safely(typed: &str, longest: usize) -> String {
    let is_mark =
        |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    let words: Vec<String> = typed
        .split(|c: char| c.is_whitespace() || c.is_control())
        .map(|word| word.chars().filter(|c| !is_mark(*c)).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect();
    let mut named = String::from(NAME_BEGINS);
    let mut before = ' ';
    for character in words.join(" ").chars().take(longest) {
        if matches!(before, '.' | '/' | ':' | '@') && character != ' ' {
            named.push(WORD_JOINER);
        }
        named.push(character);
        before = character;
    }
    named.push(NAME_ENDS);
    named
}

impl Words<'_> {
    fn letter(&self, frame: &Frame) -> Letter {
        let mut text = vec![self.before.as_str()];
        text.extend(self.action.map(|(_, link)| link));
        text.extend([self.after.as_str(), "--", frame.sent_because]);
        Letter {
            subject: self.subject.clone(),
            text: text.join("\n\n") + "\n",
            html: self.html(frame),
        }
    }

    fn html(&self, frame: &Frame) -> String {
        let Frame {
            language,
            direction,
            or_open,
            sent_because,
        } = frame;
        let action = self.action.map_or_else(String::new, |(label, link)| {
            let link = escape_html(link);
            format!(
                "<p><a href=\"{link}\" style=\"display:inline-block;padding:12px 20px;border-radius:8px;background:#0b6e4f;\
                 color:#ffffff;text-decoration:none;font-weight:600\">{label}</a></p>\n\
                 <p style=\"font-size:13px\">{or_open}<br><a href=\"{link}\" dir=\"ltr\">{link}</a></p>\n"
            )
        });
        // A title cannot contain elements.
        let title = escape_html(&self.subject.replace([NAME_BEGINS, NAME_ENDS], ""));
        let (before, after) = (paragraphs(&self.before), paragraphs(&self.after));
        format!(
            "<!doctype html>\n<html lang=\"{language}\" dir=\"{direction}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n</head>\n\
             <body style=\"margin:0;padding:24px 12px;font:16px/1.5 system-ui,'Segoe UI',Roboto,'Noto Sans Arabic',sans-serif\">\n\
             <div style=\"max-width:32rem;margin:0 auto;overflow-wrap:anywhere\">\n{before}{action}{after}\
             <p style=\"margin-top:32px;padding-top:12px;border-top:1px solid #d5dcd8;font-size:13px\">{sent_because}</p>\n\
             </div>\n</body>\n</html>\n"
        )
    }
}

/// Paragraphs with empty lines between them. A line that is a link is ours: what others typed stands between isolates.
fn paragraphs(text: &str) -> String {
    let text = escape_html(text)
        .replace(NAME_BEGINS, "<bdi>")
        .replace(NAME_ENDS, "</bdi>");
    let is_link = |line: &str| line.starts_with("https://") || line.starts_with("http://");
    let line = |line: &str| {
        if is_link(line) {
            format!("<a href=\"{line}\" dir=\"ltr\">{line}</a>")
        } else {
            line.to_owned()
        }
    };
    let paragraph = |one: &str| one.split('\n').map(line).collect::<Vec<_>>().join("<br>");
    text.split("\n\n")
        .map(|one| format!("<p>{}</p>\n", paragraph(one)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const LINK: &str = "https://app.example/confirm?token=abc&lang=en";

    fn pages() -> Pages<'static> {
        Pages {
            base: "https://app.example/",
            tenant: "tnt_01hq5bakery0000000000000t1".parse().unwrap(),
        }
    }

    fn all() -> Vec<Mail> {
        let (link, business) = (Link::from(LINK.to_owned()), "Maya's Salon & Spa".to_owned());
        let changed = |what| Mail::EmailFactorChanged { what };
        vec![
            Mail::VerifyEmail {
                link: link.clone(),
                business: business.clone(),
            },
            Mail::AccountExists {
                business,
                log_in_link: "https://app.example/log-in".to_owned().into(),
            },
            Mail::ResetPassword { link: link.clone() },
            Mail::Invitation {
                link,
                business: "عيادة النخيل".to_owned(),
                inviter: "Tom <tom@evil.example>".to_owned(),
                name: Some("Noor <b>".to_owned()),
                role: Some(Role::Agent),
            },
            Mail::PasswordChanged {},
            changed(FactorChange::TurnedOn),
            changed(FactorChange::TurnedOff),
            changed(FactorChange::RecoveryCodesReplaced),
            changed(FactorChange::RecoveryCodeUsed),
            Mail::WrongCode {},
            Mail::NewDevice {
                device: Some("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned()),
                address: Some("203.0.113.7".parse().unwrap()),
                at: "2026-11-20T12:00:00Z".parse().unwrap(),
            },
            Mail::PlatformRight { given: true },
            Mail::PlatformRight { given: false },
            Mail::PlatformInvited {
                business: "Maya's Salon & Spa".to_owned(),
                invited: "tom@ringback.example".to_owned(),
            },
            cap_loosened(
                Author::Person("Tom <tom@evil.example>".to_owned()),
                "follow_up",
                Some(5_000),
            ),
            cap_loosened(Author::ApiKey("Shop".to_owned()), "api", None),
            cap_loosened(Author::Platform, "api", None),
            notices(12, Some("https://app.example/account/notifications")),
            notices(0, None),
        ]
    }

    fn cap_loosened(by: Author, purpose: &str, maximum: Option<u32>) -> Mail {
        let cap = serde_json::json!({"number": 2, "period": "day", "purpose": purpose, "maximum": 1000});
        Mail::CapLoosened {
            business: "عيادة النخيل".to_owned(),
            by,
            before: serde_json::from_value(cap).unwrap(),
            maximum,
            at: "2026-11-20T12:00:00Z".parse().unwrap(),
        }
    }

    /// A notice of each kind.
    fn notices(more: usize, link: Option<&str>) -> Mail {
        let notice = |name: &str, matter: serde_json::Value| Notice {
            matter: serde_json::from_value(matter).unwrap(),
            name: name.to_owned(),
            at: "2026-11-20T12:00:00Z".parse().unwrap(),
        };
        let connection = "conn_01hq5bakery0000000000000c1";
        Mail::Notices {
            business: "عيادة النخيل".to_owned(),
            notices: vec![
                notice(
                    "Meta <evil.example>",
                    serde_json::json!({
                        "kind": "connection_refused", "connection": connection,
                        "reason": "the access token is not valid or has expired",
                    }),
                ),
                notice(
                    "missed_call",
                    serde_json::json!({
                        "kind": "template_paused", "connection": connection, "language": "en_GB", "status": "PAUSED",
                    }),
                ),
                notice(
                    "Missed calls",
                    serde_json::json!({
                        "kind": "automation_unmatched", "automation": "rule_01hq5bakery0000000000000r1",
                    }),
                ),
                notice(
                    "day.tenant.follow_up",
                    serde_json::json!({
                        "kind": "cap_nearly_reached",
                        "cap": {"number": 2, "period": "day", "scope": "tenant", "purpose": "follow_up", "maximum": 1000},
                    }),
                ),
                notice(
                    "month.tenant.any.USD",
                    serde_json::json!({
                        "kind": "cap_nearly_reached",
                        "cap": {"number": 7, "period": "month", "scope": "tenant", "currency": "USD", "maximum": 2500},
                    }),
                ),
                notice(
                    "Offer for the holidays",
                    serde_json::json!({
                        "kind": "campaign_paused", "campaign": "cmp_01hq5c1ynyc0000000000000ab", "code": "failure_rate",
                        "reason": "31 of its last 100 messages failed",
                    }),
                ),
                notice(
                    "",
                    serde_json::json!({
                        "kind": "customers_wait", "conversations": 2, "since": "2026-11-20T11:45:00Z",
                    }),
                ),
            ],
            connections: BTreeMap::from([(connection.parse().unwrap(), "WhatsApp Dubai".to_owned())]),
            time_zone: Some("Asia/Dubai".parse().unwrap()),
            more,
            link: link.map(|link| Link::from(link.to_owned())),
        }
    }

    /// Makes invisible characters visible.
    fn reveal_invisible(letter: &Letter) -> String {
        let text = format!("Subject: {}\n\n{}\n{}", letter.subject, letter.text, letter.html);
        text.replace(NAME_BEGINS, "[FSI]")
            .replace(NAME_ENDS, "[PDI]")
            .replace(WORD_JOINER, "[WJ]")
    }

    #[test]
    fn every_mail_in_english() {
        let letters: Vec<_> = all()
            .iter()
            .map(|mail| reveal_invisible(&write(mail, "en-GB", Some(&pages()))))
            .collect();
        insta::assert_snapshot!("english", letters.join("\n========\n\n"));
    }

    #[test]
    fn every_mail_in_arabic() {
        let letters: Vec<_> = all()
            .iter()
            .map(|mail| reveal_invisible(&write(mail, "ar-AE", Some(&pages()))))
            .collect();
        insta::assert_snapshot!("arabic", letters.join("\n========\n\n"));
    }

    #[test]
    fn a_language_without_texts_is_english() {
        for language in ["", "de", "arq", "x"] {
            assert_eq!(
                write(&Mail::PasswordChanged {}, language, None).subject,
                "Your password was changed"
            );
        }
        assert!(
            write(&Mail::PasswordChanged {}, "AR", None)
                .html
                .contains("dir=\"rtl\"")
        );
    }

    #[test]
    fn mails_contain_only_the_links_of_the_job() {
        for language in ["en", "ar"] {
            for mail in all() {
                let Letter { html, text, .. } = write(&mail, language, Some(&pages()));
                for target in html.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                    assert!(target.starts_with("https://app.example/"), "{target}");
                }
                assert!(
                    !html.contains("src=") && !html.contains("url("),
                    "something from elsewhere: {html}"
                );
                let urls = text.matches("://").count();
                assert_eq!(urls, text.matches("https://app.example/").count(), "{text}");
            }
        }
    }

    /// People have pages for what these mails are about.
    #[test]
    fn mails_name_no_operation_and_lead_to_pages() {
        const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        for language in ["en", "ar"] {
            for mail in all() {
                let Letter { subject, text, html } = write(&mail, language, Some(&pages()));
                for part in [subject, text, html] {
                    assert!(!part.contains("/api/"), "{part}");
                    let mut words = part.split(|character: char| !character.is_ascii_alphanumeric());
                    assert!(!words.any(|word| METHODS.contains(&word)), "{part}");
                }
            }
            let Letter { text, html, .. } = write(&notices(0, None), language, Some(&pages()));
            let of = "https://app.example/app/tnt_01hq5bakery0000000000000t1/";
            for page in [
                "settings/connections/conn_01hq5bakery0000000000000c1",
                "settings/templates",
                "automations/rule_01hq5bakery0000000000000r1",
                "settings/caps",
                "inbox?unread=true",
            ] {
                assert!(text.lines().any(|line| line == format!("{of}{page}")), "{page}: {text}");
                assert!(html.contains(&format!("href=\"{of}{page}\"")), "{page}: {html}");
            }
            let Letter { text, .. } = write(&notices(0, None), language, None);
            assert!(!text.contains("://"), "the deployment has no address yet: {text}");
        }
    }

    /// A name that somebody typed is shown as text: no HTML, header line, link or change of writing direction.
    #[test]
    fn typed_text_cannot_inject_markup_lines_links_or_direction() {
        let typed = "  <img src=x onerror=alert(1)>\r\nBcc: all@evil.example \u{202e}https://evil.example/x\u{2069}";
        let mail = Mail::VerifyEmail {
            link: LINK.to_owned().into(),
            business: typed.to_owned(),
        };
        for language in ["en", "ar"] {
            let Letter { subject, text, html } = write(&mail, language, None);
            assert!(!html.contains("<img") && html.contains("&lt;img"), "{html}");
            assert!(!subject.contains(['\r', '\n']), "{subject}");
            for part in [&subject, &text, &html] {
                assert!(
                    !part.contains("evil.example") && !part.contains("https://evil"),
                    "{part}"
                );
                assert!(!part.contains('\u{202e}'), "{part}");
                assert!(
                    part.matches(NAME_BEGINS).count() == part.matches(NAME_ENDS).count(),
                    "{part}"
                );
            }
        }
        assert_eq!(name(&"x".repeat(500)).chars().count(), MAX_NAME_LENGTH + 2);
    }
}
