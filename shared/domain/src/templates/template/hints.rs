//! Hints at what the provider may judge otherwise than a template's author means: words of offers and of one-time codes.

use crate::templates::{Press, TemplateCategory, TemplateContent};
use crate::terms::{Reason, Refusal, Warning};

/// Words of offers, in the languages of our library. Meta may count a template with one as marketing.
const OFFERS: [&str; 22] = [
    "% off",
    "black friday",
    "buy now",
    "cashback",
    "coupon",
    "deal",
    "discount",
    "exclusive",
    "free gift",
    "limited time",
    "offer",
    "promo",
    "sale",
    "save up",
    "shop now",
    "voucher",
    "اشتر الآن",
    "تخفيض",
    "خصم",
    "عرض خاص",
    "عروض",
    "قسيمة",
];

/// Words of one-time codes, in the languages of our library. Meta has a category of its own for them.
const CODES: [&str; 12] = [
    "2fa",
    "authentication code",
    "login code",
    "one time password",
    "one-time code",
    "one-time password",
    "otp",
    "security code",
    "verification code",
    "رمز التحقق",
    "رمز لمرة واحدة",
    "كلمة مرور لمرة واحدة",
];

/// Hints: words that make marketing of a utility template, and codes that are not of the category authentication.
pub(super) fn hints(content: &TemplateContent) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |field: &str, why: Refusal| {
        let field = field.to_owned();
        found.push(Warning { field, why });
    };
    let header = content.header.as_ref().and_then(|header| header.text.as_ref());
    let texts = [
        ("header.text", header.map(|text| text.as_str())),
        ("body", Some(content.body_text())),
        ("footer", content.footer.as_ref().map(|footer| footer.as_str())),
    ];
    if content.category != TemplateCategory::Authentication {
        for (field, text) in texts {
            let Some(word) = text.and_then(|text| first(&CODES, text)) else {
                continue;
            };
            let sentence = format!(
                "The words {word:?} are those of a one-time code: WhatsApp may refuse the template outside the category authentication."
            );
            warn(field, Refusal::new(Reason::LooksLikeCode, sentence).and("word", word));
        }
    }
    if content.category == TemplateCategory::Utility {
        for (field, text) in texts {
            let Some(word) = text.and_then(|text| first(&OFFERS, text)) else {
                continue;
            };
            let sentence =
                format!("The words {word:?} are those of an offer: WhatsApp may count the template as marketing.");
            let why = Refusal::new(Reason::LooksLikeMarketing, sentence).and("word", word);
            warn(field, why);
        }
        if content.buttons.iter().any(|button| button.kind == Press::OfferCode) {
            let sentence = "The code of an offer is marketing: WhatsApp may change the category.";
            let why = Refusal::new(Reason::LooksLikeMarketing, sentence).and("word", "offer_code");
            warn("buttons", why);
        }
    }
    if content.category == TemplateCategory::Marketing {
        let sentence = "WhatsApp delivers no marketing to numbers of the United States.";
        let why = Refusal::new(Reason::NoMarketing, sentence).and("country", "US");
        warn("category", why);
    }
    found
}

/// The first of these words in a text: whole words, whatever their case.
fn first(known: &[&'static str], text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    known.iter().copied().find(|words| {
        text.match_indices(words).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + words.len()..].chars().next();
            let apart = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphabetic());
            (apart(before) || words.starts_with('%')) && apart(after)
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn find_hints(content: Value) -> Vec<Warning> {
        hints(&from_value(content).unwrap())
    }

    #[test]
    fn offers_are_hinted_at_in_whole_words() {
        let warned = |category: &str, body: &str| {
            let found = find_hints(json!({"category": category, "body": body}));
            found.into_iter().map(|warning| warning.why.reason).collect::<Vec<_>>()
        };
        assert_eq!(warned("utility", "Enjoy 20% off today!"), [Reason::LooksLikeMarketing]);
        assert_eq!(warned("utility", "لدينا خصم لك اليوم"), [Reason::LooksLikeMarketing]);
        assert_eq!(warned("utility", "Your wholesaler called"), []);
        assert_eq!(warned("marketing", "Enjoy 20% off today!"), [Reason::NoMarketing]);
    }

    #[test]
    fn codes_outside_their_category_are_hinted_at() {
        let warned = |content: Value| {
            let found = find_hints(content).into_iter();
            let codes = found.filter(|hint| hint.why.reason == Reason::LooksLikeCode);
            codes.map(|hint| hint.field).collect::<Vec<_>>()
        };
        for (text, expected) in [
            ("Your verification code is {{1}} today.", true),
            ("Use the OTP {{1}} to go on.", true),
            ("رمز التحقق الخاص بك هو {{1}} اليوم.", true),
            ("Your order code is {{1}} today.", false),
            ("The potpourri is ready for you.", false),
        ] {
            for category in ["utility", "marketing"] {
                let found = warned(json!({"category": category, "body": text}));
                assert_eq!(found == ["body"], expected, "{category} {text}: {found:?}");
                assert_eq!(found.is_empty(), !expected);
            }
        }
        let header = json!({"category": "utility", "header": {"text": "Security code"}, "body": "Hello."});
        assert_eq!(warned(header), ["header.text"]);
        let own = json!({"category": "authentication", "code": {"button": "Copy the one-time code"}});
        assert!(warned(own).is_empty());
    }
}
