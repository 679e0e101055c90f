//! Words of tables in several languages, normalized for comparison. A test holds their form.

use domain::terms::{Channel, fold};

use crate::mapping::Target;

/// Texts that mean yes.
#[rustfmt::skip]
pub(crate) const YES: &[&str] = &[
    "1", "y", "yes", "true", "t", "on", "ok", "x", "✓", "✔", "☑", "subscribed", "opted in", "opt-in", "agreed",
    "granted", "نعم", "اي", "صح", "موافق", "ja", "j", "wahr", "oui", "o", "vrai", "si", "s", "verdadero",
];

/// Texts that mean no.
#[rustfmt::skip]
pub(crate) const NO: &[&str] = &[
    "0", "n", "no", "false", "f", "off", "-", "✗", "✘", "☐", "unsubscribed", "opted out", "opt-out", "refused",
    "denied", "لا", "كلا", "خطا", "غير موافق", "nein", "falsch", "non", "faux", "falso",
];

/// Programs' texts for a person who agreed to messages, as [`comparable_name`] writes them.
#[rustfmt::skip]
pub(crate) const AGREED: &[&str] = &[
    "subscribed", "opted in", "opt in", "optin", "confirmed", "accepted", "allowed", "مشترك", "angemeldet", "abonne", "suscrito",
];

/// Texts for a person who did not agree, although a word in them means yes.
#[rustfmt::skip]
pub(crate) const NOT_AGREED: &[&str] = &[
    "not subscribed", "not opted in", "not accepted", "not allowed", "غير مشترك",
];

/// Texts for a person who had agreed, or was taken to have, and wants no messages any more, or cannot be reached.
#[rustfmt::skip]
pub(crate) const UNSUBSCRIBED: &[&str] = &[
    "unsubscribed", "unsubscribe", "opted out", "opt out", "optout", "cleaned", "blocklisted", "blacklisted", "revoked", "withdrawn",
    "ملغي الاشتراك", "الغي الاشتراك", "abgemeldet", "desabonne", "desinscrit", "dado de baja",
];

/// Texts for a person whose agreement is unknown.
#[rustfmt::skip]
pub(crate) const UNDECIDED: &[&str] = &[
    "never", "never subscribed", "nonsubscribed", "non subscribed", "pending", "pending confirmation", "unconfirmed", "unknown",
    "not specified", "unspecified", "not set", "not asked", "transactional", "غير معروف", "قيد الانتظار", "unbekannt", "inconnu", "desconocido",
];

/// Programs' texts for a cell without a value.
#[rustfmt::skip]
pub(crate) const EMPTY: &[&str] = &[
    "n/a", "#n/a", "n.a.", "null", "(null)", "none", "(none)", "undefined", "(empty)", "(blank)", "-", "--", "–", "—",
];

/// Names of the months: short and whole in English, and in Arabic.
pub(crate) const MONTHS: [(&str, &str, &str); 12] = [
    ("jan", "january", "يناير"),
    ("feb", "february", "فبراير"),
    ("mar", "march", "مارس"),
    ("apr", "april", "ابريل"),
    ("may", "may", "مايو"),
    ("jun", "june", "يونيو"),
    ("jul", "july", "يوليو"),
    ("aug", "august", "اغسطس"),
    ("sep", "september", "سبتمبر"),
    ("oct", "october", "اكتوبر"),
    ("nov", "november", "نوفمبر"),
    ("dec", "december", "ديسمبر"),
];

/// Countries by their names, normalized for comparison.
#[rustfmt::skip]
pub(crate) const COUNTRIES: &[(&str, &[&str])] = &[
    ("AE", &["united arab emirates", "uae", "u.a.e.", "emirates", "الامارات", "الامارات العربيه المتحده"]),
    ("SA", &["saudi arabia", "ksa", "kingdom of saudi arabia", "السعوديه", "المملكه العربيه السعوديه"]),
    ("QA", &["qatar", "قطر"]),
    ("OM", &["oman", "عمان", "سلطنه عمان"]),
    ("KW", &["kuwait", "الكويت"]),
    ("BH", &["bahrain", "البحرين"]),
    ("EG", &["egypt", "مصر"]),
    ("JO", &["jordan", "الاردن"]),
    ("LB", &["lebanon", "لبنان"]),
    ("IQ", &["iraq", "العراق"]),
    ("SY", &["syria", "سوريا"]),
    ("YE", &["yemen", "اليمن"]),
    ("MA", &["morocco", "المغرب"]),
    ("DZ", &["algeria", "الجزاير"]),
    ("TN", &["tunisia", "تونس"]),
    ("IN", &["india"]),
    ("PK", &["pakistan"]),
    ("BD", &["bangladesh"]),
    ("LK", &["sri lanka"]),
    ("NP", &["nepal"]),
    ("PH", &["philippines"]),
    ("ID", &["indonesia"]),
    ("MY", &["malaysia"]),
    ("SG", &["singapore"]),
    ("CN", &["china"]),
    ("HK", &["hong kong"]),
    ("JP", &["japan"]),
    ("AU", &["australia"]),
    ("NZ", &["new zealand"]),
    ("GB", &["united kingdom", "uk", "great britain", "england"]),
    ("IE", &["ireland"]),
    ("DE", &["germany", "deutschland", "allemagne", "alemania"]),
    ("AT", &["austria", "osterreich"]),
    ("CH", &["switzerland", "schweiz", "suisse"]),
    ("FR", &["france", "frankreich"]),
    ("ES", &["spain", "espana"]),
    ("PT", &["portugal"]),
    ("IT", &["italy", "italia"]),
    ("NL", &["netherlands", "the netherlands"]),
    ("BE", &["belgium"]),
    ("PL", &["poland"]),
    ("SE", &["sweden"]),
    ("TR", &["turkey", "turkiye"]),
    ("RU", &["russia"]),
    ("NG", &["nigeria"]),
    ("KE", &["kenya"]),
    ("ZA", &["south africa"]),
    ("US", &["united states", "united states of america", "usa", "u.s.a."]),
    ("CA", &["canada"]),
    ("MX", &["mexico"]),
    ("BR", &["brazil", "brasil"]),
];

/// Languages by their names.
#[rustfmt::skip]
pub(crate) const LANGUAGES: &[(&[&str], &str)] = &[
    (&["english", "englisch", "anglais", "ingles", "الانجليزيه", "انجليزي"], "en"),
    (&["arabic", "arabisch", "arabe", "العربيه", "عربي"], "ar"),
    (&["german", "deutsch", "allemand", "aleman", "الالمانيه"], "de"),
    (&["french", "franzosisch", "francais", "frances", "الفرنسيه"], "fr"),
    (&["spanish", "spanisch", "espagnol", "espanol", "الاسبانيه"], "es"),
    (&["hindi", "हिनदी", "الهنديه"], "hi"),
    (&["urdu", "اردو", "الارديه"], "ur"),
    (&["russian", "russisch", "russe", "ruso", "русскии", "الروسيه"], "ru"),
    (&["portuguese", "portugues"], "pt"),
    (&["italian", "italiano", "italienisch", "italien"], "it"),
    (&["turkish", "turkce"], "tr"),
    (&["chinese", "中文"], "zh"),
    (&["filipino", "tagalog"], "fil"),
];

/// Names of columns, as [`key`] writes them: English, Arabic, German, French, Spanish. `None`: no value of a contact, even if it looks like a
/// telephone number.
#[rustfmt::skip]
pub(crate) const COLUMNS: &[(Option<Target>, &[&str])] = &[
    (Some(Target::Name), &[
        "name", "full name", "fullname", "contact", "contact name", "customer", "customer name", "client",
        "client name", "display name", "lead name", "الاسم", "الاسم الكامل", "اسم العميل", "العميل", "اسم الزبون",
        "اسم", "vollstandiger name", "kunde", "kundenname", "kontakt", "ansprechpartner", "nom complet",
        "nom et prenom", "nom prenom", "nom du client", "nombre completo", "nombre y apellidos", "cliente",
        "nombre del cliente", "contacto", "nom", "nombre",
    ]),
    (Some(Target::FirstName), &[
        "first name", "firstname", "first", "given name", "givenname", "forename", "الاسم الاول", "vorname", "prenom",
        "nombre de pila", "primer nombre",
    ]),
    (Some(Target::MiddleName), &[
        "middle name", "middlename", "additional name", "second name", "اسم الاب", "zweiter vorname", "deuxieme prenom", "segundo nombre",
    ]),
    (Some(Target::LastName), &[
        "last name", "lastname", "last", "surname", "family name", "familyname", "اسم العايله", "اللقب",
        "الاسم الاخير", "العايله", "nachname", "familienname", "zuname", "nom de famille", "apellido", "apellidos",
    ]),
    // Numbers by their use: those that get messages come first.
    (Some(Target::Phone), &[
        "mobile", "mobile number", "mobile no", "mobile phone", "mobile phone number", "mob", "cell", "cell phone",
        "cell phone number", "cellphone", "whatsapp", "whatsapp number", "whatsapp no", "whatsapp phone number", "msisdn",
        "الجوال", "رقم الجوال", "جوال", "الموبايل", "رقم الموبايل", "موبايل", "المحمول", "رقم المحمول", "واتساب", "واتس اب",
        "رقم الواتساب", "handy", "handynummer", "mobil", "mobilnummer", "mobiltelefon", "portable", "telephone portable",
        "telephone mobile", "movil", "celular", "telefono movil",
    ]),
    (Some(Target::Phone), &[
        "phone", "phone number", "phonenumber", "phone no", "telephone", "telephone number", "tel", "tel no",
        "contact number", "contact no", "number", "phone value", "primary phone", "الهاتف", "رقم الهاتف", "هاتف",
        "رقم التواصل", "telefon", "telefonnummer", "tel nr", "rufnummer", "numero de telephone",
        "telefono", "numero de telefono",
    ]),
    (Some(Target::Phone), &["home phone"]),
    (Some(Target::Phone), &["work phone", "business phone"]),
    (Some(Target::Phone), &["other phone", "car phone", "default address phone"]),
    (Some(Target::CountryCode), &[
        "country code", "countrycode", "calling code", "dial code", "dialing code", "isd code", "phone country code", "رمز الدوله", "مفتاح الدوله",
        "landervorwahl",
    ]),
    (Some(Target::Country), &[
        "country", "country name", "country region", "default address country code", "الدوله", "land", "pays", "pais",
    ]),
    (Some(Target::Email), &[
        "email", "e mail", "email address", "e mail address", "mail", "e mail value", "البريد",
        "البريد الالكتروني", "ايميل", "الايميل", "بريد الكتروني", "e mail adresse", "mailadresse", "email adresse",
        "courriel", "adresse e mail", "adresse email", "adresse mail", "correo", "correo electronico",
    ]),
    (Some(Target::Language), &[
        "language", "lang", "preferred language", "locale", "اللغه", "اللغه المفضله", "sprache", "langue", "idioma",
        "lengua",
    ]),
    (Some(Target::Tags), &[
        "tag", "tags", "label", "labels", "group", "groups", "group membership", "segment", "segments", "الوسم",
        "الوسوم", "التصنيف", "التصنيفات", "المجموعه", "schlagwort", "schlagworte", "schlagworter", "gruppe", "gruppen",
        "etiquette", "etiquettes", "groupe", "groupes", "etiqueta", "etiquetas", "grupo", "grupos",
    ]),
    (Some(Target::Stage), &[
        "stage", "lead stage", "pipeline stage", "deal stage", "lead status", "المرحله", "مرحله العميل", "phase",
        "etape", "etapa",
    ]),
    (Some(Target::Owner), &[
        "owner", "owner email", "contact owner", "lead owner", "assigned to", "assignee", "agent", "salesperson",
        "sales rep", "المسوول", "الموظف المسوول", "zustandig", "betreuer", "verantwortlich", "responsable",
        "proprietaire", "propietario",
    ]),
    (Some(Target::Source), &[
        "source", "lead source", "origin", "channel", "المصدر", "مصدر العميل", "quelle", "herkunft", "origine",
        "origen", "fuente",
    ]),
    (Some(Target::Value), &[
        "value", "lead value", "deal value", "amount", "budget", "expected value", "expected revenue", "القيمه",
        "المبلغ", "الميزانيه", "wert", "betrag", "valeur", "montant", "valor", "importe",
    ]),
    (Some(Target::OptedIn), &[
        "opt in", "opted in", "optin", "consent", "marketing consent", "subscribed", "الموافقه", "موافقه", "موافق", "الاشتراك",
        "einwilligung", "zustimmung", "consentement", "abonne", "consentimiento", "suscrito",
    ]),
    // Names of single programs, as those of WATI, which writes by WhatsApp.
    (Some(Target::OptedInWhatsApp), &["allow broadcast", "allowbroadcast"]),
    (Some(Target::OptedInSms), &["allowsms"]),
    (Some(Target::OptedInAt), &[
        "opt in date", "opted in at", "opted in on", "optin date", "opt in time", "consent date", "consented at",
        "subscribed at", "subscription date", "تاريخ الموافقه", "تاريخ الاشتراك", "einwilligung am",
        "datum der einwilligung", "einwilligungsdatum", "date de consentement", "date du consentement",
        "fecha de consentimiento",
    ]),
    // Shopify's column of this name is about e-mail.
    (None, &["accepts marketing"]),
    (None, &[
        "id", "record id", "no", "nr", "row", "index", "customer id", "contact id", "customer number", "kundennummer", "order",
        "order id", "order number", "invoice", "invoice number", "account number", "iban", "vat", "trn", "tax number",
        "fax", "fax number", "faxnummer", "الفاكس", "zip", "zip code", "postal code", "postcode", "plz", "code postal",
        "codigo postal", "الرمز البريدي", "note", "notes", "comment", "comments", "remarks", "ملاحظات", "notizen",
        "bemerkung", "remarques", "notas", "error", "created", "created at", "updated at", "date", "تاريخ", "التاريخ",
        "company", "company name", "الشركه", "firma", "societe", "empresa", "address", "street", "city",
        "العنوان", "المدينه", "adresse", "strasse", "stadt", "ort", "ville", "direccion", "ciudad",
        "status", "الرقم", "birthday", "salutation", "anrede",
    ]),
];

/// Words in names of columns with numbers for no messages, or other people's. A company's main number would make one
/// contact of all its people.
#[rustfmt::skip]
pub(crate) const OTHER_NUMBERS: &[&str] = &[
    "fax", "telefax", "faxnummer", "pager", "telex", "isdn", "callback", "radio", "tty", "tdd", "assistant", "asst", "company",
    "emergency", "فاكس", "الفاكس",
];

/// Words in names of columns that say who agreed to messages.
#[rustfmt::skip]
const CONSENT: &[&str] = &[
    "opt", "opted", "optin", "optout", "consent", "consented", "subscribed", "subscriber", "subscription", "subscribe", "accepts", "accept",
    "accepted", "allow", "allows", "allowed", "agreed", "marketing", "permission", "newsletter", "broadcast", "الموافقه", "موافقه", "الاشتراك",
    "einwilligung", "zustimmung", "consentement", "consentimiento",
];

/// Words in names of columns where a yes refuses messages.
#[rustfmt::skip]
const REFUSAL: &[&str] = &[
    "optout", "unsubscribed", "unsubscribe", "unsubscribes", "blacklisted", "blacklist", "blocklisted", "blocklist", "dnd", "refused",
];

/// Words that refuse messages beside one of consent: "Opted out", "Do not text", but not "Sent out" and "Not delivered".
const REFUSAL_OF_CONSENT: &[&str] = &["out", "not"];

/// Words in names of columns that leave open what a yes means, or are about something else.
#[rustfmt::skip]
const OPEN: &[&str] = &[
    "no", "don", "dont", "never", "stop", "sent", "delivered", "received", "count", "last", "declined", "denied", "rejected", "revoked",
    "withdrawn", "cancelled", "canceled", "suppressed", "disabled", "excluded", "الغاء", "عدم", "رفض", "بدون", "kein", "keine", "nicht",
    "widerrufen", "sans", "pas", "retire", "sin", "retirado",
];

/// Words in names of columns that say more about a consent than whether there is one.
#[rustfmt::skip]
const ABOUT_CONSENT: &[&str] = &[
    "at", "date", "time", "timestamp", "source", "method", "reason", "ip", "id", "url", "wording", "version",
];

const OF_SMS: &[&str] = &["sms", "text", "texts"];
const OF_WHATSAPP: &[&str] = &["whatsapp", "wa", "واتساب", "الواتساب", "واتس"];
#[rustfmt::skip]
const OF_EMAIL: &[&str] = &[
    "email", "emails", "mail", "newsletter", "courriel", "correo", "البريد", "ايميل", "الايميل",
];

/// Words in names of columns whose cells only look like numbers.
#[rustfmt::skip]
pub(crate) const NO_NUMBERS: &[&str] = &[
    "id", "ids", "leid", "euid", "uid", "uuid", "ip", "imei", "card", "passport", "account", "iban", "order", "invoice", "sku", "zip",
    "code", "date", "time", "timestamp", "latitude", "longitude", "price", "total", "count", "هويه", "الهويه", "بطاقه", "البطاقه",
    "جواز", "الجواز",
];

/// A name of a column or field, folded and without differences of punctuation.
pub(crate) fn comparable_name(name: &str) -> String {
    let letters = fold(name);
    let letters = letters.chars().map(|sign| match sign {
        // Thousands of characters are neither letters nor digits, but combining signs belong to letters.
        other if other.is_alphanumeric() || !other.is_ascii() && !other.is_whitespace() && !is_punctuation(other) => {
            other
        }
        _ => ' ',
    });
    let letters: String = letters.collect();
    let words: Vec<&str> = letters.split_whitespace().collect();
    words.join(" ")
}

/// The normalized name of a column, for comparison with known words: as [`comparable_name`], and without numbers, as in
/// "Phone 2" and "E-mail 2 Address".
fn key(name: &str) -> String {
    let spelled = comparable_name(name);
    let words = spelled
        .split(' ')
        .map(|word| word.trim_end_matches(|sign: char| sign.is_ascii_digit()));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() { spelled } else { words.join(" ") }
}

fn is_punctuation(sign: char) -> bool {
    matches!(
        sign,
        '\u{2010}'..='\u{2027}' | '،' | '؛' | '؟' | '«' | '»' | '°' | 'º' | 'ª' | '№' | '·'
    )
}

/// The meaning of a column's name, if it is known.
pub(crate) fn meaning(name: &str) -> Option<&'static Option<Target>> {
    COLUMNS.get(place(name)).map(|(meaning, _)| meaning)
}

/// The place of a column's name among [`COLUMNS`], or the place behind them. Of numbers, the first is the preferred one.
pub(crate) fn place(name: &str) -> usize {
    let key = key(name);
    let place = COLUMNS.iter().position(|(_, words)| words.contains(&key.as_str()));
    place.unwrap_or(COLUMNS.len())
}

/// The place of numbers of this use, as [`place`] has for their columns: "Mobile" comes before "Work". `None`: nobody sends messages to them.
pub(crate) fn place_of_use(label: &str) -> Option<usize> {
    if has_word(label, OTHER_NUMBERS) {
        return None;
    }
    let named = [label, &format!("{label} phone"), "phone"].map(place);
    let is_of_numbers = |place: &usize| matches!(COLUMNS.get(*place), Some((Some(Target::Phone), _)));
    named.into_iter().find(is_of_numbers)
}

/// Whether the name of a column has one of these words.
pub(crate) fn has_word(name: &str, words: &[&str]) -> bool {
    key(name).split(' ').any(|word| words.contains(&word))
}

/// Whether the name of a column is one of consent, by any channel.
pub(crate) fn is_of_consent(name: &str) -> bool {
    let is_known = matches!(meaning(name), Some(Some(known)) if known.consent().is_some());
    let says = has_word(name, CONSENT) || refuses(name);
    is_known || says && !has_word(name, ABOUT_CONSENT)
}

/// Whether a yes in a column of this name refuses messages.
fn refuses(name: &str) -> bool {
    let of_consent = || has_word(name, CONSENT) || has_word(name, &["do"]);
    has_word(name, REFUSAL) || has_word(name, REFUSAL_OF_CONSENT) && of_consent()
}

/// The target of a column of consent by the words of its name. None if they name no channel, or also e-mail: an opt-in to that is none to
/// other messages. Nor if they leave open whether a yes refuses, as "SMS opt in/out" and "SMS consent revoked" do.
pub(crate) fn consent(name: &str) -> Option<Target> {
    let [sms, whatsapp, email] = [OF_SMS, OF_WHATSAPP, OF_EMAIL].map(|words| has_word(name, words));
    let opts_out = refuses(name);
    let open = has_word(name, OPEN) && !has_word(name, &["yes"]) || opts_out && has_word(name, &["in", "optin"]);
    if !is_of_consent(name) || email || open {
        return None;
    }
    match (sms, whatsapp) {
        (true, false) => Some(Target::of_channel(Channel::Sms, opts_out)),
        (false, true) => Some(Target::of_channel(Channel::WhatsApp, opts_out)),
        (true, true) if !opts_out => Some(Target::OptedIn),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_words_have_the_compared_form() {
        let values = YES
            .iter()
            .chain(NO)
            .chain(EMPTY)
            .chain(COUNTRIES.iter().flat_map(|(_, names)| *names))
            .chain(LANGUAGES.iter().flat_map(|(names, _)| *names));
        for word in values {
            assert_eq!(fold(word), *word);
        }
        let mut known = HashSet::new();
        for word in COLUMNS.iter().flat_map(|(_, words)| *words) {
            assert_eq!(key(word), *word);
            assert!(known.insert(word), "{word} is there twice");
        }
        let columns = [
            OTHER_NUMBERS,
            NO_NUMBERS,
            CONSENT,
            REFUSAL,
            REFUSAL_OF_CONSENT,
            OPEN,
            ABOUT_CONSENT,
            OF_SMS,
            OF_WHATSAPP,
            OF_EMAIL,
        ];
        for word in columns.concat() {
            assert_eq!(key(word), word);
        }
        for word in [AGREED, NOT_AGREED, UNSUBSCRIBED, UNDECIDED].concat() {
            assert_eq!(comparable_name(word), word);
        }
        assert!(YES.iter().all(|word| !NO.contains(word)));
    }

    #[test]
    fn names_of_columns_are_known_in_many_spellings() {
        const PHONES: &str =
            "Phone|PHONE_NUMBER| Mobile No. |Phone 2|Phone 1 - Value|الهاتف|رقم الجوّال:|Téléphone|Teléfono móvil";
        for (names, expected) in [
            (PHONES, Some(Target::Phone)),
            ("E-Mail|E-mail 2 Address|البريد الإلكتروني", Some(Target::Email)),
            ("Vorname|Prénom|PRENOM", Some(Target::FirstName)),
            ("اسم العائلة|إسم العائله", Some(Target::LastName)),
            ("اللغة", Some(Target::Language)),
            ("Opt-in date", Some(Target::OptedInAt)),
            ("Postal_Code", None),
        ] {
            for name in names.split('|') {
                assert_eq!(meaning(name), Some(&expected), "{name}");
            }
        }
        assert_eq!(meaning("Loyalty level"), None);
    }

    #[test]
    fn columns_of_consent_are_known_by_their_channel() {
        for (names, expected) in [
            (
                "SMS Marketing Consent|Accepts SMS Marketing|SMS opt-in|Opted in by SMS|SMS Subscription Status|Text Message Opt In|Allow SMS",
                Some(Target::OptedInSms),
            ),
            (
                "WhatsApp Opted In|WhatsApp Marketing Consent|Opted in on WhatsApp|الموافقة على واتساب",
                Some(Target::OptedInWhatsApp),
            ),
            (
                "SMS Opt Out|SMS_BLACKLISTED|Unsubscribed from SMS|Do not text|SMS OptOut",
                Some(Target::OptedOutSms),
            ),
            ("WhatsApp opt-out|WHATSAPP_BLOCKLISTED", Some(Target::OptedOutWhatsApp)),
            ("SMS & WhatsApp consent", Some(Target::OptedIn)),
            (
                "Email Marketing Consent|Accepts Email Marketing|Email Opt Out|Email Subscription Status|EMAIL_BLACKLISTED|\
                 Unsubscribed from all email|E-mail and SMS consent|Newsletter|Accepts Marketing",
                None,
            ),
            (
                "SMS|WhatsApp|SMS opt in/out|SMS consent date|SMS Opt-In Source|SMS unsubscribe reason|Marketing|\
                 إلغاء الاشتراك في واتساب|عدم الموافقة على واتساب|SMS consent revoked|No SMS marketing|Don't allow SMS|WhatsApp Broadcast Sent|\
                 SMS Marketing Count|Keine SMS Einwilligung|Not on WhatsApp|SMS not delivered|SMS Sent Out",
                None,
            ),
        ] {
            for name in names.split('|') {
                assert_eq!(consent(name), expected, "{name}");
            }
        }
        assert_eq!(meaning("AllowBroadcast"), Some(&Some(Target::OptedInWhatsApp)));
        assert_eq!(meaning(""), None);
    }

    #[test]
    fn numbers_are_preferred_by_their_use() {
        let places = ["* Mobile", "", "Home", "Work", "Other"].map(|label| place_of_use(label).unwrap());
        assert!(places.is_sorted_by(|one, other| one < other), "{places:?}");
        for (label, same) in [
            ("جوال", "Mobile"),
            ("WhatsApp", "Mobile"),
            ("Shop floor", ""),
            ("Main", ""),
        ] {
            assert_eq!(place_of_use(label), place_of_use(same), "{label}");
        }
        for never in ["Work Fax", "Pager", "فاكس"] {
            assert_eq!(place_of_use(never), None, "{never}");
        }
    }
}
