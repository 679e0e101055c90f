//! Problems of a message as its author writes it once for many people: what is wrong whoever gets it, and what keeps connections from
//! saying it at present.

use jiff::Timestamp;
use ulid::Ulid;

use crate::destinations::Applies;
use crate::messages::{
    Carrier, Content, MAX_PRODUCTS, MAX_TARGETS, Material, Needs, Subject, Values, Words, add_target, carriers,
    fill_content,
};
use crate::people::{Contact, Identity, Profile};
use crate::tenants::{ConnectionSummary, TenantConfig};
use crate::terms::{
    Category, Channel, ContactId, Fact, Fault, FaultCode, FieldProblem, Findings, Phone, Refusal, SmsText, Source,
    Target, TemplateUse, Value, Warning,
};

/// Findings about a message and whatever sends it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    /// Problems by field. Nothing is saved with such a problem, but it may get one later, such as by the deletion of a line.
    pub problems: Vec<FieldProblem>,
    /// Reasons why it does not do its work at present, or only in part. At most [`MAX_WARNINGS`].
    pub warnings: Vec<Warning>,
}

/// Maximum warnings of a review.
pub const MAX_WARNINGS: usize = 20;

/// A value must be one of these words.
pub(crate) fn one_of_words<'a>(words: impl IntoIterator<Item = &'a str>, detail: impl Into<String>) -> Fault {
    Fault::new(FaultCode::NotOneOf, detail).and("expected", words.into_iter().collect::<Fact>())
}

/// There must be a channel.
pub(crate) fn missing_channel() -> Fault {
    let fault = Fault::new(FaultCode::TooFew, "Name at least one channel: whatsapp or sms.");
    fault.and("minimum", 1_u32)
}

/// The subject that a message has whoever gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Call,
    Order,
    Nothing,
}

impl About {
    /// The problem with a value of another subject, if it is one.
    pub(crate) fn lacks(self, source: &Source) -> Option<Fault> {
        let detail = match source {
            Source::Order(_) if self != Self::Order => {
                "There is no order whose values it could name. Leave out `order.…`."
            }
            call if call.is_of_call() && self != Self::Call => {
                "There is no call whose values it could name. Leave out `call.…`."
            }
            _ => return None,
        };
        Some(Fault::new(FaultCode::NotApplicable, detail))
    }
}

/// A message as its author writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authored<'a> {
    /// The field that holds it, such as `then`.
    pub field: &'a str,
    pub channels: &'a [Channel],
    pub category: Category,
    /// Content for WhatsApp.
    pub template: Option<&'a TemplateUse>,
    pub sms_text: Option<&'a SmsText>,
    /// Its subject, whose values it may name.
    pub about: About,
}

impl<'a> Authored<'a> {
    /// Adds the problems of the content of each channel.
    pub(crate) fn review(&self, material: &Material, found: &mut Findings) {
        let field = self.field;
        if self.channels.contains(&Channel::WhatsApp) {
            let fault = Fault::new(FaultCode::Required, "WhatsApp needs a template.");
            match self.template {
                None => found.add(format!("{field}.template"), fault),
                Some(wanted) => self.template(wanted, material, found),
            }
        }
        if self.channels.contains(&Channel::Sms) {
            let texts = self.sms_text.map(SmsText::texts).unwrap_or_default();
            let fault = Fault::new(FaultCode::Required, "SMS needs a text.");
            found.expect(!texts.is_empty(), format!("{field}.sms_text"), fault);
            for (language, words) in texts {
                self.text(language, words, material, found);
            }
        }
    }

    /// Adds the templates, products and fields that a review looks at: templates in every language and for every connection that may send
    /// them.
    pub(crate) fn add_needs(&self, config: &TenantConfig, needs: &mut Needs) {
        if let Some(wanted) = self.template {
            let in_all = TemplateUse {
                by_contact_language: true,
                ..wanted.clone()
            };
            for connection in carriers(config, Channel::WhatsApp) {
                needs.template(&in_all, connection.id, false);
            }
        }
        if let Some(texts) = self.sms_text {
            needs.texts(texts);
        }
    }

    /// Content of a channel.
    pub(crate) fn words(&self, channel: Channel) -> Words<'a> {
        match channel {
            Channel::WhatsApp => self
                .template
                .map_or(Words::None("there is no template"), Words::Template),
            Channel::Sms => self.sms_text.map_or(Words::None("there is no text"), Words::Text),
        }
    }

    /// Whether one of these problems is of this channel's content, so that nothing more needs to be said about it.
    pub(crate) fn is_wrong(&self, channel: Channel, problems: &[FieldProblem]) -> bool {
        let (content, category) = (self.content(channel), format!("{}.category", self.field));
        let mut problems = problems.iter();
        problems.any(|problem| {
            problem.field.starts_with(&content) || (channel == Channel::WhatsApp && problem.field == category)
        })
    }

    /// The field with the content of a channel.
    pub(crate) fn content(&self, channel: Channel) -> String {
        let name = match channel {
            Channel::WhatsApp => "template",
            Channel::Sms => "sms_text",
        };
        format!("{}.{name}", self.field)
    }

    /// Problems of the text of an SMS in one language.
    fn text(&self, language: Option<&str>, text: &str, material: &Material, found: &mut Findings) {
        let field = self.content(Channel::Sms);
        let field = language.map_or_else(|| field.clone(), |language| format!("{field}.{language}"));
        let sources = found.text(&field, language, text);
        self.check_sources(sources.iter().map(|source| (field.clone(), source)), material, found);
    }

    /// Problems of the use of a template, as far as every message has them. If some of its versions in other languages do not fit, the
    /// warnings say so.
    fn template(&self, wanted: &TemplateUse, material: &Material, found: &mut Findings) {
        let (name, language) = (wanted.name.as_str(), wanted.language.as_str());
        let content = self.content(Channel::WhatsApp);
        let sources = wanted.values().filter_map(|(field, value)| match value {
            Value::From { source, .. } => Some((format!("{content}.{field}.from"), source)),
            Value::Text(_) => None,
        });
        let sources: Vec<_> = sources.collect();
        for (place, source) in &sources {
            found.link(place, source);
        }
        self.check_sources(sources.into_iter(), material, found);
        if let Some(id) = wanted.header_media.filter(|id| material.asset((*id).into()).is_none()) {
            let fault = Fault::new(FaultCode::NotFound, format!("There is no asset with the id {id}."));
            found.add(format!("{content}.header_media"), fault.and("id", id.to_string()));
        }
        let named = || material.templates.iter().filter(|template| template.name == name);
        if named().next().is_none() {
            let detail = format!("No connection that sends WhatsApp has a template {name}.");
            let fault = Fault::new(FaultCode::NotFound, detail);
            found.add(format!("{content}.name"), fault.and("id", name));
            return;
        }
        // Accounts may have different templates of one name. One that fits is enough here.
        let own: Vec<_> = named().filter(|template| template.language == language).collect();
        let Some(first) = own.first() else {
            let detail = format!("There is no template {name} in {language}.");
            let fault = Fault::new(FaultCode::NotFound, detail);
            found.add(format!("{content}.language"), fault.and("id", language));
            return;
        };
        if own.iter().all(|template| template.category != self.category) {
            let category = first.category.as_str();
            let detail = format!("Template {name} is of the category {category}, and the message must be, too.");
            found.add(format!("{}.category", self.field), one_of_words([category], detail));
        }
        let mut misfits = own.iter().map(|template| template.problems_of(wanted));
        let wrong = misfits.next().unwrap_or_default();
        if !wrong.is_empty() && misfits.all(|others| !others.is_empty()) {
            found
                .0
                .extend(wrong.into_iter().map(|problem| problem.within(&content)));
        }
    }

    /// Problems of the values that one text or template names: fields of contacts, products, pages, and calls where there are none.
    fn check_sources<'s>(
        &self,
        sources: impl Iterator<Item = (String, &'s Source)>,
        material: &Material,
        found: &mut Findings,
    ) {
        let (mut named, mut targets): (Vec<&str>, Vec<Target>) = (Vec::new(), Vec::new());
        let not_found = |what: &str, detail: String| Fault::new(FaultCode::NotFound, detail).and("id", what);
        for (place, source) in sources {
            if let Some(fault) = self.about.lacks(source) {
                found.add(place, fault);
                continue;
            }
            if let Source::ContactField(key) = source {
                let detail = format!("Contacts have no field with the key {key}.");
                found.expect(material.field(key).is_some(), place, not_found(key.as_str(), detail));
                continue;
            }
            if let Source::Link(target) | Source::LinkCode(target) = source {
                if !add_target(&mut targets, target) {
                    let detail = format!("The links of a message can lead to at most {MAX_TARGETS} pages.");
                    found.add(place, Fault::too_many(MAX_TARGETS, detail));
                    return;
                }
                continue;
            }
            let Source::Product { id, field } = source else {
                continue;
            };
            if !named.contains(&id.as_str()) {
                if named.len() == MAX_PRODUCTS {
                    let detail = format!("A text or template can name at most {MAX_PRODUCTS} products.");
                    found.add(place, Fault::too_many(MAX_PRODUCTS, detail));
                    return;
                }
                named.push(id);
            }
            match material.product(id) {
                None => {
                    let detail = format!("There is no product with the id or SKU {id}.");
                    found.add(place, not_found(id, detail));
                }
                Some(product) => {
                    let usual = ["name", "price", "url"].contains(&field.as_str());
                    let detail = format!("The product {id} has no value {field}.");
                    let known = usual || product.fields.get(field).is_some();
                    found.expect(known, place, not_found(field, detail));
                }
            }
        }
    }
}

/// The obstacles that keep these connections from sending to a person known by number only, in whatever language, and the rules for SMS of
/// the business's own country that are against it, each with its effect. Empty: none. `senders`: each with the number that its line names.
/// `subject`: the subject of the message if this connection sends it.
pub(crate) fn content_obstacles<'s>(
    words: Words<'_>,
    category: Category,
    config: &TenantConfig,
    material: &Material,
    senders: &[Carrier<'_>],
    subject: impl Fn(&ConnectionSummary) -> Subject<'s>,
) -> Vec<(Refusal, Applies)> {
    let (id, number) = (ContactId::new(Ulid::nil()), Identity::Phone(Phone::nobodys()));
    let mut contact = Contact::first_seen(id, &number, Timestamp::UNIX_EPOCH);
    let mut languages = vec![None];
    match words {
        Words::Template(wanted) => {
            let templates = material.templates.iter();
            let named = templates.filter(|template| template.name == wanted.name.as_str());
            languages.extend(named.map(|template| Some(template.language.clone())));
        }
        Words::Text(SmsText::ByLanguage(texts)) => languages.extend(texts.keys().cloned().map(Some)),
        _ => {}
    }
    let mut found: Vec<(Refusal, Applies)> = Vec::new();
    let mut add = |why: Refusal, applies: Applies| match found.iter_mut().find(|(known, _)| *known == why) {
        None => found.push((why, applies)),
        // With one connection, it may only be a warning.
        Some((_, known)) if applies == Applies::Refuse => *known = applies,
        Some(_) => {}
    };
    for language in languages {
        contact.language = language;
        for (connection, number) in senders {
            let values = Values {
                config,
                material,
                contact: &contact,
                profile: &Profile::default(),
                subject: subject(connection),
            };
            match (fill_content(&values, words, category, connection), words) {
                (Err(why), _) => add(why, Applies::Refuse),
                (Ok(Content::Text(text)), Words::Text(_)) => {
                    let sms = connection.sms(config.tenant.country(), category, *number, &text);
                    sms.broken_rules().for_each(|rule| add(rule.refusal(), rule.applies()));
                }
                (Ok(_), _) => {}
            }
        }
    }
    found
}
