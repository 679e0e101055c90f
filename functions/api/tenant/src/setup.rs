//! The progress of the set-up, derived from the configuration.

use std::cmp::Reverse;

use domain::Timestamp;
use domain::automations::{channel_obstacles, needs_of_rules, review_rule};
use domain::destinations::{Applies, WayOut};
use domain::messages::{Material, Needs, Review, carriers};
use domain::tenants::{
    CheckResult, ConnectionSummary, Rule, TenantConfig, UnknownNumbers, called_line, letters_to, line_problems,
};
use domain::terms::{Channel, Phone, Reason, Refusal};

use crate::models::{Gap, OperationLink, SetupOut, SetupStep, StepId, StepState, UnknownNumberOut};

const TENANT: OperationLink = link("PATCH", "/api/v1/tenant");
const CONNECT: OperationLink = link("POST", "/api/v1/connections");
const LINE: OperationLink = link("PATCH", "/api/v1/lines/{line_id}");
const TEST: OperationLink = link("POST", "/api/v1/connections/{connection_id}/test");
const CREDENTIALS: OperationLink = link("PUT", "/api/v1/connections/{connection_id}/credentials");
const CREATE: OperationLink = link("POST", "/api/v1/automations");
const CHANGE: OperationLink = link("PATCH", "/api/v1/automations/{automation_id}");
/// Only an operator can write templates.
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
        gaps: Vec::new(),
        operation,
    }
}

fn gap(reason: Reason, sentence: impl Into<String>) -> Refusal {
    Refusal::new(reason, sentence)
}

impl SetupStep {
    fn lacks(mut self, when: bool, gap: Refusal) -> Self {
        if when {
            self.state = StepState::Todo;
            self.adds(gap);
        }
        self
    }

    /// Adds a warning, if the step is otherwise complete.
    fn heed(mut self, gap: Option<Refusal>) -> Self {
        if let Some(gap) = gap
            && self.state != StepState::Todo
        {
            self.state = StepState::Attention;
            self.adds(gap);
        }
        self
    }

    fn adds(&mut self, gap: Refusal) {
        self.missing.push(gap.sentence.clone());
        self.gaps.push(Gap::from(gap));
    }

    const fn optional(mut self, when: bool) -> Self {
        self.optional = when;
        self
    }
}

/// Templates and products that active rules name, for the steps.
pub(crate) fn needs(config: &TenantConfig) -> Needs {
    needs_of_rules(active(config), config)
}

/// The steps in the order of the wizard, and the called numbers that connections do not have.
pub(crate) fn progress(
    config: &TenantConfig,
    material: &Material,
    noted: &[UnknownNumbers],
    now: Timestamp,
) -> SetupOut {
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
        unknown_numbers: unknown_numbers(config, noted, now),
        sms_opt_out: way_out(config).into(),
    }
}

/// How people in the tenant's country refuse further SMS. Nobody can reply to letters.
fn way_out(config: &TenantConfig) -> WayOut {
    let country = config.tenant.country();
    let by_letters = carriers(config, Channel::Sms).any(|sender| letters_to(&sender.letters, country).is_some());
    match WayOut::of(country) {
        WayOut::Reply if by_letters => WayOut::Elsewhere,
        way => way,
    }
}

/// The noted numbers of the last day that their connections do not have even now.
fn unknown_numbers(config: &TenantConfig, noted: &[UnknownNumbers], now: Timestamp) -> Vec<UnknownNumberOut> {
    let of = |noted: &UnknownNumbers| {
        let connection = config.connections.iter().find(|one| one.id == noted.connection)?;
        // Some providers report every call of an account to all of its connections: then another one takes it. Twilio asks at the address of
        // the number alone.
        let elsewhere = |number: &Phone| {
            let mut others = config.connections.iter().filter(|other| other.id != connection.id);
            others.any(|other| {
                other.kind == connection.kind && other.kind != "twilio" && other.called_numbers.contains(number)
            })
        };
        let unknown = noted.recent(now);
        let unknown = unknown.filter(|one| !connection.takes_calls_to(&one.number) && !elsewhere(&one.number));
        let shown = unknown.map(|one| UnknownNumberOut {
            number: one.number.clone(),
            at: one.at,
            connection_id: connection.id,
            connection_name: connection.name.clone(),
            line_id: called_line(&config.lines, &one.number).map(|line| line.id),
        });
        Some(shown.collect::<Vec<_>>())
    };
    let mut all: Vec<_> = noted.iter().filter_map(of).flatten().collect();
    all.sort_by_key(|one| Reverse(one.at));
    all
}

fn profile(config: &TenantConfig) -> SetupStep {
    let tenant = &config.tenant;
    let unnamed = !tenant.variables.contains_key("phone");
    step(StepId::Profile, "Describe the business", TENANT)
        .lacks(
            tenant.default_region.is_none(),
            gap(
                Reason::NoCountry,
                "The country is not set, so numbers without a country code cannot be read.",
            ),
        )
        .lacks(
            tenant.languages.is_empty(),
            gap(
                Reason::NoLanguage,
                "No language is set. Name the languages of your customers.",
            ),
        )
        .heed(unnamed.then(|| {
            gap(
                Reason::NoOwnNumber,
                "Messages cannot name your telephone number. Set the variable `phone`.",
            )
        }))
}

fn hours(config: &TenantConfig) -> SetupStep {
    let found = match &config.tenant.business_hours {
        None => Some(gap(
            Reason::NoHours,
            "No business hours are set, so the business counts as always open.",
        )),
        Some(hours) if hours.is_never() => Some(gap(
            Reason::NeverOpen,
            "The business is closed all week, so every call counts as after hours.",
        )),
        Some(_) => None,
    };
    step(StepId::Hours, "Set the business hours", TENANT)
        .heed(found)
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
        let found = gap(Reason::LineProblem, format!("{}: {problem}", line.name.as_str()));
        let found = found.and("line", line.name.as_str()).and("field", problem.field);
        Some(found.and("problem", problem.code.as_str()))
    });
    let operation = if broken.is_some() && !lines.is_empty() {
        LINE
    } else {
        CONNECT
    };
    let connect = step(StepId::TelephoneLine, title, operation)
        .lacks(
            lines.is_empty(),
            gap(
                Reason::NoCalls,
                "No connection reports calls, so missed calls are not noticed.",
            ),
        )
        .heed(broken);
    // Of several connections, each is of use by itself. But calls from one that fails do not arrive.
    let all_troubled = lines.iter().all(|line| trouble(line).is_some());
    let fails = |line: &&ConnectionSummary| all_troubled || line.unhealthy.is_some() || line.awaits_secret;
    heeding(connect, lines.into_iter().filter(fails))
}

/// The problem of a connection, as far as it is known, and how to solve it.
fn trouble(connection: &ConnectionSummary) -> Option<(Refusal, OperationLink)> {
    let name = connection.name.as_str();
    let found = |reason: Reason, sentence: &str| gap(reason, format!("{name}: {sentence}")).and("connection", name);
    if let Some(reason) = &connection.unhealthy {
        let sentence = format!("the provider refuses it: {reason}.");
        let found = found(Reason::ConnectionBroken, &sentence);
        return Some((found.and_if("since_at", connection.unhealthy_since), CREDENTIALS));
    }
    if connection.awaits_secret {
        let sentence = "it has no credentials to verify webhooks, so no report is accepted. Set its credentials.";
        return Some((found(Reason::NoWebhookSecret, sentence), CREDENTIALS));
    }
    let (reason, sentence) = match connection.tested {
        Some(CheckResult::Passed | CheckResult::Waiting) => return None,
        Some(CheckResult::Failed) => (Reason::TestFailed, "its last test failed. Look at the connection."),
        Some(CheckResult::Unclear) => (
            Reason::TestUnclear,
            "the provider did not answer its last test. Test it again.",
        ),
        None => (
            Reason::NotTested,
            "it has not been tested since its last change. Test it.",
        ),
    };
    Some((found(reason, sentence), TEST))
}

/// Adds a warning about the first of these connections that does not work.
fn heeding<'a>(step: SetupStep, mut connections: impl Iterator<Item = &'a ConnectionSummary>) -> SetupStep {
    let Some((found, operation)) = connections.find_map(trouble) else {
        return step;
    };
    SetupStep {
        operation,
        ..step.heed(Some(found))
    }
}

fn whatsapp(config: &TenantConfig) -> SetupStep {
    let none = gap(Reason::NoSender, "No connection sends WhatsApp messages.");
    let connect = step(StepId::Whatsapp, "Connect WhatsApp", CONNECT)
        .lacks(
            !carries(config, Channel::WhatsApp),
            none.and("channel", Channel::WhatsApp.as_str()),
        )
        .optional(is_only_channel(config, Channel::Sms));
    heeding(connect, carriers(config, Channel::WhatsApp))
}

/// True if the active rules use this channel only.
fn is_only_channel(config: &TenantConfig, channel: Channel) -> bool {
    let mut channels = active(config).flat_map(|rule| rule.then.channels.iter()).peekable();
    channels.peek().is_some() && channels.all(|used| *used == channel)
}

fn carries(config: &TenantConfig, channel: Channel) -> bool {
    carriers(config, channel).next().is_some()
}

fn active(config: &TenantConfig) -> impl Iterator<Item = &Rule> {
    config.rules.iter().filter(|rule| rule.is_active())
}

fn sms(config: &TenantConfig) -> SetupStep {
    let falls_back = active(config).any(|rule| rule.then.channels.contains(&Channel::Sms));
    let of_sms = |reason: Reason, sentence: &str| gap(reason, sentence).and("channel", Channel::Sms.as_str());
    let connect = step(
        StepId::SmsFallback,
        "Connect SMS for customers without WhatsApp",
        CONNECT,
    )
    .lacks(
        !carries(config, Channel::Sms),
        of_sms(
            Reason::NoSender,
            "No connection sends SMS, so customers without WhatsApp get no message.",
        ),
    )
    .heed((!falls_back).then(|| of_sms(Reason::ChannelUnused, "No active rule includes `sms` in its channels.")))
    .optional(!is_only_channel(config, Channel::Sms));
    heeding(connect, carriers(config, Channel::Sms))
}

/// The reason why an active rule cannot use this channel, with the rule's name.
fn obstacle(config: &TenantConfig, material: &Material, channel: Channel) -> Option<Refusal> {
    let mut writing = active(config).filter(|rule| rule.then.channels.contains(&channel));
    writing.find_map(|rule| {
        let mut obstacles = channel_obstacles(config, material, rule, channel).into_iter();
        // A rule of the country that refuses none is told where texts are written.
        let (obstacle, _) = obstacles.find(|(_, applies)| *applies == Applies::Refuse)?;
        let mut found = gap(Reason::RuleObstacle, format!("{}: {obstacle}.", rule.name.as_str()));
        found.facts = obstacle.of_channel(channel.as_str());
        Some(found.and("rule", rule.name.as_str()))
    })
}

fn template(config: &TenantConfig, material: &Material) -> SetupStep {
    let approved = material.templates.iter().any(|template| template.status.sendable());
    let found = if approved {
        obstacle(config, material, Channel::WhatsApp)
    } else {
        Some(gap(Reason::NoneApproved, "No template is approved by WhatsApp."))
    };
    step(StepId::Template, "Get a WhatsApp template approved", LOOK)
        .lacks(
            material.templates.is_empty(),
            gap(
                Reason::NoTemplates,
                "No template exists. The first message after a call must use one.",
            ),
        )
        .heed(found)
        .optional(is_only_channel(config, Channel::Sms))
}

/// The problem of a rule, or the channel that no connection sends.
fn wrong(rule: &Rule, found: Review) -> Option<Refusal> {
    let name = rule.name.as_str();
    if let Some(problem) = found.problems.into_iter().next() {
        let found = gap(Reason::RuleInvalid, format!("{name}: {problem}"));
        let found = found.and("rule", name).and("problem", problem.code.as_str());
        return Some(found.and("field", problem.field));
    }
    let mut reasons = found.warnings.into_iter().map(|warning| warning.why);
    let unsent = reasons.find(|why| why.reason == Reason::NoSender)?;
    Some(Refusal {
        sentence: format!("{name}: {unsent}"),
        ..unsent
    })
}

fn rule(config: &TenantConfig, material: &Material) -> SetupStep {
    let broken = active(config).find_map(|rule| wrong(rule, review_rule(rule, config, material)));
    let broken = broken.or_else(|| obstacle(config, material, Channel::Sms));
    let operation = if config.rules.is_empty() { CREATE } else { CHANGE };
    step(StepId::Rule, "Activate a rule", operation)
        .lacks(
            active(config).next().is_none(),
            gap(
                Reason::NoActiveRule,
                "No rule is active, so no call is followed by a message.",
            ),
        )
        .heed(broken)
}
