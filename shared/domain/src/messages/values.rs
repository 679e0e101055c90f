//! Values of the sources in a message's text.

use crate::messages::{CallView, Material, OrderView, Subject};
use crate::money::Price;
use crate::people::{Contact, Order, OrderItem, Profile, first_name};
use crate::telephony::Party;
use crate::templates::{MAX_SMS_LENGTH, Misfit, Unfit, check_length};
use crate::tenants::TenantConfig;
use crate::terms::{MAX_FREE_TEXT_LENGTH, OrderValue, Piece, SmsText, Source, Value, placeholders, primary_language};

/// Free text by WhatsApp, in sentences about it.
pub(crate) const FREE_TEXT: &str = "WhatsApp text";

/// Names come from the callers themselves, so longer ones are cut.
const MAX_NAME_LENGTH: usize = 60;

/// Maximum characters of a packing list.
const MAX_ITEMS_LENGTH: usize = 160;

/// The text for a person: in its language, else in the tenant's first language that there is, else the first one.
pub(crate) fn text_in_language<'a>(texts: &'a SmsText, config: &TenantConfig, contact: &Contact) -> Option<&'a str> {
    match texts {
        SmsText::One(text) => Some(text),
        SmsText::ByLanguage(texts) => {
            let wanted = contact.language.iter().chain(&config.tenant.languages);
            wanted
                .map(|language| primary_language(language))
                .find_map(|language| texts.iter().find(|(known, _)| primary_language(known) == language))
                .or_else(|| texts.first_key_value())
                .map(|(_, text)| text.as_str())
        }
    }
}

/// Data to look up values in.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    pub config: &'a TenantConfig,
    pub material: &'a Material,
    pub contact: &'a Contact,
    pub profile: &'a Profile,
    /// The subject of the message.
    pub subject: Subject<'a>,
}

impl Values<'_> {
    /// The value, if known: on one line, with single spaces.
    pub fn look_up(&self, source: &Source) -> Option<String> {
        let found = match source {
            named if named.is_of_contact() && self.is_for_anybody() => return Some(format!("{{{{{named}}}}}")),
            Source::ContactName => self.profile.name.as_deref().map(short),
            Source::ContactFirstName => first_name(self.profile.name.as_deref()?).map(short),
            Source::ContactPhone => {
                let phone = self.contact.phone().or_else(|| self.subject.phone())?;
                Some(phone.to_string())
            }
            Source::ContactField(key) => {
                let field = self.material.field(key)?;
                self.profile.fields.get(&field.id).map(ToString::to_string)
            }
            Source::CallNumber => {
                let called = self.call()?.facts.business_number();
                called.and_then(Party::phone).map(ToString::to_string)
            }
            Source::CallTime => Some(self.local()?.strftime("%H:%M").to_string()),
            Source::CallDate => Some(self.local()?.strftime("%Y-%m-%d").to_string()),
            Source::CallOutcome => Some(self.call()?.outcome.as_str().replace('_', " ")),
            Source::Order(value) => self.order()?.look_up(*value),
            Source::PreferencesLink => self.material.links.to_preferences(),
            Source::PreferencesCode => Some(self.material.links.preferences.as_ref()?.as_str().to_owned()),
            Source::Link(target) if target.is_plain() => Some(target.url()),
            Source::Link(target) => self.material.links.to_target(target),
            Source::LinkCode(target) => self.material.links.end_to_target(target),
            Source::Tenant(name) => self.config.tenant.variable(name).map(str::to_owned),
            Source::Product { id, field } => {
                let product = self.material.product(id)?;
                match field.as_str() {
                    "name" => Some(product.name.clone().into()),
                    "price" => product.price.as_ref().map(ToString::to_string),
                    "url" => product.url.as_ref().map(|url| url.as_str().to_owned()),
                    other => product.fields.get(other).map(str::to_owned),
                }
            }
        }?;
        let clean = found.split_whitespace().collect::<Vec<_>>().join(" ");
        (!clean.is_empty()).then_some(clean)
    }

    /// The call that the message is about. Any other message has no values of a call.
    const fn call(&self) -> Option<CallView<'_>> {
        match self.subject {
            Subject::Call(call) => Some(call),
            Subject::Order(_) | Subject::Request | Subject::Anybody => None,
        }
    }

    /// The order that the message is about. Any other message has no values of an order.
    const fn order(&self) -> Option<OrderView<'_>> {
        match self.subject {
            Subject::Order(order) => Some(order),
            Subject::Call(_) | Subject::Request | Subject::Anybody => None,
        }
    }

    const fn is_for_anybody(&self) -> bool {
        matches!(self.subject, Subject::Anybody)
    }

    fn local(&self) -> Option<jiff::Zoned> {
        let zone = self.config.tenant.time_zone.rules().clone();
        Some(self.call()?.started_at.to_zoned(zone))
    }

    pub(crate) fn value(&self, value: &Value) -> Result<String, Misfit> {
        match value {
            Value::Text(text) => Ok(text.clone()),
            Value::From { source, default } => self.or_default(source, default.as_deref()),
        }
    }

    fn or_default(&self, source: &Source, default: Option<&str>) -> Result<String, Misfit> {
        self.look_up(source)
            .or_else(|| default.map(str::to_owned))
            .ok_or_else(|| Misfit::NoValue {
                source_of_value: source.to_string(),
            })
    }

    /// Fills in the text of an SMS.
    ///
    /// # Errors
    /// If a placeholder is wrong, a value is missing or the text becomes too long.
    pub fn sms(&self, text: &str) -> Result<String, Misfit> {
        self.text(text, "SMS", MAX_SMS_LENGTH)
    }

    /// Fills in free text by WhatsApp.
    pub fn free_text(&self, text: &str) -> Result<String, Misfit> {
        self.text(text, FREE_TEXT, MAX_FREE_TEXT_LENGTH)
    }

    /// Fills in the text of a part of a message.
    pub(crate) fn text(&self, text: &str, part: &'static str, longest: usize) -> Result<String, Misfit> {
        let mut done = String::with_capacity(text.len());
        for piece in placeholders(text)? {
            match piece {
                Piece::Text(text) => done.push_str(text),
                Piece::Value { source, default } => done.push_str(&self.or_default(&source, default)?),
            }
        }
        if done.trim().is_empty() {
            return Err(Misfit::Value {
                variable: format!("the {part}"),
                what: Unfit::Empty,
            });
        }
        // The author of the text reads it later, and must not find the code there.
        if let Some(code) = &self.material.links.preferences
            && !code.can_be_masked_in(&done)
        {
            return Err(Misfit::Value {
                variable: format!("the {part}"),
                what: Unfit::JoinedCode,
            });
        }
        if !self.is_for_anybody() {
            check_length(part, &done, longest)?;
        }
        Ok(done)
    }
}

impl OrderView<'_> {
    /// The value, if known.
    fn look_up(&self, value: OrderValue) -> Option<String> {
        let Self { order, shipment } = *self;
        match value {
            OrderValue::Number => Some(order.number.as_str().to_owned()),
            OrderValue::Total => {
                let total = Price {
                    amount: order.contents.totals.total.get(),
                    currency: order.contents.currency.clone(),
                };
                Some(total.to_string())
            }
            OrderValue::Items => Some(packing_list(order)),
            OrderValue::Carrier => shipment?.carrier.clone().map(Into::into),
            OrderValue::TrackingNumber => shipment?.tracking_number.clone().map(Into::into),
            OrderValue::TrackingUrl => Some(shipment?.tracking_url.as_ref()?.as_str().to_owned()),
        }
    }
}

/// The items of an order in one line, such as `2 × Honey cake (L), 1 × Tea, +3`: as many as fit, and the number of the others.
fn packing_list(order: &Order) -> String {
    let named = |item: &OrderItem| {
        let variant = item.variant.as_ref().map(|variant| format!(" ({})", variant.as_str()));
        let text = format!(
            "{} × {}{}",
            item.quantity.get(),
            item.name.as_str(),
            variant.unwrap_or_default()
        );
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let items = &order.contents.items;
    let unnamed = order.contents.more_items.map_or(0, |more| more.get() as usize);
    let written = |count: usize| {
        let mut parts: Vec<String> = items[..count].iter().map(named).collect();
        let others = items.len() - count + unnamed;
        parts.extend((others > 0).then(|| format!("+{others}")));
        parts.join(", ")
    };
    let fits = |text: &String| text.chars().count() <= MAX_ITEMS_LENGTH;
    let whole = (1..=items.len()).rev().map(written).find(fits);
    whole.unwrap_or_else(|| {
        // Not even the first item fits.
        let text = written(items.len().min(1));
        let cut = text.chars().count() > MAX_ITEMS_LENGTH;
        text.chars()
            .take(MAX_ITEMS_LENGTH - 1)
            .chain(cut.then_some('…'))
            .collect()
    })
}

fn short(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, from_value, json};

    use super::Values;
    use crate::messages::{OrderView, Subject};
    use crate::people::{FieldValue, Order, Profile};
    use crate::samples::with_values;
    use crate::terms::ShownName;

    #[test]
    fn values_are_looked_up_with_defaults() {
        let mut maya = Profile::from_name(ShownName::of(" Dr. Maya \n Al  Fixture "));
        let level = "fld_00000000000000000000000001".parse().unwrap();
        maya.fields
            .insert(level, FieldValue::Choice("Gold  star".parse().unwrap()));
        with_values(&maya, |values| {
            for (text, expected) in [
                ("{{contact.name}}", "Dr. Maya Al Fixture"),
                ("{{ contact.first_name }}!", "Maya!"),
                ("{{contact.phone}}", "+971501234567"),
                ("{{contact.field.level|none}}", "Gold star"),
                ("{{contact.field.gone|none}}", "none"),
                (
                    "{{call.number}} {{call.date}} {{call.time}}",
                    "+97143330000 2026-11-20 14:05",
                ),
                ("{{call.outcome}}", "after hours"),
                ("{{tenant.name}} {{tenant.phone}}", "Marina Dental +97143330000"),
                (
                    "{{product.haircut.name}} {{product.haircut.price}}",
                    "Haircut 120.50 AED",
                ),
                ("{{product.haircut.length}}", "30 minutes"),
                ("{{product.cake.v2.name|cake}}", "cake"),
                (
                    "{{preferences.link}} {{preferences.code}}",
                    "https://example.test/p/0000000000000000 0000000000000000",
                ),
                (
                    "{{link:https://saffron.example/cake}} {{ link_code:https://saffron.example/cake }}",
                    "https://example.test/l/zzzzzzzzzzzzzzzz0 zzzzzzzzzzzzzzzz0",
                ),
                // As they were written before such pages were refused.
                (
                    "{{link:http://saffron.example/cake}} {{link_code:http://saffron.example/cake}}",
                    "http://saffron.example/cake zzzzzzzzzzzzzzzz0",
                ),
                ("{{tenant.website|our page}}", "our page"),
                ("مرحبا {{contact.first_name|}}", "مرحبا Maya"),
                ("no placeholder { or }}", "no placeholder { or }}"),
            ] {
                assert_eq!(values.sms(text).as_deref(), Ok(expected), "{text}");
            }
            assert_eq!(
                values.sms("{{tenant.website}}").unwrap_err().to_string(),
                "nothing is known for tenant.website and it has no default"
            );
            for unknown in [
                "{{contact.secret}}",
                "{{contact.field.Level}}",
                "{{contact.field.level.x}}",
            ] {
                assert!(values.sms(unknown).is_err(), "{unknown}");
            }
            let barred = values
                .sms("{{link:https://maps.example/?m=red|x}}")
                .unwrap_err()
                .to_string();
            assert!(barred.contains("%7C"), "{barred}");
            let unsafe_link = values.sms("{{link:https://10.0.0.1}}").unwrap_err().to_string();
            assert!(unsafe_link.contains("at a public host"), "{unsafe_link}");
            assert_eq!(
                values.sms("Your code: x{{preferences.code}}").unwrap_err().to_string(),
                "the value for the SMS has preferences.code beside a letter or digit"
            );
            assert!(values.sms("Hello {{contact.name").is_err());
            assert!(values.sms("  ").is_err());
            assert!(values.sms(&"x".repeat(1601)).is_err());
            assert_eq!(values.free_text(&"x".repeat(4096)).map(|text| text.len()), Ok(4096));
            assert!(values.free_text(&"x".repeat(4097)).is_err());
        });
    }

    #[test]
    fn field_without_a_value_has_the_default_or_is_unknown() {
        with_values(&Profile::default(), |values| {
            assert_eq!(values.sms("{{contact.field.level|Silver}}").as_deref(), Ok("Silver"));
            assert_eq!(
                values.sms("{{contact.field.level}}").unwrap_err().to_string(),
                "nothing is known for contact.field.level and it has no default"
            );
        });
    }

    #[test]
    fn name_without_a_first_name_has_the_default() {
        with_values(&Profile::from_name(ShownName::of(".")), |values| {
            assert_eq!(values.sms("{{contact.first_name|there}}").as_deref(), Ok("there"));
        });
    }

    /// Whether they are known or not, and too long or not.
    #[test]
    fn values_of_anybody_are_placeholders() {
        const LABEL: &str = "{{contact.first_name}}, {{tenant.name}}";
        for profile in [Profile::default(), Profile::from_name(ShownName::of("Maya Haddad"))] {
            with_values(&profile, |values| {
                let anybody = Values {
                    subject: Subject::Anybody,
                    ..*values
                };
                let text = "{{contact.name|you}} {{contact.first_name}} {{contact.phone}} {{contact.field.level}}";
                assert_eq!(anybody.sms(text), Ok(text.replace("|you", "")));
                let shown = anybody.text(LABEL, "label", 20);
                assert_eq!(shown.as_deref(), Ok("{{contact.first_name}}, Marina Dental"));
            });
        }
    }

    fn order(contents: &Json) -> Order {
        let mut order = json!({
            "id": "ord_0000000000000000000000000100000000000000000000000001", "number": "#1042",
            "contents": {"placed_at": "2026-11-20T10:00:00Z", "currency": "AED", "totals": {"total": 12_050}, "items": []},
            "contents_at": "2026-11-20T10:00:00Z", "payment": "paid", "fulfilment": "partially_fulfilled",
            "shipments": [
                {"reference": "1", "state": "prepared", "carrier": "Other"},
                {"reference": "2", "state": "in_transit", "carrier": "Aramex", "tracking_number": "3104",
                    "tracking_url": "https://aramex.example/3104"},
            ],
            "created_at": "2026-11-20T10:00:00Z", "updated_at": "2026-11-20T10:00:00Z",
        });
        for (name, value) in contents.as_object().unwrap() {
            order["contents"][name] = value.clone();
        }
        from_value(order).unwrap()
    }

    #[test]
    fn values_of_an_order_are_of_the_shipment_that_left() {
        let order = order(
            &json!({"items": [{"name": "Honey  cake", "variant": "L", "quantity": 2}, {"name": "Tea", "quantity": 1}],
            "more_items": 3}),
        );
        with_values(&Profile::default(), |values| {
            let about = |shipment: Option<usize>| Values {
                subject: Subject::Order(OrderView {
                    order: &order,
                    shipment: shipment.map(|place| &order.shipments[place]),
                }),
                ..*values
            };
            let text = "{{order.number}} {{order.total}}: {{order.items}} {{order.carrier|?}} {{order.tracking_number|?}} \
                        {{order.tracking_url|?}}";
            let whole = "#1042 120.50 AED: 2 × Honey cake (L), 1 × Tea, +3";
            for (shipment, of_it) in [
                (Some(1), "Aramex 3104 https://aramex.example/3104"),
                (Some(0), "Other ? ?"),
                (None, "? ? ?"),
            ] {
                assert_eq!(about(shipment).sms(text), Ok(format!("{whole} {of_it}")));
            }
            assert_eq!(values.sms("{{order.number|none}}").as_deref(), Ok("none"));
            assert!(values.sms("{{order.secret}}").is_err());
        });
    }

    #[test]
    fn packing_list_is_cut_to_fit() {
        let of = |name: &str, items: usize| {
            let item = json!({"name": name, "quantity": 1});
            super::packing_list(&order(&json!({"items": vec![item; items]})))
        };
        let many = of("Honey cake", 30);
        assert!(
            many.chars().count() <= 160 && many.ends_with("Honey cake, +21"),
            "{many}"
        );
        let long = of(&"ز".repeat(200), 1);
        assert!(long.chars().count() == 160 && long.ends_with('…'), "{long}");
        assert_eq!(of("Tea", 0), "");
    }

    #[test]
    fn values_of_a_call_are_unknown_without_a_call() {
        with_values(&Profile::default(), |values| {
            let requested = Values {
                subject: Subject::Request,
                ..*values
            };
            for source in ["call.number", "call.time", "call.date", "call.outcome"] {
                let placeholder = |default: &str| format!("{{{{{source}{default}}}}}");
                let unknown = requested.sms(&placeholder("")).unwrap_err();
                assert!(unknown.to_string().contains(source), "{unknown}");
                assert_eq!(requested.sms(&placeholder("|none")).as_deref(), Ok("none"));
            }
            assert_eq!(requested.sms("{{contact.phone}}").as_deref(), Ok("+971501234567"));
        });
    }
}
