//! The templates that somebody can send in a conversation when its service window is closed.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::inbox::{ReplyRequest, Said};
use crate::messages::{Asked, Composed, Intent, Subject, Values, World, carrier, compose_message};
use crate::people::Contact;
use crate::templates::{TemplateDefinition, braces, fill_variables, library_sources};
use crate::tenants::TenantConfig;
use crate::terms::{
    ButtonValue, Category, Channel, ConnectionId, ConversationId, FaultCode, Refusal, Source, TemplateUse, Value,
    primary_language,
};

/// Maximum templates that are offered.
pub const MAX_OFFERED: usize = 10;

/// A template that can be sent in place of free text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "OfferedTemplate")
)]
pub struct Offer {
    /// The template with its values, as a reply names it.
    #[cfg_attr(feature = "schema", schemars(schema_with = "as_in_requests"))]
    pub template: TemplateUse,
    /// Its body for this person. Variables without a value are shown as they are written.
    #[cfg_attr(feature = "schema", schemars(example = &"Hello Maya, sorry we missed your call."))]
    pub text: String,
    /// Values that are still to be given, as fields of `template`. Empty: it can be sent as it is.
    #[cfg_attr(feature = "schema", schemars(example = ["variables.3"]))]
    pub missing: Vec<String>,
}

/// The schema of requests, which may leave out fields with a default.
#[cfg(feature = "schema")]
fn as_in_requests(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"$ref": "#/components/schemas/TemplateUse"})
}

/// The templates that somebody can send in a conversation in place of free text.
#[derive(Clone, Copy)]
pub struct Offers<'a> {
    pub conversation: ConversationId,
    /// The request for free text.
    pub asked: &'a Asked,
    /// The recipient. Its material are the templates of [`Offers::sender`].
    pub world: &'a World<'a>,
}

impl Offers<'_> {
    /// The connection that would send a template.
    pub fn sender(
        conversation: ConversationId,
        asked: &Asked,
        contact: &Contact,
        config: &TenantConfig,
    ) -> Option<ConnectionId> {
        let said = ReplyRequest::default().in_conversation(conversation);
        let (connection, _) = carrier(config, &intent(&said, asked, contact, config), Channel::WhatsApp)?;
        Some(connection.id)
    }

    /// Whether this content would be sent now: as a reply, or, to somebody who never wrote, as the start of a conversation.
    pub fn verdict(&self, content: &ReplyRequest) -> Result<(), Refusal> {
        let World { config, contact, .. } = *self.world;
        let said = content.in_conversation(self.conversation);
        let composed = compose_message(&intent(&said, self.asked, contact, config), self.world);
        let sent = composed.and_then(|Composed { legs, to, policy, .. }| {
            let mut refused = legs
                .iter()
                .filter_map(|leg| config.sms_refused(leg, &to, policy.category()));
            refused.next().map_or(Ok(()), Err)
        });
        sent.map_err(|refusal| said.refusal_for_author(refusal, contact, config))
    }

    /// The templates that can be sent, each in the contact's language if it has it, the ones that miss no value first.
    /// Values come from the tenant's rules for the same template, and from the names of the contact and the tenant
    /// where the library has them. Templates that show a file are left out.
    pub fn sendable_offers(&self) -> Vec<Offer> {
        let World {
            config,
            contact,
            material,
            ..
        } = *self.world;
        let mut spoken: Vec<String> = contact
            .language
            .iter()
            .chain(&config.tenant.languages)
            .map(|tag| primary_language(tag))
            .collect();
        spoken.dedup();
        let rank = |template: &TemplateDefinition| {
            let place = spoken
                .iter()
                .position(|language| *language == primary_language(&template.language));
            place.unwrap_or(spoken.len())
        };
        let templates = material.templates.iter();
        let mut fitting: Vec<_> = templates
            .filter(|template| template.category == Category::Utility && template.header_media.is_none())
            .map(|template| (&template.name, rank(template), template))
            .collect();
        fitting.sort_by_key(|(name, rank, _)| (*name, *rank));
        let mut offers: Vec<(bool, usize, Offer)> = Vec::new();
        for (name, rank, template) in fitting {
            if !offers.iter().any(|(.., known)| known.template.name.as_str() == name)
                && let Some(offer) = self.offer(template)
            {
                offers.push((!offer.missing.is_empty(), rank, offer));
            }
        }
        offers.sort_by_key(|(incomplete, rank, _)| (*incomplete, *rank));
        offers.into_iter().map(|(.., offer)| offer).take(MAX_OFFERED).collect()
    }

    /// The template with the values that are known of this person.
    fn offer(&self, template: &TemplateDefinition) -> Option<Offer> {
        let World {
            config,
            material,
            contact,
            profile,
            ..
        } = *self.world;
        let values = Values {
            config,
            material,
            contact,
            profile,
            subject: Subject::Request,
        };
        let known = |value: &Value| is_general(value) && values.value(value).is_ok();
        let by_rules = config.rules.iter().filter_map(|rule| rule.then.template.as_ref());
        let by_rule = by_rules
            .into_iter()
            .find(|by_rule| by_rule.name.as_str() == template.name);
        let given = by_rule.into_iter().flat_map(|by_rule| by_rule.variables.iter());
        let mut variables: BTreeMap<String, Value> = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        for (name, source) in library_sources(template) {
            variables.entry(name).or_insert(Value::From { source, default: None });
        }
        variables.retain(|_, value| known(value));
        let buttons = by_rule.into_iter().flat_map(|by_rule| by_rule.buttons.iter());
        let buttons: Vec<ButtonValue> = buttons.filter(|button| known(&button.value)).cloned().collect();
        let wanted = TemplateUse {
            name: template.name.parse().ok()?,
            language: template.language.parse().ok()?,
            by_contact_language: false,
            variables: variables.into(),
            header: by_rule.and_then(|by_rule| by_rule.header.clone()).filter(known),
            header_media: None,
            buttons: buttons.into(),
        };
        let problems = template.problems_of(&wanted);
        if problems.iter().any(|problem| problem.code != FaultCode::Required) {
            return None;
        }
        let text = fill_variables(&template.body, |name| {
            let value = wanted.variables.get(name).and_then(|value| values.value(value).ok());
            Some(value.unwrap_or_else(|| braces(name)))
        });
        let missing = problems.into_iter().map(|problem| problem.field).collect();
        self.can_be_sent(template, wanted.clone()).then_some(Offer {
            template: wanted,
            text,
            missing,
        })
    }

    /// Whether this template would be sent, once it has all values.
    fn can_be_sent(&self, template: &TemplateDefinition, mut wanted: TemplateUse) -> bool {
        let some = || Value::Text("1".to_owned());
        let Ok(names) = template.body_variables() else {
            return false;
        };
        let mut variables = wanted.variables.into_map();
        for name in names {
            variables.entry(name).or_insert_with(some);
        }
        wanted.variables = variables.into();
        let header = template.header.as_deref().is_some_and(|header| header.contains("{{"));
        wanted.header = wanted.header.or_else(|| header.then(some));
        let mut buttons: Vec<ButtonValue> = wanted.buttons.iter().cloned().collect();
        for (index, button) in (0_u8..).zip(&template.buttons) {
            if button.needs_value() && !buttons.iter().any(|given| given.index == index) {
                buttons.push(ButtonValue { index, value: some() });
            }
        }
        wanted.buttons = buttons.into();
        self.verdict(&ReplyRequest {
            template: Some(wanted),
            ..ReplyRequest::default()
        })
        .is_ok()
    }
}

/// Whether somebody of the team writes first, since the customer never has: such a message starts the conversation.
pub const fn team_writes_first(contact: &Contact) -> bool {
    contact.last_inbound_at.is_none()
}

fn intent<'a>(said: &'a Said, asked: &'a Asked, contact: &Contact, config: &TenantConfig) -> Intent<'a> {
    if team_writes_first(contact) {
        said.request().intent(asked, contact, config)
    } else {
        said.intent(asked, None, contact, config)
    }
}

/// Whether a value is a fixed one, or a name, a number or a variable that is known without further reading.
const fn is_general(value: &Value) -> bool {
    match value {
        Value::Text(_) => true,
        Value::From { source, .. } => matches!(
            source,
            Source::ContactName | Source::ContactFirstName | Source::ContactPhone | Source::Tenant(_)
        ),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value as Json, from_value, json};
    use ulid::Ulid;

    use super::*;
    use crate::samples::{Case, NOON, at};
    use crate::terms::ShownName;

    /// Offers to a customer who wrote more than a day ago: the text, with what is missing.
    fn offers_after_day(change: impl FnOnce(&mut Case)) -> Vec<(String, Vec<String>)> {
        let mut case = Case::new();
        case.contact.last_inbound_at = Some(at(NOON) - SignedDuration::from_hours(30));
        change(&mut case);
        let asked = Asked {
            by: "usr_00000000000000000000000001".parse().unwrap(),
            request: Ulid::from_parts(1, 4),
            contact: case.contact.id,
            to: case.contact.recipient(),
            refers: None,
            now: case.now,
        };
        case.with_world(|_, world| {
            let offers = Offers {
                conversation: ConversationId::of(case.contact.id, None),
                asked: &asked,
                world,
            };
            let made = offers.sendable_offers().into_iter();
            made.map(|offer| (offer.text, offer.missing)).collect()
        })
    }

    fn template(fields: &Json) -> TemplateDefinition {
        let mut whole = json!({"language": "en", "category": "utility", "status": "APPROVED", "body": "Hello"});
        whole
            .as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        from_value(whole).unwrap()
    }

    #[test]
    fn templates_that_can_be_sent_are_offered_complete_ones_first() {
        let rest = json!({"name": "z_order", "body": "Hello {{1}}, order {{2}} left.", "header": "Order {{1}}",
            "buttons": [{"kind": "url", "text": "See", "url": "https://a.example/{{1}}"}]});
        let others = [
            rest,
            json!({"name": "open", "body": "We are open again."}),
            json!({"name": "offer", "category": "marketing"}),
            json!({"name": "rejected", "status": "REJECTED"}),
            json!({"name": "invoice", "header_media": "document"}),
            json!({"name": "elsewhere", "connection": "conn_00000000000000000000000009"}),
        ];
        let made = offers_after_day(|case| case.material.templates.extend(others.iter().map(template)));
        let missing = ["variables.1", "variables.2", "header", "buttons"]
            .map(str::to_owned)
            .to_vec();
        let of_rule = "Hello there, sorry we missed your call to Marina Dental today. How can we help?";
        let expected = [
            (of_rule.to_owned(), Vec::new()),
            ("We are open again.".to_owned(), Vec::new()),
            ("Hello {{1}}, order {{2}} left.".to_owned(), missing),
        ];
        assert_eq!(made, expected);
    }

    #[test]
    fn templates_are_in_the_contacts_language() {
        let made = offers_after_day(|case| case.contact.language = Some("ar-AE".to_owned()));
        let [(text, _)] = &made[..] else { panic!("{made:?}") };
        assert!(text.starts_with("مرحبا there، نعتذر"), "{text}");
    }

    #[test]
    fn names_fill_in_templates_of_the_library() {
        let of_library = json!({"name": "order_ready", "body":
            "Hello {{1}}, your order {{2}} is ready. You can collect it at {{3}} during our opening hours."});
        let with = |name: Option<&str>| {
            let made = offers_after_day(|case| {
                case.material.templates = vec![template(&of_library)];
                case.profile.name = name.and_then(ShownName::of);
            });
            made.into_iter().next().unwrap()
        };
        let (text, missing) = with(Some("Maya Haddad"));
        assert!(text.starts_with("Hello Maya, your order {{2}}"), "{text}");
        assert_eq!(missing, ["variables.2", "variables.3"]);
        assert_eq!(with(None).1, ["variables.1", "variables.2", "variables.3"]);
    }

    #[test]
    fn nothing_is_offered_that_is_refused() {
        assert!(!offers_after_day(|_| {}).is_empty());
        // With a customer who has only called, a template starts the conversation.
        assert!(!offers_after_day(|case| case.contact.last_inbound_at = None).is_empty());
        let stop = crate::messages::OptFlag::Stop;
        let stopped = offers_after_day(|case| {
            case.contact.wish(stop, "wrote STOP", case.now);
        });
        assert!(stopped.is_empty());
    }
}
