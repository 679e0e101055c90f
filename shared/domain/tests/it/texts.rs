//! Ids and telephone numbers survive as text; no other text is accepted as one.

use domain::people::wish_in_text;
use domain::terms::{CallId, ContactId, MessageId, Phone, SendKey, Source, TenantId, placeholders};
use proptest::prelude::*;
use ulid::Ulid;

proptest! {
    #[test]
    fn ids_survive_as_text(contact in any::<u128>(), own in any::<u128>(), attempt in 1_u32..) {
        let contact = ContactId::new(Ulid(contact));
        let message = MessageId::new(contact, Ulid(own));
        let key = SendKey { message, attempt };
        prop_assert_eq!(contact.to_string().parse::<ContactId>(), Ok(contact));
        prop_assert_eq!(message.to_string().parse::<MessageId>(), Ok(message));
        prop_assert_eq!(key.to_string().parse::<SendKey>(), Ok(key));
        prop_assert!(message.to_string().parse::<CallId>().is_err());
        prop_assert!(contact.to_string().parse::<TenantId>().is_err());
        // Keys that travel to Meta may have 512 characters.
        prop_assert!(key.to_string().len() < 100);
        let json = serde_json::to_string(&key).unwrap();
        prop_assert_eq!(serde_json::from_str::<SendKey>(&json).unwrap(), key);
    }

    #[test]
    fn any_text_parses_to_at_most_one_id_spelling(text in "\\PC{0,40}") {
        if let Ok(id) = text.parse::<ContactId>() {
            prop_assert_eq!(id.to_string(), text.clone());
        }
        if let Ok(key) = text.parse::<SendKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn phones_survive_as_text(digits in "[1-9][0-9]{6,14}") {
        let phone = Phone::from_digits(&digits).unwrap();
        prop_assert_eq!(phone.to_string().parse::<Phone>(), Ok(phone.clone()));
        prop_assert_eq!(phone.digits(), &digits);
        let json = serde_json::to_string(&phone).unwrap();
        prop_assert_eq!(serde_json::from_str::<Phone>(&json).unwrap(), phone);
    }

    #[test]
    fn any_text_is_a_phone_exactly_by_its_form(text in "\\PC{0,20}|\\+[0-9 ]{0,18}") {
        if let Ok(phone) = text.parse::<Phone>() {
            prop_assert_eq!(phone.as_str(), &text);
            prop_assert!((8..=16).contains(&text.len()));
        }
    }

    #[test]
    fn no_text_of_a_customer_or_tenant_breaks_a_parser(text in "\\PC{0,60}|[{}| a-z.]{0,40}") {
        let _ = text.parse::<Source>();
        let _ = placeholders(&text);
        let tenant = serde_json::from_str(&crate::rules::tenant("Asia/Dubai", "active")).unwrap();
        let _ = wish_in_text(&text, &tenant);
    }
}
