//! A tenant's configuration: everything that decisions about its calls and messages need, and its problems.

use serde::{Deserialize, Serialize};

use crate::{
    call::{Direction, Outcome},
    checkup::CheckResult,
    connection::{Account, Connection, Health},
    fault::{Fault, FaultCode},
    ids::ConnectionId,
    line::{self, Line},
    material::Material,
    message::{Channel, FilledTemplate, TemplateValue, WhenUnknown},
    phone::Phone,
    purpose::{Category, FREQUENCY_SPAN, Limit, Purpose},
    rule::{LONGEST_DELAY_SECONDS, LONGEST_FALLBACK_SECONDS, Rule},
    settings::FieldProblem,
    source::{SmsText, TemplateUse, placeholders},
    template::{Misfit, ParameterFormat, braces},
    tenant::Tenant,
};

/// Everything that decisions about a tenant's calls and messages need, read together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantConfig {
    /// The tenant.
    pub tenant: Tenant,
    /// Its rules, in any order.
    pub rules: Vec<Rule>,
    /// Its lines, in any order.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// Its connections.
    pub connections: Vec<ConnectionSummary>,
}

/// The parts of a connection that planning and the set-up list need. A change of them raises the tenant's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSummary {
    /// The connection.
    pub id: ConnectionId,
    /// Display name.
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
    /// As [`Connection::whatsapp_number`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whatsapp_number: Option<Phone>,
    /// The numbers that a line can choose to send SMS from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sms_numbers: Vec<Phone>,
}

impl ConnectionSummary {
    /// Whether it reports calls. Twilio does for its numbers.
    #[must_use]
    pub fn reports_calls(&self) -> bool {
        self.kind != "whatsapp"
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
            whatsapp_number: connection.whatsapp_number().cloned(),
            sms_numbers: match &connection.account {
                Account::Twilio(twilio) => twilio.numbers.clone(),
                _ => Vec::new(),
            },
        }
    }
}

impl TenantConfig {
    /// Problems, in sentences for the author. Empty: none. `material`: all its templates and products.
    #[must_use]
    pub fn problems(&self, material: &Material) -> Vec<String> {
        let of_rule = |rule: &Rule| {
            let named = |problem| format!("rule {:?}: {problem}", rule.name);
            rule_problems(rule, self, material)
                .into_iter()
                .map(named)
                .collect::<Vec<_>>()
        };
        let mut problems: Vec<String> = self.rules.iter().flat_map(of_rule).collect();
        problems.extend(self.tenant.problems().iter().map(ToString::to_string));
        for line in &self.lines {
            let found = line_problems(line, &self.lines, &self.connections).into_iter();
            problems.extend(found.map(|problem| format!("line {:?}: {problem}", line.name.as_str())));
        }
        if self.lines.len() > line::MOST_LINES {
            problems.push(format!("a tenant has at most {} lines", line::MOST_LINES));
        }
        let services = material
            .templates
            .iter()
            .filter(|template| template.category == Category::Service);
        problems.extend(
            services.map(|template| format!("template {}: no template is of the category service", template.name)),
        );
        let mut ids: Vec<_> = self.rules.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            problems.push("two rules have the same id".to_owned());
        }
        let mut ids: Vec<_> = self.lines.iter().map(|line| line.id).collect();
        ids.sort_unstable();
        if ids.windows(2).any(|pair| pair[0] == pair[1]) {
            problems.push("two lines have the same id".to_owned());
        }
        let mut skus: Vec<_> = material
            .products
            .iter()
            .filter_map(|product| product.sku.as_ref())
            .collect();
        skus.sort_unstable();
        if let Some(pair) = skus.windows(2).find(|pair| pair[0] == pair[1]) {
            problems.push(format!("two products have the SKU {}", pair[0]));
        }
        problems
    }
}

/// Problems of a line by field, on its own and together with the other lines and the connections. Empty: none.
#[must_use]
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

/// Problems of a rule, in sentences for its author, who knows its name.
#[must_use]
pub fn rule_problems(rule: &Rule, config: &TenantConfig, material: &Material) -> Vec<String> {
    let mut problems = Vec::new();
    let mut found = |problem: String| problems.push(problem);
    let then = &rule.then;
    if then.channels.is_empty() {
        found("no channels".to_owned());
    }
    if then.delay_seconds > LONGEST_DELAY_SECONDS {
        found(format!("delay_seconds is at most {LONGEST_DELAY_SECONDS}"));
    }
    if then.fallback_after_seconds > LONGEST_FALLBACK_SECONDS {
        found(format!("fallback_after_seconds is at most {LONGEST_FALLBACK_SECONDS}"));
    }
    if rule.when.direction == Direction::Outbound {
        found("outbound calls never get a message".to_owned());
    }
    if rule.when.outcomes.contains(&Outcome::Unknown) {
        found("calls with the outcome unknown never get a message".to_owned());
    }
    let category = then.category.as_str();
    match Purpose::FollowUp.row().kind(then.category) {
        None => found(format!("no call is followed by a message of the category {category}")),
        Some(kind) => {
            let least = FREQUENCY_SPAN.as_secs();
            if kind.obeys.contains(&Limit::Frequency) && i64::from(then.cooldown_seconds) < least {
                found(format!("for {category}, cooldown_seconds is at least {least}"));
            }
        }
    }
    if then.when_unknown == Some(WhenUnknown::SendAgain) {
        found("when_unknown: send_again is for one-time codes only".to_owned());
    }
    for id in &rule.when.lines {
        if line::by_id(&config.lines, *id).is_none() {
            found(format!("there is no line {id}"));
        }
    }
    for (index, channel) in then.channels.iter().enumerate() {
        if then.channels[..index].contains(channel) {
            found(format!("{} is in channels twice", channel.name()));
        }
        if !config
            .connections
            .iter()
            .any(|connection| connection.carries.contains(channel))
        {
            found(format!("no connection carries {}", channel.name()));
        }
    }
    if then.channels.contains(&Channel::WhatsApp) {
        match &then.template {
            None => found("WhatsApp needs a template".to_owned()),
            Some(wanted) => problems.extend(template_problems(rule, wanted, material)),
        }
    }
    let mut found = |problem: String| problems.push(problem);
    if then.channels.contains(&Channel::Sms) {
        match &then.sms_text {
            None => found("SMS needs sms_text".to_owned()),
            Some(SmsText::One(text)) => {
                if let Err(error) = placeholders(text) {
                    found(format!("sms_text: {error}"));
                }
            }
            Some(SmsText::ByLanguage(texts)) => {
                if texts.is_empty() {
                    found("SMS needs sms_text".to_owned());
                }
                for (language, text) in texts {
                    if let Err(error) = placeholders(text) {
                        found(format!("sms_text in {language}: {error}"));
                    }
                }
            }
        }
    }
    problems
}

/// Problems of a rule's use of a template, as far as the stored definitions show.
fn template_problems(rule: &Rule, wanted: &TemplateUse, material: &Material) -> Vec<String> {
    let named: Vec<_> = material
        .templates
        .iter()
        .filter(|template| {
            template.name == wanted.name && (wanted.by_contact_language || template.language == wanted.language)
        })
        .collect();
    let mut found = Vec::new();
    if !named.iter().any(|template| template.language == wanted.language) {
        found.push(
            Misfit::NoTemplate {
                name: wanted.name.clone(),
                language: wanted.language.clone(),
            }
            .to_string(),
        );
    }
    for template in named {
        if template.category != rule.then.category {
            found.push(
                Misfit::Category {
                    name: template.name.clone(),
                    actual: template.category,
                    wanted: rule.then.category,
                }
                .to_string(),
            );
        }
        match template.body_variables() {
            Err(broken) => found.push(broken.to_string()),
            Ok(names) => {
                // Values differ from call to call; whether each variable has one does not.
                let filled_in = FilledTemplate {
                    name: template.name.clone(),
                    language: template.language.clone(),
                    body: names
                        .iter()
                        .filter(|name| wanted.variables.contains_key(*name))
                        .map(|name| TemplateValue {
                            name: (template.parameter_format == ParameterFormat::Named).then(|| name.clone()),
                            text: "x".to_owned(),
                        })
                        .collect(),
                    header: wanted.header.as_ref().map(|_| TemplateValue {
                        name: None,
                        text: "x".to_owned(),
                    }),
                    buttons: wanted
                        .buttons
                        .iter()
                        .map(|button| (button.index, "x".to_owned()))
                        .collect(),
                    content_sid: template.content_sid.clone(),
                };
                let extra = wanted.variables.keys().find(|name| !names.contains(name));
                let misfit = extra.map_or_else(
                    || template.check(&filled_in).err(),
                    |name| {
                        Some(Misfit::Unexpected {
                            name: template.name.clone(),
                            variable: braces(name),
                        })
                    },
                );
                found.extend(misfit.map(|misfit| misfit.to_string()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        samples::{TENANT, config, material},
        source::Value,
    };

    #[test]
    fn all_problems_of_a_configuration_are_reported_together() {
        let (mut config, mut material) = (config(), material());
        assert_eq!(config.problems(&material), Vec::<String>::new());
        config.rules[0].then.when_unknown = Some(WhenUnknown::SendAgain);
        config.rules[0].then.fallback_after_seconds = 86_401;
        material.templates[1].category = Category::Marketing;
        material.templates.remove(0);
        config.connections.remove(0);
        assert_eq!(
            config.problems(&material),
            [
                "rule \"Missed calls\": fallback_after_seconds is at most 86400",
                "rule \"Missed calls\": when_unknown: send_again is for one-time codes only",
                "rule \"Missed calls\": no connection carries SMS",
                "rule \"Missed calls\": there is no template missed_call_followup in en_GB",
                "rule \"Missed calls\": template missed_call_followup is marketing, but the message is utility",
            ]
        );
    }

    #[test]
    fn problems_of_lines_are_named_by_field() {
        let (mut config, material) = (config(), material());
        let sms = |number: &str| serde_json::json!({"connection": config.connections[0].id, "number": number});
        let line = |id: u8, number: &str| -> Line {
            serde_json::from_value(serde_json::json!({
                "id": format!("line_{id:026}"), "name": format!("Line {id}"), "number": number,
                "whatsapp": config.connections[1].id, "sms": sms("+97143330000"),
            }))
            .unwrap()
        };
        let (one, two) = (line(1, "+97143330000"), line(2, "+97143330001"));
        config.connections[0].sms_numbers = vec!["+97143330000".parse().unwrap()];
        config.rules[0].when.lines = vec![one.id];
        config.lines = vec![one, two];
        assert_eq!(config.problems(&material), Vec::<String>::new());

        config.rules[0]
            .when
            .lines
            .push("line_00000000000000000000000003".parse().unwrap());
        config.lines[1].number = config.lines[0].number.clone();
        config.lines[1].whatsapp = Some(config.connections[0].id);
        config.lines[0].sms.as_mut().unwrap().number = Some("+97143330009".parse().unwrap());
        let hours = r#"{"monday": [{"from": "09:00", "to": "13:00"}, {"from": "12:00", "to": "15:00"}]}"#;
        config.lines[1].business_hours = Some(serde_json::from_str(hours).unwrap());
        config.lines[1].sms.as_mut().unwrap().connection = "conn_00000000000000000000000009".parse().unwrap();
        assert_eq!(
            config.problems(&material),
            [
                "rule \"Missed calls\": there is no line line_00000000000000000000000003",
                "line \"Line 1\": number: The line \"Line 2\" already has this number.",
                "line \"Line 1\": sms.number: The connection has no number +97143330009.",
                "line \"Line 2\": business_hours.monday: These hours overlap.",
                "line \"Line 2\": number: The line \"Line 1\" already has this number.",
                "line \"Line 2\": whatsapp: No connection that sends WhatsApp has the id conn_00000000000000000000000001.",
                "line \"Line 2\": sms.connection: No connection that sends SMS has the id conn_00000000000000000000000009.",
            ]
        );
        config.lines[1].id = config.lines[0].id;
        assert!(
            config
                .problems(&material)
                .contains(&"two lines have the same id".to_owned())
        );
        config.lines = vec![config.lines[0].clone(); line::MOST_LINES + 1];
        assert!(
            config
                .problems(&material)
                .contains(&"a tenant has at most 50 lines".to_owned())
        );
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
