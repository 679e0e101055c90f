//! A tenant's configuration: everything that decisions about its calls and messages need, and the problems of its lines.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::destinations::{ConfirmedRule, Origin, Sms, promotion_hours};
use crate::tenants::{
    Account, CheckResult, Connection, Health, LettersSender, Line, Rule, Team, Tenant, letters_to, sending_letters,
};
use crate::terms::{
    Category, Channel, ConnectionId, Country, Fault, FaultCode, FieldProblem, Phone, QuietHours, Recipient,
};

/// Everything that decisions about a tenant's calls and messages need, read together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantConfig {
    pub tenant: Tenant,
    /// Its rules, in any order.
    pub rules: Vec<Rule>,
    /// Its lines, in any order.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// Its teams, in any order.
    #[serde(default)]
    pub teams: Vec<Team>,
    pub connections: Vec<ConnectionSummary>,
}

impl TenantConfig {
    /// A connection by its id.
    pub fn connection(&self, id: ConnectionId) -> Option<&ConnectionSummary> {
        self.connections.iter().find(|known| known.id == id)
    }

    /// The WhatsApp number of a connection.
    pub fn whatsapp_number(&self, connection: ConnectionId) -> Option<&Phone> {
        self.connection(connection)?.whatsapp_number.as_ref()
    }
}

/// The parts of a connection that planning and the set-up list need. A change of them raises the tenant's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSummary {
    pub id: ConnectionId,
    pub name: String,
    /// The channels that it can send.
    pub carries: Vec<Channel>,
    /// Whether it names templates by Twilio's content id instead of Meta's name.
    #[serde(default)]
    pub needs_content_sid: bool,
    /// The provider, as in [`Account::kind`].
    #[serde(default)]
    pub kind: String,
    /// Result of its last test, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<CheckResult>,
    /// As [`Connection::awaits_secret`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaits_secret: bool,
    /// The provider's reason for refusing it, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhealthy: Option<String>,
    /// Time since which the provider refuses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhealthy_since: Option<Timestamp>,
    /// As [`Connection::whatsapp_number`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whatsapp_number: Option<Phone>,
    /// The numbers whose calls it reports; empty: all that it reports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called_numbers: Vec<Phone>,
    /// The numbers that a line can choose to send SMS from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sms_numbers: Vec<Phone>,
    /// Whether a messaging service sends its SMS, unless one of its numbers is chosen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub messaging_service: bool,
    /// The letters that send SMS to a country.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub letters: Vec<LettersSender>,
    /// The rules of countries for SMS that do not hold for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmed_rules: Vec<ConfirmedRule>,
}

impl ConnectionSummary {
    /// Whether it reports calls. Twilio does for its numbers.
    pub fn reports_calls(&self) -> bool {
        self.kind != "whatsapp"
    }

    /// Whether it can send by this channel to this country. With nothing but letters, it sends SMS only to theirs.
    pub fn carries_to(&self, channel: Channel, country: Option<Country>) -> bool {
        let everywhere = self.letters.is_empty() || self.sends_without_letters();
        let reaches = channel != Channel::Sms || everywhere || letters_to(&self.letters, country).is_some();
        self.carries.contains(&channel) && reaches
    }

    /// Whether something else than letters can send its SMS.
    const fn sends_without_letters(&self) -> bool {
        !self.sms_numbers.is_empty() || self.messaging_service
    }

    /// The letters that send an SMS from it.
    pub fn letters_of(&self, country: Option<Country>, category: Category) -> Option<&LettersSender> {
        sending_letters(&self.letters, self.sends_without_letters(), country, category)
    }

    /// An SMS from it, as the rules of countries judge it. `number`: the one of its numbers that is chosen.
    pub fn sms<'a>(
        &'a self,
        country: Option<Country>,
        category: Category,
        number: Option<&Phone>,
        text: &'a str,
    ) -> Sms<'a> {
        let origin = match self.letters_of(country, category) {
            Some(letters) => letters.origin(category),
            None if number.is_some() || !self.messaging_service => Origin::Number,
            None => Origin::Service,
        };
        Sms {
            country,
            category,
            origin,
            text,
            confirmed: &self.confirmed_rules,
        }
    }

    /// The hours without SMS of this category to a country.
    pub fn sms_hours(&self, to: &Recipient, category: Category) -> Option<QuietHours> {
        promotion_hours(to.country(), category, &self.confirmed_rules)
    }

    /// Whether calls to this number are taken, if it reports them.
    pub fn takes_calls_to(&self, number: &Phone) -> bool {
        self.called_numbers.is_empty() || self.called_numbers.contains(number)
    }
}

impl From<&Connection> for ConnectionSummary {
    fn from(connection: &Connection) -> Self {
        Self {
            id: connection.id,
            name: connection.name.clone(),
            carries: [Channel::WhatsApp, Channel::Sms]
                .into_iter()
                .filter(|channel| connection.carries(*channel))
                .collect(),
            needs_content_sid: matches!(connection.account, Account::Twilio(_)),
            kind: connection.account.kind().to_owned(),
            tested: connection.checkup.as_ref().map(|checkup| checkup.result),
            awaits_secret: connection.awaits_secret,
            unhealthy: match &connection.health {
                Health::Healthy => None,
                Health::Unhealthy { reason, .. } => Some(reason.clone()),
            },
            unhealthy_since: match &connection.health {
                Health::Healthy => None,
                Health::Unhealthy { since, .. } => Some(*since),
            },
            whatsapp_number: connection.whatsapp_number().cloned(),
            called_numbers: connection.account.numbers().to_vec(),
            sms_numbers: match &connection.account {
                Account::Twilio(twilio) => twilio.numbers.clone(),
                _ => Vec::new(),
            },
            messaging_service: match &connection.account {
                Account::Twilio(twilio) => twilio.messaging_service_sid.is_some(),
                _ => false,
            },
            letters: match &connection.account {
                Account::Twilio(twilio) => twilio.letters.to_vec(),
                _ => Vec::new(),
            },
            confirmed_rules: match &connection.account {
                Account::Twilio(twilio) => twilio.confirmed_rules.to_vec(),
                _ => Vec::new(),
            },
        }
    }
}

/// Problems of a line by field, on its own and together with the other lines and the connections. Empty: none.
pub fn line_problems(line: &Line, lines: &[Line], connections: &[ConnectionSummary]) -> Vec<FieldProblem> {
    let mut problems = line.problems();
    let mut found = |field: &str, fault: Fault| problems.push(FieldProblem::new(field, fault));
    if let Some(number) = &line.number {
        let mut others = lines.iter().filter(|other| other.id != line.id);
        if let Some(other) = others.find(|other| other.number.as_ref() == Some(number)) {
            let name = other.name.as_str();
            let detail = format!("The line {name:?} already has this number.");
            found("number", Fault::new(FaultCode::Taken, detail).and("by", name));
        }
        // Without any connection that reports calls, the set-up says so.
        let mut reporting = connections.iter().filter(|one| one.reports_calls()).peekable();
        if reporting.peek().is_some() && !reporting.any(|one| one.takes_calls_to(number)) {
            let detail = format!(
                "No connection has the number {number}, so calls to it are ignored. \
                 Add it to the numbers of the connection that reports them first."
            );
            found("number", Fault::new(FaultCode::NotConnected, detail));
        }
    }
    for (channel, field) in [(Channel::WhatsApp, "whatsapp"), (Channel::Sms, "sms.connection")] {
        let Some(named) = line.connection(channel) else {
            continue;
        };
        let known = connections.iter().find(|connection| connection.id == named);
        match known.filter(|connection| connection.carries.contains(&channel)) {
            None => {
                let detail = format!("No connection that sends {} has the id {named}.", channel.name());
                let fault = Fault::new(FaultCode::NotFound, detail);
                found(field, fault.and("id", named.to_string()));
            }
            Some(connection) => {
                if let Some(sender) = line.sender(channel)
                    && !connection.sms_numbers.contains(sender)
                {
                    let detail = format!("The connection has no number {sender}.");
                    let fault = Fault::new(FaultCode::NotFound, detail);
                    found("sms.number", fault.and("id", sender.as_str()));
                }
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{TENANT, config, connections};
    use crate::terms::Value;

    /// The connection's origins, and the countries that it then sends SMS to.
    #[test]
    fn letters_alone_send_to_their_countries() {
        for (numbers, service, letters, to) in [
            (&["+97143330000"][..], false, &[][..], &["AE", "GB"][..]),
            (&["+97143330000"], false, &["AE"], &["AE", "GB"]),
            (&[], true, &["AE"], &["AE", "GB"]),
            (&[], false, &["AE"], &["AE"]),
        ] {
            let mut sender = config().connections.remove(0);
            let of = |country: &&str| serde_json::json!({"country": country, "sender": "MARINA"});
            sender.sms_numbers = numbers.iter().map(|number| number.parse().unwrap()).collect();
            sender.messaging_service = service;
            sender.letters = letters
                .iter()
                .map(|one| serde_json::from_value(of(one)).unwrap())
                .collect();
            let mut countries = vec!["AE", "GB"];
            countries.retain(|country| sender.carries_to(Channel::Sms, country.parse().ok()));
            assert_eq!(countries, to, "{numbers:?} {service} {letters:?}");
            assert!(!sender.carries_to(Channel::WhatsApp, None));
        }
    }

    #[test]
    fn summary_says_whether_a_messaging_service_sends() {
        let mut twilio = connections().remove(0);
        assert!(!ConnectionSummary::from(&twilio).messaging_service);
        let Account::Twilio(account) = &mut twilio.account else {
            panic!("it is one of Twilio")
        };
        account.messaging_service_sid = Some("MG0".to_owned());
        assert!(ConnectionSummary::from(&twilio).messaging_service);
    }

    /// Connections by what they report, the line's number, and whether that is a problem.
    #[test]
    fn number_of_a_line_is_one_of_a_connection() {
        let [twilio, whatsapp] = <[Connection; 2]>::try_from(connections()).unwrap();
        let telephony = |numbers: &[&str]| {
            let account = serde_json::json!({"kind": "telephony", "numbers": numbers});
            let account = serde_json::from_value(account).unwrap();
            Connection {
                account,
                ..twilio.clone()
            }
        };
        let problems = |number: Option<&str>, connections: &[&Connection]| {
            let line = serde_json::json!({"id": "line_00000000000000000000000009", "name": "Kiosk", "number": number});
            let line = serde_json::from_value(line).unwrap();
            let connections: Vec<_> = connections.iter().map(|one| ConnectionSummary::from(*one)).collect();
            let found = line_problems(&line, &[], &connections).into_iter();
            found.map(|problem| (problem.field, problem.code)).collect::<Vec<_>>()
        };
        let (own, other) = ("+97143330000", "+97143330001");
        let others = telephony(&[other, "+97143330002"]);
        for (number, connections, is_known) in [
            (Some(own), &[&twilio][..], true),
            (Some(other), &[&twilio], false),
            (Some(other), &[&twilio, &whatsapp], false),
            // In whatever form it is written.
            (Some("+971043330001"), &[&twilio, &others], true),
            (Some("+97143330009"), &[&twilio, &others], false),
            // One that takes all calls, none at all, and WhatsApp, which has none.
            (Some(other), &[&twilio, &telephony(&[])], true),
            (Some(other), &[], true),
            (Some(other), &[&whatsapp], true),
            (None, &[&twilio], true),
        ] {
            let expected = (!is_known).then(|| ("number".to_owned(), FaultCode::NotConnected));
            assert_eq!(
                problems(number, connections),
                expected.into_iter().collect::<Vec<_>>(),
                "{number:?}"
            );
        }
    }

    #[test]
    fn configuration_is_parsed_strictly() {
        for wrong in [
            r#"{"from": "contact.name", "text": "x"}"#,
            r#"{"default": "x"}"#,
            r#"{"from": "contact.nme"}"#,
            r#"{"form": "contact.name"}"#,
        ] {
            assert!(serde_json::from_str::<Value>(wrong).is_err(), "{wrong}");
        }
        let config = config();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<TenantConfig>(&text).unwrap(), config);
        let zoneless = TENANT.replace("Asia/Dubai", "Asia/Nowhere");
        assert!(serde_json::from_str::<Tenant>(&zoneless).is_err());
    }
}
