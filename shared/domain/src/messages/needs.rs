//! Data to read or make before a message can be composed: the templates, products and fields of contacts that it names, other messages to
//! the same person, links.

use std::collections::BTreeSet;

use crate::messages::{
    Content, Draft, Intent, Material, NewLinks, PlanCheck, Targets, Tracked, Words, World, add_target, carrier,
    review_intent, text_in_language,
};
use crate::people::LinkCode;
use crate::terms::{
    CampaignId, CancelEvent, ConnectionId, FileId, MessageId, Piece, Policy, Purpose, Reason, SmsText, Source, Target,
    TemplateUse, Value, placeholders,
};

/// The rows that composing a message reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    pub templates: Vec<TemplateNeed>,
    /// Products, by id or SKU.
    pub products: BTreeSet<String>,
    /// Whether it names a field of contacts. A tenant has few fields, and they are read together.
    pub fields: bool,
    /// Assets, and attachments of a reply.
    pub assets: BTreeSet<FileId>,
    /// Campaigns that a rule names.
    pub campaigns: BTreeSet<CampaignId>,
    /// Open messages to the recipient: those that the frequency limit counts, if the message obeys it, and all if their list is full. For a
    /// reply: the automatic answers that it makes unnecessary, and the reply before it.
    pub open: Vec<MessageId>,
    /// Whether it carries a link to the recipient's preference page.
    pub preferences: bool,
    /// Targets of its tracked links, in the order of the links in its text.
    pub targets: Vec<Target>,
}

/// A template that a message needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateNeed {
    /// The connection that sends it.
    pub connection: ConnectionId,
    pub name: String,
    /// The only language that the message may use. `None`: it depends on the existing ones.
    pub language: Option<String>,
}

/// Maximum products that a text or a template can name. Values of further ones are unknown.
pub const MAX_PRODUCTS: usize = 20;

impl Needs {
    /// The rows that composing reads. If it refuses the message regardless of templates, values and links: only the open messages, as one
    /// of them may be the reason, and nothing if they are not asked.
    pub fn of(intent: &Intent<'_>, world: &World<'_>) -> Self {
        let dry = World {
            material: Material::NONE,
            ..*world
        };
        let Ok(review) = review_intent(intent, &dry) else {
            return Self::default();
        };
        let before = review.checks.iter();
        let mut before = before.take_while(|(aspect, _)| !matches!(aspect, PlanCheck::Frequency | PlanCheck::Room));
        if before.any(|(_, verdict)| verdict.is_err()) {
            return Self::default();
        }
        let whole = Self::of_any_intent(intent, world);
        match review.outcome().map_err(|refusal| refusal.reason) {
            Ok(_) | Err(Reason::Template | Reason::Content | Reason::NoChannel) => whole,
            Err(_) => Self {
                open: whole.open,
                ..Self::default()
            },
        }
    }

    /// The needs of an intent even if it is refused regardless of them, to show the message that it would have been.
    pub fn of_any_intent(intent: &Intent<'_>, world: &World<'_>) -> Self {
        let mut needs = Self::default();
        if let Ok(policy) = Policy::for_purpose(intent.purpose, intent.category, &intent.narrowing) {
            needs.open = if intent.purpose.waits_in_the_contact() {
                world.contact.to_compare(&policy)
            } else {
                let answers = world.contact.open_to(CancelEvent::HumanReply);
                answers.into_iter().chain(intent.after).collect()
            };
        }
        let language = world.contact.language.as_deref();
        for says in &intent.says {
            match says.words {
                Words::Template(wanted) => {
                    if let Some((connection, _)) = carrier(world.config, intent, says.channel) {
                        needs.template(wanted, connection.id, language.is_none());
                    }
                }
                Words::Text(texts) | Words::Free(texts) => {
                    needs.text(text_in_language(texts, world.config, world.contact).unwrap_or_default());
                }
                Words::Ready(Content::Template(filled)) => {
                    if let Some((connection, _)) = carrier(world.config, intent, says.channel) {
                        needs.template_in(&filled.name, connection.id, Some(&filled.language));
                        needs
                            .assets
                            .extend(filled.header_media.iter().map(|used| used.asset_id));
                    }
                }
                Words::Draft(draft) => needs.draft(draft, world),
                Words::Ready(content) => needs.assets.extend(content.asset().map(|asset| asset.asset_id)),
                Words::None(_) => {}
            }
        }
        needs.assets.retain(|file| match file {
            FileId::Asset(_) => true,
            // Others, also those of other people, are as if they did not exist.
            FileId::Attachment(id) => intent.purpose == Purpose::Reply && world.contact.is(id.contact()),
        });
        needs
    }

    /// Whether it carries links, which are made for it alone.
    pub const fn links(&self) -> bool {
        self.preferences || !self.targets.is_empty()
    }

    /// The links that it carries, of random bytes.
    pub fn new_links(&self, base: Option<&str>, random: [u8; 32]) -> NewLinks {
        // Other bytes, and other ones even if all are alike, as in links that only show what a message looks like.
        let mut others = random.map(|byte| !byte);
        others.rotate_left(16);
        NewLinks {
            base: base.map(str::to_owned),
            preferences: self.preferences.then(|| LinkCode::of(random)),
            tracked: (!self.targets.is_empty()).then(|| Tracked {
                code: LinkCode::of(others),
                targets: Targets::Named(self.targets.clone()),
            }),
        }
    }

    /// Adds the needs of another message, except those of its recipient alone: open messages and the links.
    pub fn share(&mut self, other: &Self) {
        for need in &other.templates {
            if !self.templates.contains(need) {
                self.templates.push(need.clone());
            }
        }
        self.products.extend(other.products.iter().cloned());
        self.assets.extend(&other.assets);
        self.fields |= other.fields;
    }

    /// Adds a template. `language_unknown`: only the default language is possible.
    pub fn template(&mut self, wanted: &TemplateUse, connection: ConnectionId, language_unknown: bool) {
        let only = !wanted.by_contact_language || language_unknown;
        self.template_in(wanted.name.as_str(), connection, only.then(|| wanted.language.as_str()));
        self.assets.extend(wanted.header_media.map(FileId::from));
        let values = wanted.variables.values().chain(&wanted.header);
        let values = values.chain(wanted.buttons.iter().map(|button| &button.value));
        self.sources(values.filter_map(|value| match value {
            Value::From { source, .. } => Some(source),
            Value::Text(_) => None,
        }));
    }

    /// Adds a template without its values.
    fn template_in(&mut self, name: &str, connection: ConnectionId, language: Option<&str>) {
        let need = TemplateNeed {
            connection,
            name: name.to_owned(),
            language: language.map(str::to_owned),
        };
        if !self.templates.contains(&need) {
            self.templates.push(need);
        }
    }

    /// Adds the products, fields and links of all texts.
    pub fn texts(&mut self, texts: &SmsText) {
        match texts {
            SmsText::One(text) => self.text(text),
            SmsText::ByLanguage(texts) => texts.values().for_each(|text| self.text(text)),
        }
    }

    /// Adds the asset of other content, and the products and links of all its texts together.
    fn draft(&mut self, draft: Draft<'_>, world: &World<'_>) {
        self.assets.extend(draft.asset());
        let texts = draft.texts().into_iter();
        let texts = texts.filter_map(|texts| text_in_language(texts, world.config, world.contact));
        let pieces: Vec<_> = texts.flat_map(|text| placeholders(text).unwrap_or_default()).collect();
        self.pieces(&pieces);
    }

    fn text(&mut self, text: &str) {
        self.pieces(&placeholders(text).unwrap_or_default());
    }

    fn pieces(&mut self, pieces: &[Piece<'_>]) {
        self.sources(pieces.iter().filter_map(|piece| match piece {
            Piece::Value { source, .. } => Some(source),
            Piece::Text(_) => None,
        }));
    }

    /// Adds the products, fields and links of one text or template.
    fn sources<'a>(&mut self, sources: impl Iterator<Item = &'a Source>) {
        let mut named = BTreeSet::new();
        for source in sources {
            match source {
                Source::Product { id, .. } if named.len() < MAX_PRODUCTS => {
                    named.insert(id.clone());
                }
                Source::ContactField(_) => self.fields = true,
                Source::PreferencesLink | Source::PreferencesCode => self.preferences = true,
                Source::Link(target) if target.is_plain() => {}
                Source::Link(target) | Source::LinkCode(target) => {
                    add_target(&mut self.targets, target);
                }
                _ => {}
            }
        }
        self.products.extend(named);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use ulid::Ulid;

    use super::*;
    use crate::automations::Findings;
    use crate::messages::{Cause, MediaUse, OptFlag, Says};
    use crate::samples::{Case, at, message_of};
    use crate::terms::{AttachmentId, Category, Channel, ContactId, Narrowing, Whole};

    fn needs(change: impl FnOnce(&mut Case)) -> Needs {
        let mut case = Case::new();
        change(&mut case);
        case.needs()
    }

    /// The needs of a message with this text.
    fn needs_of_text(text: &str) -> Needs {
        needs(|case| case.config.rules[0].then.sms_text = Some(SmsText::One(text.to_owned())))
    }

    fn languages(needs: &Needs) -> Vec<Option<&str>> {
        needs.templates.iter().map(|need| need.language.as_deref()).collect()
    }

    /// Attachments of other people are as if they did not exist, and so are all attachments for messages that are no replies.
    #[test]
    fn attachments_are_read_for_replies_to_their_contact() {
        let case = Case::new();
        let of = |contact| AttachmentId::new(contact, Ulid::from_parts(1, 1));
        let (own, other) = (of(case.contact.id), of(ContactId::new(Ulid::from_parts(9, 9))));
        for (file, purpose, read) in [
            (own, Purpose::Reply, true),
            (own, Purpose::Api, false),
            (other, Purpose::Reply, false),
        ] {
            let media: MediaUse = serde_json::from_value(serde_json::json!({"asset_id": file})).unwrap();
            let needs = case.with_world(|call, world| {
                let (cause, category) = (Cause::Call(call.id), Category::Service);
                let to = world.contact.recipient();
                let mut intent = Intent::new(cause, purpose, category, to, "a test", world.now);
                intent.says.push(Says {
                    channel: Channel::WhatsApp,
                    words: Words::Draft(Draft::Media(&media)),
                });
                Needs::of_any_intent(&intent, world)
            });
            assert_eq!(needs.assets.contains(&FileId::from(file)), read, "{file} {purpose:?}");
        }
    }

    #[test]
    fn only_one_language_is_read_if_the_contacts_is_unknown() {
        assert_eq!(languages(&needs(|_| ())), [Some("en_GB")]);
        assert_eq!(
            languages(&needs(|case| case.contact.language = Some("ar".to_owned()))),
            [None]
        );
    }

    #[test]
    fn template_of_the_lines_connection_is_needed() {
        let branch = "conn_00000000000000000000000010".parse().unwrap();
        let mut usual = None;
        let needs = needs(|case| {
            let carries = |one: &&crate::tenants::ConnectionSummary| one.carries.contains(&Channel::WhatsApp);
            let mut own = case.config.connections.iter().find(carries).unwrap().clone();
            usual = Some(own.id);
            own.id = branch;
            case.config.connections.push(own);
            let line = serde_json::json!({
                "id": "line_00000000000000000000000001", "name": "Branch", "number": "+97143330000", "whatsapp": branch,
            });
            case.config.lines = vec![serde_json::from_value(line).unwrap()];
        });
        let connections: Vec<_> = needs.templates.iter().map(|need| need.connection).collect();
        assert_ne!(usual, Some(branch));
        assert_eq!(connections, [branch]);
    }

    #[test]
    fn products_of_texts_and_templates_are_needed() {
        let needs = needs(|case| {
            let then = &mut case.config.rules[0].then;
            then.sms_text = Some(SmsText::One("{{product.haircut.price}}".to_owned()));
            let template = then.template.as_mut().unwrap();
            let source = "product.prd_00000000000000000000000002.name".parse().unwrap();
            let default = None;
            let mut variables = template.variables.clone().into_map();
            variables.insert("1".to_owned(), Value::From { source, default });
            template.variables = variables.into();
        });
        let products: Vec<_> = needs.products.iter().map(String::as_str).collect();
        assert_eq!(products, ["haircut", "prd_00000000000000000000000002"]);
    }

    #[test]
    fn fields_are_read_only_for_a_message_that_names_one() {
        assert!(!needs(|_| ()).fields);
        let in_text = needs_of_text("{{contact.field.level|Silver}}");
        let in_template = needs(|case| {
            let template = case.config.rules[0].then.template.as_mut().unwrap();
            let source = "contact.field.level".parse().unwrap();
            template.header = Some(Value::From { source, default: None });
        });
        assert!(in_text.fields && in_template.fields);
    }

    #[test]
    fn links_are_made_only_for_a_message_that_carries_them() {
        assert!(!needs(|_| ()).links());
        let in_text = needs_of_text("{{preferences.link}}");
        let in_button = needs(|case| {
            let template = case.config.rules[0].then.template.as_mut().unwrap();
            let source = "preferences.code".parse().unwrap();
            let value = Value::From { source, default: None };
            template.buttons = vec![crate::terms::ButtonValue { index: 1, value }].into();
        });
        assert!(in_text.preferences && in_button.preferences);
        let link = "{{link:https://saffron.example/a}} {{link:https://saffron.example/b}}";
        let tracked = needs_of_text(&format!("{link} {link}"));
        let pages: Vec<_> = tracked.targets.iter().map(ToString::to_string).collect();
        assert_eq!(pages, ["https://saffron.example/a", "https://saffron.example/b"]);
        let plain = needs_of_text("{{link:http://saffron.example}} {{link_code:http://saffron.example/code}}");
        let pages: Vec<_> = plain.targets.iter().map(ToString::to_string).collect();
        assert_eq!(pages, ["http://saffron.example/code"]);
        let both = Needs {
            preferences: true,
            ..tracked
        };
        let links = both.new_links(None, [7; 32]);
        let tracked = links.tracked.expect("a code of its own").code;
        assert_ne!(links.preferences, Some(tracked));
    }

    /// The limit is one of each text, so that what many texts need together is complete.
    #[test]
    fn each_text_needs_at_most_20_products() {
        let text = |first: usize, count: usize| -> String {
            let names = (first..first + count).map(|number| format!("{{{{product.p{number}.name}}}}"));
            names.collect()
        };
        let mut needs = Needs::default();
        for first in [0, 100] {
            needs.texts(&SmsText::One(text(first, MAX_PRODUCTS)));
        }
        assert_eq!(needs.products.len(), 2 * MAX_PRODUCTS);
        needs.texts(&SmsText::One(text(200, MAX_PRODUCTS + 1)));
        assert_eq!(needs.products.len(), 3 * MAX_PRODUCTS);
        assert!(!needs.products.contains(&format!("p{}", 200 + MAX_PRODUCTS)));
    }

    /// Real decisions must say the same sentence as dry runs, which read everything, even if a later check refuses the message.
    #[test]
    fn open_message_is_read_where_it_may_be_the_reason() {
        let mut case = Case::new();
        let mut waits = message_of(case.plan(), case.now);
        waits.policy = Policy::for_purpose(Purpose::FollowUp, Category::Marketing, &Narrowing::default()).unwrap();
        case.contact.opens(&waits, vec![]);
        case.contact
            .wish(OptFlag::Start, "wrote START", at("2026-03-03T10:00:00Z"));
        let then = &mut case.config.rules[0].then;
        (then.category, then.cooldown_seconds) = (Category::Marketing, Whole::nearest(0));
        let both = |case: &Case| {
            let needs = case.needs();
            let whole = case.with_world(|call, world| Findings::of(call, world).needs_to_consider(world));
            assert_eq!((&needs.open, &whole.open), (&vec![waits.id], &vec![waits.id]));
            assert!(needs.templates.is_empty() && !whole.templates.is_empty());
        };
        both(&case);
        case.now += SignedDuration::from_hours(25);
        let always = serde_json::json!({"from": "00:00", "to": "23:59", "action": "skip"});
        case.config.rules[0].then.quiet_hours = Some(serde_json::from_value(always).unwrap());
        both(&case);
        case.open = vec![waits];
        let why = "no message: another marketing message to this person may still be sent".to_owned();
        assert_eq!(case.reason_for_nothing(), (Reason::Frequency, why));
    }

    #[test]
    fn refused_message_needs_no_material() {
        let stopped = needs(|case| {
            case.contact
                .wish(OptFlag::Stop, "wrote STOP", at("2026-03-03T10:00:00Z"));
        });
        let cooling = needs(|case| case.contact.last_follow_up_at = Some(case.now));
        let no_rule = needs(|case| case.config.rules.clear());
        for (why, needs) in [("stopped", stopped), ("cooling", cooling), ("no rule", no_rule)] {
            assert_eq!(needs, Needs::default(), "{why}");
        }
    }
}
