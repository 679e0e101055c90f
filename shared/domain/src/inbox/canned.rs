//! Canned replies: texts that a team writes once, and sends to many customers who ask the same.

use crate::messages::About;
use crate::terms::{CannedReplyId, Fault, FaultCode, FieldProblem, Findings, OneLine, SmsText};

resource! {
    /// A canned reply of a tenant.
    pub struct CannedReply of CannedReplyId;

    /// The fields of a canned reply.
    pub struct CannedReplyIn {
        /// Name, unique among the tenant's canned replies, whatever its case.
        #[cfg_attr(feature = "schema", schemars(example = &"Parking", extend("x-unique" = true)))]
        pub name: OneLine<1, 60>,
        /// A single text, or one for each language. `{{contact.first_name|there}}` stands for a value with its default.
        /// There are no values of calls.
        #[cfg_attr(feature = "schema", schemars(
            example = "Hello {{contact.first_name|there}}, you can park behind {{tenant.name}}."
        ))]
        pub text: SmsText,
    }
}

impl CannedReply {
    /// Maximum canned replies per tenant.
    pub const MAX: u32 = 200;

    /// Problems of its texts by field, whoever gets it. Empty: none.
    pub fn problems(&self) -> Vec<FieldProblem> {
        let mut found = Findings::default();
        let texts = self.text.texts();
        let fault = Fault::new(FaultCode::Required, "Write a text in at least one language.");
        found.expect(!texts.is_empty(), "text", fault);
        for (language, words) in texts {
            let field = language.map_or_else(|| "text".to_owned(), |language| format!("text.{language}"));
            let named = found.text(&field, language, words);
            if let Some(fault) = named.iter().find_map(|source| About::Nothing.lacks(source)) {
                found.add(field, fault);
            }
        }
        found.0
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    #[test]
    fn wrong_texts_of_canned_replies_are_named() {
        let problems = |text: Value| -> Vec<String> {
            let id = "can_00000000000000000000000001";
            let reply: CannedReply = from_value(json!({"id": id, "name": "Parking", "text": text})).unwrap();
            reply.problems().into_iter().map(|problem| problem.field).collect()
        };
        let none: [&str; 0] = [];
        assert_eq!(problems(json!("Hello {{contact.first_name|there}}")), none);
        assert_eq!(problems(json!({"en": "{{tenant.name}}", "ar": "مرحبا"})), none);
        assert_eq!(problems(json!({})), ["text"]);
        assert_eq!(problems(json!("{{contact.nme}}")), ["text"]);
        assert_eq!(problems(json!("{{contact.name")), ["text"]);
        assert_eq!(problems(json!({"en": "Hello", "ar": "{{call.time}}"})), ["text.ar"]);
        assert_eq!(problems(json!({"english": "Hello"})), ["text.english"]);
    }
}
