//! The progress of the set-up, derived from the configuration.

use domain::{
    checkup::CheckResult,
    compose::carriers,
    config::{ConnectionSummary, TenantConfig, line_problems, rule_problems},
    decide::obstacles,
    material::Material,
    message::Channel,
    needs::Needs,
    rule::Rule,
    source::TemplateUse,
};

use crate::models::{OperationLink, SetupOut, SetupStep, StepId, StepState};

const TENANT: OperationLink = link("PATCH", "/api/v1/tenant");
const CONNECT: OperationLink = link("POST", "/api/v1/connections");
const LINE: OperationLink = link("PATCH", "/api/v1/lines/{line_id}");
const TEST: OperationLink = link("POST", "/api/v1/connections/{connection_id}/test");
const CREDENTIALS: OperationLink = link("PUT", "/api/v1/connections/{connection_id}/credentials");
/// Only an operator can write rules and templates.
const LOOK: OperationLink = link("GET", "/api/v1/tenant/setup");

const fn link(method: &'static str, path: &'static str) -> OperationLink {
    OperationLink { method, path }
}

fn step(id: StepId, title: &str, operation: OperationLink) -> SetupStep {
    SetupStep {
        id,
        title: title.to_owned(),
        state: StepState::Done,
        optional: false,
        missing: Vec::new(),
        operation,
    }
}

impl SetupStep {
    fn lacks(mut self, when: bool, sentence: &str) -> Self {
        if when {
            self.state = StepState::Todo;
            self.missing.push(sentence.to_owned());
        }
        self
    }

    /// Adds a warning, if the step is otherwise complete.
    fn heed(mut self, when: bool, sentence: impl Into<String>) -> Self {
        if when && self.state != StepState::Todo {
            self.state = StepState::Attention;
            self.missing.push(sentence.into());
        }
        self
    }

    const fn optional(mut self, when: bool) -> Self {
        self.optional = when;
        self
    }
}

/// Templates and products that the steps look at: those that active rules name, in every language and for every connection that may
/// send them.
pub(crate) fn needs(config: &TenantConfig) -> Needs {
    let mut needs = Needs::default();
    for rule in active(config) {
        if let Some(wanted) = &rule.then.template {
            for connection in carriers(config, Channel::WhatsApp) {
                let in_all = TemplateUse {
                    by_contact_language: true,
                    ..wanted.clone()
                };
                needs.template(&in_all, connection.id, false);
            }
        }
        if let Some(texts) = &rule.then.sms_text {
            needs.texts(texts);
        }
    }
    needs
}

/// The steps in the order of the wizard.
pub(crate) fn steps(config: &TenantConfig, material: &Material) -> SetupOut {
    let steps = vec![
        profile(config),
        hours(config),
        telephone_line(config),
        whatsapp(config),
        sms(config),
        template(config, material),
        rule(config, material),
    ];
    SetupOut {
        ready: steps.iter().all(|step| step.optional || step.state == StepState::Done),
        steps,
    }
}

fn profile(config: &TenantConfig) -> SetupStep {
    let tenant = &config.tenant;
    step(StepId::Profile, "Describe the business", TENANT)
        .lacks(
            tenant.default_region.is_none(),
            "The country is not set, so numbers without a country code cannot be read.",
        )
        .lacks(
            tenant.languages.is_empty(),
            "No language is set. Name the languages of your customers.",
        )
        .heed(
            !tenant.variables.contains_key("phone"),
            "Messages cannot name your telephone number. Set the variable `phone`.",
        )
}

fn hours(config: &TenantConfig) -> SetupStep {
    let hours = config.tenant.business_hours.as_ref();
    step(StepId::Hours, "Set the business hours", TENANT)
        .heed(
            hours.is_none(),
            "No business hours are set, so the business counts as always open.",
        )
        .heed(
            hours.is_some_and(domain::tenant::BusinessHours::is_never),
            "The business is closed all week, so every call counts as after hours.",
        )
        .optional(true)
}

fn telephone_line(config: &TenantConfig) -> SetupStep {
    let reports = |connection: &&ConnectionSummary| connection.reports_calls();
    let lines: Vec<_> = config.connections.iter().filter(reports).collect();
    let title = "Connect a telephone line";
    let broken = config.lines.iter().find_map(|line| {
        let problem = line_problems(line, &config.lines, &config.connections)
            .into_iter()
            .next()?;
        Some(format!("{}: {problem}", line.name.as_str()))
    });
    let connect = step(StepId::TelephoneLine, title, CONNECT)
        .lacks(
            lines.is_empty(),
            "No connection reports calls, so missed calls are not noticed.",
        )
        .heed(broken.is_some(), broken.clone().unwrap_or_default());
    // Of several connections, each is of use by itself.
    if !lines.is_empty() && lines.iter().all(|line| trouble(line).is_some()) {
        return heeding(connect, lines.into_iter());
    }
    let operation = if broken.is_some() && !lines.is_empty() {
        LINE
    } else {
        connect.operation
    };
    SetupStep { operation, ..connect }
}

/// The problem of a connection, as far as it is known, and how to solve it.
fn trouble(connection: &ConnectionSummary) -> Option<(String, OperationLink)> {
    if let Some(reason) = &connection.unhealthy {
        return Some((format!("the provider refuses it: {reason}."), CREDENTIALS));
    }
    if connection.awaits_secret {
        let sentence = "it has no credentials to verify webhooks, so no call is accepted. Set its credentials.";
        return Some((sentence.to_owned(), CREDENTIALS));
    }
    let sentence = match connection.tested {
        Some(CheckResult::Passed | CheckResult::Waiting) => return None,
        Some(CheckResult::Failed) => "its last test failed. Look at the connection.",
        Some(CheckResult::Unclear) => "the provider did not answer its last test. Test it again.",
        None => "it has not been tested since its last change. Test it.",
    };
    Some((sentence.to_owned(), TEST))
}

/// Adds a warning about the first of these connections that does not work.
fn heeding<'a>(step: SetupStep, mut connections: impl Iterator<Item = &'a ConnectionSummary>) -> SetupStep {
    let found = connections.find_map(|connection| Some((&connection.name, trouble(connection)?)));
    let Some((name, (sentence, operation))) = found else {
        return step;
    };
    SetupStep {
        operation,
        ..step.heed(true, format!("{name}: {sentence}"))
    }
}

fn whatsapp(config: &TenantConfig) -> SetupStep {
    let connect = step(StepId::Whatsapp, "Connect WhatsApp", CONNECT)
        .lacks(
            !carries(config, Channel::WhatsApp),
            "No connection sends WhatsApp messages.",
        )
        .optional(only(config, Channel::Sms));
    heeding(connect, carriers(config, Channel::WhatsApp))
}

/// True if the active rules use this channel only.
fn only(config: &TenantConfig, channel: Channel) -> bool {
    let mut channels = active(config).flat_map(|rule| &rule.then.channels).peekable();
    channels.peek().is_some() && channels.all(|used| *used == channel)
}

fn carries(config: &TenantConfig, channel: Channel) -> bool {
    carriers(config, channel).next().is_some()
}

fn active(config: &TenantConfig) -> impl Iterator<Item = &Rule> {
    config.rules.iter().filter(|rule| rule.enabled)
}

fn sms(config: &TenantConfig) -> SetupStep {
    let falls_back = active(config).any(|rule| rule.then.channels.contains(&Channel::Sms));
    let connect = step(
        StepId::SmsFallback,
        "Connect SMS for customers without WhatsApp",
        CONNECT,
    )
    .lacks(
        !carries(config, Channel::Sms),
        "No connection sends SMS, so customers without WhatsApp get no message.",
    )
    .heed(!falls_back, "No active rule includes `sms` in its channels.")
    .optional(!only(config, Channel::Sms));
    heeding(connect, carriers(config, Channel::Sms))
}

/// The reason why an active rule cannot use this channel, with the rule's name.
fn obstacle(config: &TenantConfig, material: &Material, channel: Channel) -> Option<String> {
    let mut writing = active(config).filter(|rule| rule.then.channels.contains(&channel));
    writing.find_map(|rule| {
        let obstacle = obstacles(config, material, rule, channel).into_iter().next()?;
        Some(format!("{}: {obstacle}.", rule.name))
    })
}

fn template(config: &TenantConfig, material: &Material) -> SetupStep {
    let approved = material.templates.iter().any(|template| template.status.sendable());
    let obstacle = obstacle(config, material, Channel::WhatsApp);
    step(StepId::Template, "Get a WhatsApp template approved", LOOK)
        .lacks(
            material.templates.is_empty(),
            "No template exists. The first message after a call must use one.",
        )
        .heed(!approved, "No template is approved by WhatsApp.")
        .heed(approved && obstacle.is_some(), obstacle.unwrap_or_default())
        .optional(only(config, Channel::Sms))
}

fn rule(config: &TenantConfig, material: &Material) -> SetupStep {
    let broken = active(config).find_map(|rule| {
        let problem = rule_problems(rule, config, material).into_iter().next()?;
        Some(format!("{}: {problem}.", rule.name))
    });
    let broken = broken.or_else(|| obstacle(config, material, Channel::Sms));
    step(StepId::Rule, "Activate a rule", LOOK)
        .lacks(
            active(config).next().is_none(),
            "No rule is active, so no call is followed by a message.",
        )
        .heed(broken.is_some(), broken.unwrap_or_default())
}
