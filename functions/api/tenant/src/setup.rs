//! The list of what is still to be set up, from what is configured.

use domain::{
    checkup::CheckResult,
    message::Channel,
    rule::Rule,
    tenant::{ConnectionSummary, TenantConfig},
};

use crate::models::{OperationLink, SetupOut, SetupStep, StepId, StepState};

const TENANT: OperationLink = link("PATCH", "/api/v1/tenant");
const CONNECT: OperationLink = link("POST", "/api/v1/connections");
const TEST: OperationLink = link("POST", "/api/v1/connections/{id}/test");
/// Rules and templates are an operator's to write.
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

    /// Said only of what is complete.
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

/// The steps, in the order of a wizard.
pub(crate) fn steps(config: &TenantConfig) -> SetupOut {
    let steps = vec![
        profile(config),
        hours(config),
        telephone_line(config),
        whatsapp(config),
        sms(config),
        template(config),
        rule(config),
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
            "No language is set: say which one customers speak.",
        )
        .heed(
            !tenant.variables.contains_key("phone"),
            "Messages cannot name the business's telephone number: set the variable `phone`.",
        )
}

fn hours(config: &TenantConfig) -> SetupStep {
    let hours = config.tenant.business_hours.as_ref();
    step(StepId::Hours, "Set the business hours", TENANT)
        .heed(
            hours.is_none(),
            "No hours are set: the business counts as open around the clock.",
        )
        .heed(
            hours.is_some_and(domain::tenant::BusinessHours::is_never),
            "The business is closed all week, so every call counts as after hours.",
        )
        .optional(true)
}

/// Kinds that report calls. Twilio does for its numbers.
fn reports_calls(connection: &&ConnectionSummary) -> bool {
    connection.kind != "whatsapp"
}

fn telephone_line(config: &TenantConfig) -> SetupStep {
    let lines: Vec<_> = config.connections.iter().filter(reports_calls).collect();
    let title = "Connect a telephone line";
    let connect = step(StepId::TelephoneLine, title, CONNECT).lacks(
        lines.is_empty(),
        "No telephone line is connected, so no missed call is known.",
    );
    tests(connect, &lines)
}

/// What the tests of connections of which one is needed have found.
fn tests(step: SetupStep, connections: &[&ConnectionSummary]) -> SetupStep {
    let works = |connection: &&&ConnectionSummary| {
        matches!(connection.tested, Some(CheckResult::Passed | CheckResult::Waiting))
    };
    if connections.iter().any(|connection| works(&connection)) {
        return step;
    }
    let failed = connections
        .iter()
        .find(|connection| connection.tested == Some(CheckResult::Failed));
    let mut step = match (failed, connections.first()) {
        (Some(failed), _) => step.heed(
            true,
            format!("{}: its last test failed. Look at the connection.", failed.name),
        ),
        (None, Some(untested)) => step.heed(true, format!("{}: it was never tested. Test it.", untested.name)),
        (None, None) => return step,
    };
    step.operation = TEST;
    step
}

fn whatsapp(config: &TenantConfig) -> SetupStep {
    let carriers = carrying(config, Channel::WhatsApp);
    let connect = step(StepId::Whatsapp, "Connect WhatsApp", CONNECT)
        .lacks(carriers.is_empty(), "No connection sends WhatsApp messages.")
        .optional(only(config, Channel::Sms));
    tests(connect, &carriers)
}

/// Whether the active rules write by this channel alone.
fn only(config: &TenantConfig, channel: Channel) -> bool {
    let mut channels = active(config).flat_map(|rule| &rule.then.channels).peekable();
    channels.peek().is_some() && channels.all(|used| *used == channel)
}

fn carrying(config: &TenantConfig, channel: Channel) -> Vec<&ConnectionSummary> {
    let carries = |connection: &&ConnectionSummary| connection.carries.contains(&channel);
    config.connections.iter().filter(carries).collect()
}

fn active(config: &TenantConfig) -> impl Iterator<Item = &Rule> {
    config.rules.iter().filter(|rule| rule.enabled)
}

fn sms(config: &TenantConfig) -> SetupStep {
    let carriers = carrying(config, Channel::Sms);
    let falls_back = active(config).any(|rule| rule.then.channels.contains(&Channel::Sms));
    let connect = step(StepId::SmsFallback, "Connect SMS for who has no WhatsApp", CONNECT)
        .lacks(
            carriers.is_empty(),
            "No connection sends SMS: who is not on WhatsApp hears nothing.",
        )
        .heed(!falls_back, "No active rule has `sms` among its channels.")
        .optional(!only(config, Channel::Sms));
    tests(connect, &carriers)
}

fn template(config: &TenantConfig) -> SetupStep {
    let direct = carrying(config, Channel::WhatsApp)
        .iter()
        .any(|connection| !connection.needs_content_sid);
    let approved = config.templates.iter().any(|template| {
        let sendable = |needs_content_sid| template.sendable(needs_content_sid).is_ok();
        sendable(!direct) || sendable(direct)
    });
    step(StepId::Template, "Have a WhatsApp template approved", LOOK)
        .lacks(
            config.templates.is_empty(),
            "There is no template: the first message after a call must be one.",
        )
        .heed(!approved, "No template is approved by WhatsApp.")
        .optional(only(config, Channel::Sms))
}

fn rule(config: &TenantConfig) -> SetupStep {
    let broken = active(config).find_map(|rule| {
        let problem = rule.problems(config).into_iter().next()?;
        Some(format!("{}: {problem}", rule.name))
    });
    step(StepId::Rule, "Switch on a rule", LOOK)
        .lacks(
            active(config).next().is_none(),
            "No rule is active, so no call is followed by a message.",
        )
        .heed(broken.is_some(), broken.unwrap_or_default())
}
