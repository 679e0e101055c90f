//! Templates and Meta: their life from the draft to the deletion, and late reports about one that is in use, in every order.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use domain::accounts::Role;
use domain::messages::Message;
use domain::notices::Matter;
use domain::terms::{Category, Channel, Phone};
use futures::future::{try_join, try_join_all};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stack::business::Plan;
use stack::mails;
use stack::play::{Look, merge, until};

use crate::notices::notify;
use crate::stage::{Business, PATIENCE, Stage, customer, in_a_hurry, on_stage};

const TEMPLATES: &str = "/api/v1/templates";
const MESSAGES: &str = "/api/v1/messages";

/// The template of the seeded automation.
const IN_USE: &str = "missed_call";

/// Time until what is queued is due: most probably after the first report, which no assertion takes for granted.
const LATER: SignedDuration = SignedDuration::from_secs(20);

/// Waits until the API shows this of a template.
async fn shows(business: &Business<'_>, path: &str, expected: &[(&str, &str)]) -> Result<Value> {
    until(PATIENCE, &format!("{path} with {expected:?}"), async || {
        // A key may ask a hundred times a minute.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let shown = business.api("get", path, None).await?;
        let fits = expected.iter().all(|(name, value)| shown[*name] == *value);
        Ok(Look::from_option(fits.then(|| shown.clone()), || shown.to_string()))
    })
    .await
}

/// The versions of a template that Meta has.
async fn at_meta(business: &Business<'_>, name: &str) -> Result<Vec<Value>> {
    let path = format!("/templates?tenant={}&name={name}", business.id());
    business.stage.play.get(&path).await
}

/// Lets events happen at Meta. `more`: as in the simulators' README.
async fn happens(business: &Business<'_>, name: &str, events: &Value, more: Value) -> Result<()> {
    let mut order = json!({ "tenant": business.id(), "name": name, "events": events });
    merge(&mut order, more);
    let answer = business.stage.play.post("/templates/events", &order).await?;
    let told = answer["webhooks"].as_array().cloned().unwrap_or_default();
    ensure!(told.iter().all(|webhook| webhook["status"] == 200), "{answer}");
    Ok(())
}

/// A request for a message by a template, with what `more` says.
fn message(to: &Phone, template: &Value, more: Value) -> Value {
    let mut message = json!({
        "phone": to, "category": "utility", "basis": "Asked for it in the shop", "template": template,
    });
    merge(&mut message, more);
    message
}

fn missed_call() -> Value {
    let variables = json!({ "1": { "text": "Maya" }, "2": { "text": "the bakery" }, "3": { "text": "14:05" } });
    json!({ "name": IN_USE, "language": "en", "variables": variables })
}

/// Writes a template and returns its path.
async fn draft_template(business: &Business<'_>, name: &str) -> Result<String> {
    let draft = json!({ "name": name, "language": "en", "content": {
        "category": "utility", "body": "Hello {{1}}, your order is ready to be collected.", "samples": { "1": "Maya" },
    } });
    let made = business.api("post", TEMPLATES, Some(draft)).await?;
    ensure!(made["status"] == "DRAFT", "{made}");
    let id = made["id"].as_str().context("a template has an id")?;
    Ok(format!("{TEMPLATES}/{id}"))
}

async fn is_not_editable(business: &Business<'_>, submit: &str) -> Result<()> {
    let refused = business.ask("post", submit, Some(json!({}))).await?;
    let told = refused.status == 409 && refused.body.contains("template_not_editable");
    ensure!(told, "{} {}", refused.status, refused.body);
    Ok(())
}

/// A draft that is examined, submitted by two people at once, changed while it is reviewed, approved, sent, and changed again.
#[test]
fn template_lives_from_its_draft_to_its_second_edit() {
    on_stage(async |stage| {
        let business = stage.changed_business("Lifecycle", reviewed_by_hand).await?;
        let wrong = json!({ "name": "order_1", "language": "en", "content": {
            "category": "utility", "body": "{{1}}, your order is ready.",
        } });
        let found = business.api("post", &format!("{TEMPLATES}/lint"), Some(wrong)).await?;
        ensure!(found["problems"][0]["field"] == "content.body", "{found}");

        let path = draft_template(&business, "order_1").await?;
        ensure!(at_meta(&business, "order_1").await?.is_empty(), "Meta knows no drafts");
        let submit = format!("{path}/submit");
        let submitted = || Box::pin(business.ask("post", &submit, Some(json!({}))));
        let (one, other) = try_join(submitted(), submitted()).await?;
        ensure!(one.status == 200 || other.status == 200, "{one:?} {other:?}");
        for answer in [one, other] {
            let refused = answer.status == 409 && answer.body.contains("template_submitting");
            ensure!(answer.status == 200 || refused, "{answer:?}");
        }
        let listed = at_meta(&business, "order_1").await?;
        ensure!(listed.len() == 1 && listed[0]["status"] == "PENDING", "{listed:?}");
        shows(&business, &path, &[("status", "PENDING")]).await?;

        let footer = |text: &str| Some(json!({ "content": { "footer": text } }));
        let edited = business.api("patch", &path, footer("See you soon")).await?;
        ensure!(edited["draft"]["footer"] == "See you soon", "{edited}");
        is_not_editable(&business, &submit).await?;

        let approval = json!([{ "event": "approve" }]);
        happens(&business, "order_1", &approval, json!({})).await?;
        shows(&business, &path, &[("status", "APPROVED")]).await?;
        let person = customer();
        let template = json!({ "name": "order_1", "language": "en", "variables": { "1": { "text": "Maya" } } });
        let asked = message(&person, &template, json!({}));
        business.api("post", MESSAGES, Some(asked)).await?;
        let sent = business.wait_until_accepted(&person, Channel::WhatsApp).await?;
        let name = sent.template.as_ref().map(|template| template.name.as_str());
        ensure!(name == Some("order_1"), "{sent:?}");

        let changed = business.api("post", &submit, Some(json!({}))).await?;
        ensure!(changed["edition"] == 1 && changed["draft"].is_null(), "{changed}");
        let components = at_meta(&business, "order_1").await?[0]["components"].to_string();
        ensure!(components.contains("See you soon"), "{components}");
        happens(&business, "order_1", &approval, json!({})).await?;
        shows(&business, &path, &[("status", "APPROVED")]).await?;
        business.api("patch", &path, footer("See you tomorrow")).await?;
        is_not_editable(&business, &submit).await
    });
}

/// Meta's reviews take as long as the test wants.
fn reviewed_by_hand(plan: &mut Plan) {
    plan.simulated = json!({ "whatsapp": { "template_review_seconds": null } });
}

/// An approval and a deletion whose webhooks are lost are noticed by the next list.
#[test]
fn lost_reports_about_templates_are_found_by_a_list() {
    on_stage(async |stage| {
        let business = stage.changed_business("Lost reports", reviewed_by_hand).await?;
        let path = draft_template(&business, "order_1").await?;
        business.api("post", &format!("{path}/submit"), Some(json!({}))).await?;
        let approved = json!([{ "event": "approve" }]);
        happens(&business, "order_1", &approved, json!({ "deliver": false })).await?;
        let deleted = json!([{ "event": "delete" }]);
        let quietly = json!({ "deliver": false, "language": "ar" });
        happens(&business, IN_USE, &deleted, quietly).await?;
        shows(&business, &path, &[("status", "PENDING")]).await?;

        // What was reported less than 90 s before a list is not missed by it: the provider may have read the list before.
        let connection = &business.tenant.connections["whatsapp"];
        let version = |language: &str| format!("{TEMPLATES}/{connection}.{IN_USE}.{language}");
        until(PATIENCE, "a list that misses the deleted template", async || {
            let sync = format!("{TEMPLATES}/sync");
            let started = business.api("post", &sync, Some(json!({}))).await?;
            let listed = business.wait_for_operation(&started).await?;
            let shown = business.api("get", &version("ar"), None).await?;
            if shown["status"] == "DELETED" {
                return Ok(Look::Seen(()));
            }
            // Twelve lists may be asked for in an hour: more than are within our patience.
            tokio::time::sleep(PATIENCE / 12).await;
            Ok(Look::Instead(format!("{shown}, and the list: {listed}")))
        })
        .await?;
        shows(&business, &path, &[("status", "APPROVED")]).await?;
        shows(&business, &version("en"), &[("status", "APPROVED")])
            .await
            .map(drop)
    });
}

/// Events of the template in use, in the order of their times: it is paused, moved to another category, and reinstated.
fn events() -> [(&'static str, Value); 3] {
    const STATUS: &str = "message_template_status_update";
    let paused = json!({
        "event": "PAUSED", "message_template_category": "UTILITY", "reason": "NONE",
        "other_info": { "title": "FIRST_PAUSE", "description": "Paused for low quality." },
    });
    let moved = json!({ "previous_category": "UTILITY", "new_category": "MARKETING" });
    let reinstated = json!({ "event": "REINSTATED", "message_template_category": "MARKETING", "reason": "NONE" });
    let moved = ("template_category_update", moved);
    [(STATUS, paused), moved, (STATUS, reinstated)]
}

/// State and category after these reports: those of the latest times.
fn expected_state(arrived: &[usize]) -> [(&'static str, &'static str); 2] {
    let has = |place: usize| arrived.contains(&place);
    let status = if has(2) {
        "REINSTATED"
    } else if has(0) {
        "PAUSED"
    } else {
        "APPROVED"
    };
    let category = if has(1) || has(2) { "marketing" } else { "utility" };
    [("status", status), ("category", category)]
}

/// A business whose automation uses the template, and what it sends meanwhile.
struct Sending<'a> {
    business: Business<'a>,
    path: String,
    /// Meta's id of the template.
    id: u64,
    began: Timestamp,
}

impl<'a> Sending<'a> {
    async fn begin(stage: &'a Stage, name: &str) -> Result<Self> {
        let business = stage
            .changed_business(name, |plan| {
                let then = plan.then();
                then["template"]["by_contact_language"] = false.into();
                then["fallback_after_seconds"] = 0.into();
                then["delay_seconds"] = LATER.as_secs().into();
            })
            .await?;
        let listed = at_meta(&business, IN_USE).await?;
        let own = listed.iter().find(|one| one["language"] == "en");
        let id = own.and_then(|own| own["id"].as_str()).context("Meta has it")?.parse()?;
        // It has happened at Meta; only the reports are late.
        let events =
            json!([{ "event": "pause" }, { "event": "category", "category": "MARKETING" }, { "event": "reinstate" }]);
        let quietly = json!({ "language": "en", "deliver": false });
        happens(&business, IN_USE, &events, quietly).await?;
        let connection = &business.tenant.connections["whatsapp"];
        Ok(Self {
            path: format!("{TEMPLATES}/{connection}.{IN_USE}.en"),
            id,
            began: Timestamp::now(),
            business,
        })
    }

    /// Lets a report arrive from Meta.
    async fn report_event(&self, place: usize) -> Result<()> {
        let event = events().into_iter().nth(place);
        let (field, mut value) = event.context("there are three events")?;
        let named = json!({
            "message_template_id": self.id, "message_template_name": IN_USE, "message_template_language": "en",
        });
        merge(&mut value, named);
        let at = self.began + SignedDuration::from_secs(i64::try_from(place)?);
        let webhook = json!({ "tenant": self.business.id(), "field": field, "value": value, "at": at, "wait": true });
        let answer = self.business.stage.play.post("/webhooks", &webhook).await?;
        ensure!(answer["status"] == 200, "{answer}");
        Ok(())
    }

    /// Asks for a message that can also go by SMS.
    async fn ask(&self, to: &Phone, at: Option<Timestamp>) -> Result<()> {
        let sms = "Hello from the bakery. Reply STOP for no more messages.";
        let mut more = json!({ "sms_text": sms, "fallback_after_seconds": 0 });
        if let Some(at) = at {
            more["send_at"] = json!(at);
        }
        let asked = message(to, &missed_call(), more);
        self.business.api("post", MESSAGES, Some(asked)).await.map(drop)
    }

    /// The template cannot be sent: a message that needs it is refused with the reason.
    async fn is_refused(&self) -> Result<()> {
        let asked = message(&customer(), &missed_call(), json!({}));
        let refused = self.business.ask("post", MESSAGES, Some(asked)).await?;
        let problem: Value = serde_json::from_str(&refused.body).context("a problem is JSON")?;
        let told = refused.status == 409 && problem["code"] == "template";
        ensure!(told, "{} {}", refused.status, refused.body);
        Ok(())
    }

    /// Requires that the message went out once, and by SMS only with what WhatsApp's template lacked. Returns its channel and the message.
    async fn went_once(&self, to: &Phone) -> Result<(Channel, Message)> {
        let message = self.business.wait_until_settled(to).await?;
        let sent = self.business.outbox(to).await?;
        let [sent] = &sent[..] else {
            bail!("not once: {sent:?} {message:?}");
        };
        if sent.channel == Channel::Sms {
            let legs = message.plan.iter().enumerate();
            for (place, _) in legs.filter(|(_, leg)| leg.channel == Channel::WhatsApp) {
                let tried = message.attempts.iter();
                let mut tried = tried.filter(|attempt| usize::from(attempt.leg) == place);
                let names = |reason: &str| reason.contains(IN_USE);
                let told = tried.any(|attempt| attempt.error.as_ref().is_some_and(|error| names(&error.reason)));
                ensure!(told, "no reason: {message:?}");
            }
        }
        Ok((sent.channel, message))
    }
}

/// Messages are sent while the reports arrive in this order.
async fn sends_while_told<'a>(stage: &'a Stage, order: &[usize]) -> Result<Sending<'a>> {
    let name: String = order.iter().map(ToString::to_string).collect();
    let name = format!("Reports {name}");
    let sending = Box::pin(Sending::begin(stage, &name)).await?;
    let three = || [customer(), customer(), customer()];
    let (queued, racing) = (three(), three());
    for to in &queued {
        sending.ask(to, Some(Timestamp::now() + LATER)).await?;
    }
    let caller = sending.business.miss_call("telephony").await?;

    let (mut known, mut after) = (None, Vec::new());
    for (count, place) in order.iter().enumerate() {
        if count == 0 {
            let asked = try_join_all(racing.iter().map(|to| Box::pin(sending.ask(to, None))));
            try_join(Box::pin(asked), Box::pin(sending.report_event(*place))).await?;
        } else {
            sending.report_event(*place).await?;
        }
        shows(&sending.business, &sending.path, &expected_state(&order[..=count])).await?;
        let _first = known.get_or_insert_with(Timestamp::now);
        // None of these states allows messages of this category.
        sending.is_refused().await?;
        let to = customer();
        sending.ask(&to, None).await?;
        after.push(to);
    }

    for to in racing.iter().chain(&queued).chain([&caller]) {
        let (by, message) = sending.went_once(to).await?;
        let is_queued = *to == caller || queued.contains(to);
        let after_it_was_known = is_queued && known.is_some_and(|known| known < message.not_before);
        let fine = !after_it_was_known || by == Channel::Sms;
        ensure!(fine, "sent by WhatsApp: {message:?}");
    }
    for to in &after {
        let (by, message) = sending.went_once(to).await?;
        ensure!(by == Channel::Sms, "sent by WhatsApp: {message:?}");
    }
    shows(&sending.business, &sending.path, &expected_state(order)).await?;

    let scope = sending.business.scope()?;
    let connection = &sending.business.tenant.connections["whatsapp"];
    let key = format!("template_paused#{connection}#{IN_USE}#en");
    until(PATIENCE, "a notice of the other category", async || {
        let found = stage.play.store.notice(&scope, &key).await?;
        let matter = found.map(|found| found.value.notice.matter);
        Ok(match matter {
            Some(Matter::TemplatePaused {
                category: Some(Category::Marketing),
                ..
            }) => Look::Seen(()),
            other => Look::Instead(format!("{order:?}: {other:?}")),
        })
    })
    .await?;
    Ok(sending)
}

/// A template that an automation uses is paused, moved to another category and reinstated, while messages with it are sent. In whatever
/// order the reports arrive, the latest of what has arrived counts, nothing is lost or sent twice, nothing is sent by the template once it
/// is known that it cannot be, and managers are told.
#[test]
fn reports_on_a_template_in_use_count_in_every_order() {
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    in_a_hurry(async |stage| {
        let played = ORDERS.iter().map(|order| Box::pin(sends_while_told(stage, order)));
        let played = try_join_all(played).await?;
        notify(stage).await?;
        for sending in &played {
            let users = &sending.business.tenant.users;
            for role in [Role::Manager, Role::Admin] {
                let mail = mails::wait_for_mail(&stage.play, &users.of(role).email, PATIENCE).await?;
                ensure!(mail.text.contains(IN_USE), "{mail:?}");
            }
        }
        Ok(())
    });
}
