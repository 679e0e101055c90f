//! Calls, messages and what providers report about them.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use domain::{
    Timestamp,
    contact::{Contact, Identity},
    ids::{CallId, ContactId, MessageId},
    message::{Channel, Message, Remark},
    phone::Phone,
};
use providers::{telephony, twilio, whatsapp};
use serde_json::{Value, json};
use store::{StoreError, contacts::ContactWrite};

use super::{PATIENCE, new_ulid, scope, succeeded};
use crate::{
    api, business,
    endpoints::Tenant,
    iam::{Audit, Full, partitions},
    play::{Answer, Customer, Look, new_phone, until},
    secrets::random_hex,
};

/// Partition keys of a tenant's own partition, as in the template.
const OWN_PARTITION: &str = "T#??????????????????????????";

/// Maximum size of a row in bytes.
const LARGEST_ROW: usize = 400 * 1024;

impl Audit<'_> {
    /// A call that its telephone system reports as missed, so a message follows.
    pub(super) async fn missed(&self, business: &Tenant) -> Result<()> {
        self.missed_from(business, &new_phone()?).await
    }

    pub(super) async fn missed_from(&self, business: &Tenant, from: &Phone) -> Result<()> {
        let more = json!({ "via": "telephony" });
        self.play.call(&business.id, from, "missed", more).await.map(drop)
    }

    /// A customer asks for help, and gets an answer with a link of its own.
    pub(super) async fn answered(&self, business: &Tenant, from: &Phone) -> Result<()> {
        self.play.reply(&business.id, from, Channel::WhatsApp, "HELP").await?;
        let answered = |customer: &Customer| {
            let mut answers = customer.messages.iter();
            answers.any(|message| message.cause.answered().is_some()).then_some(())
        };
        self.play
            .known(&business.id, from, PATIENCE, "an answer to HELP", answered)
            .await
    }

    /// Calls and messages are listed, also those that were blocked, and one of each is read.
    pub(super) async fn looked_through(&self, business: &Tenant) -> Result<()> {
        for (list, some) in [
            ("/api/v1/calls", true),
            ("/api/v1/messages", true),
            ("/api/v1/messages?state=blocked", false),
        ] {
            let listed = self.api(business, "GET", list, None).await?;
            let listed = succeeded(&listed, list)?;
            let first = listed["items"][0]["id"].as_str();
            ensure!(first.is_some() || !some, "{list} lists nothing");
            if let Some(id) = first {
                let path = list.split('?').next().unwrap_or_default();
                let read = self.api(business, "GET", &format!("{path}/{id}"), None).await?;
                succeeded(&read, id)?;
            }
        }
        Ok(())
    }

    /// The path of a new recording.
    async fn recording(&self, business: &Tenant) -> Result<String> {
        let key = api::Proof::Key(business.api_key.clone());
        let call = api::recorded(self.play, &key).await?;
        let place = format!("/api/v1/calls/{call}");
        let shown = succeeded(&self.api(business, "GET", &place, None).await?, &place)?;
        let id = shown["recordings"][0]["id"].as_str();
        Ok(format!(
            "{place}/recordings/{}",
            id.context("the call has a recording")?
        ))
    }

    /// Somebody listens to a new recording, which is fetched.
    pub(super) async fn listened(&self, business: &Tenant) -> Result<Answer> {
        let place = self.recording(business).await?;
        self.api(business, "GET", &place, None).await
    }

    /// The same while the contact is deleted, so that the copy must not stay.
    pub(super) async fn listened_too_late(&self, business: &Tenant) -> Result<Answer> {
        Ok(self.asked_too_late(business).await?.0)
    }

    /// The answer, and the time that it took.
    async fn asked_too_late(&self, business: &Tenant) -> Result<(Answer, Duration)> {
        let place = self.recording(business).await?;
        let call = place.split('/').find(|part| part.starts_with("call_"));
        let call: CallId = call.context("the path names a call")?.parse()?;
        let fault = json!({ "tenant": business.id, "api": "twilio", "kind": "delayed", "times": 1, "seconds": 1 });
        let fault = self.play.fault(fault).await?;
        let deleting = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let contact = format!("/api/v1/contacts/{}", call.contact());
            self.api(business, "DELETE", &contact, None).await
        };
        let asking = async {
            let begun = Instant::now();
            let answer = self.api(business, "GET", &place, None).await?;
            Ok::<_, anyhow::Error>((answer, begun.elapsed()))
        };
        let (asked, deleted) = tokio::join!(asking, deleting);
        ensure!(deleted?.status == 204, "the contact is not deleted");
        // It may not have been used.
        self.play.mend(fault).await?;
        asked
    }

    /// A copy is dropped. On a busy machine, the contact may be deleted before or after it is made.
    pub(super) async fn dropped(&self, business: &Tenant) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let (answer, took) = self.asked_too_late(business).await?;
            if answer.status == 404 && took >= Duration::from_secs(1) {
                return Ok(());
            }
        }
        bail!("no copy is dropped");
    }

    /// Automations are tried on invented calls, on a recorded one, and on all of them.
    pub(super) async fn tried(&self, business: &Tenant) -> Result<()> {
        let calls = self.api(business, "GET", "/api/v1/calls", None).await?;
        let calls = succeeded(&calls, "the calls")?;
        let call = calls["items"][0]["id"].as_str().context("a call is listed")?;
        let path = "/api/v1/automations/dry-run";
        for body in [
            json!({ "call": { "outcome": "missed", "phone": new_phone()? } }),
            json!({ "call": { "outcome": "missed", "withheld": true } }),
            json!({ "call_id": call }),
        ] {
            let run = self.api(business, "POST", path, Some(body)).await?;
            succeeded(&run, path)?;
        }
        succeeded(&self.replayed(business).await?, "a replay").map(drop)
    }

    /// The saved automations are tried on recorded calls.
    pub(super) async fn replayed(&self, business: &Tenant) -> Result<Answer> {
        let path = "/api/v1/automations/replay";
        self.api(business, "POST", path, Some(json!({}))).await
    }

    /// Messages are looked at beforehand, requested, cancelled and sent again.
    pub(super) async fn requested(&self, business: &Tenant) -> Result<()> {
        const MESSAGES: &str = "/api/v1/messages";
        let preview = format!("{MESSAGES}/preview");
        let sms = |phone: &Phone| {
            json!({
                "phone": phone, "category": "utility", "basis": "An order",
                "sms_text": "Your {{product.cake.name}} is ready. {{preferences.code}}",
            })
        };
        let phone = new_phone()?;
        let sent = self.api(business, "POST", MESSAGES, Some(sms(&phone))).await?;
        let sent = succeeded(&sent, "sending an SMS")?;
        let contact = sent["contact"]["id"].as_str().context("a message has a contact")?;

        let template = json!({
            "contact_id": contact, "category": "utility", "basis": "An order",
            "template": { "name": "missed_call", "language": "en" },
        });
        let previewed = self.api(business, "POST", &preview, Some(template)).await?;
        succeeded(&previewed, "a preview of a template")?;
        let nobody = json!({ "whatsapp_id": "AE.0", "category": "utility", "basis": "An order", "text": "Hello" });
        let previewed = self.api(business, "POST", &preview, Some(nobody)).await?;
        ensure!(previewed.status == 422, "an unknown WhatsApp id: {}", previewed.body);

        let granted = json!({
            "choice": "granted", "category": "marketing", "party": "customer", "evidence": "Form 1207",
        });
        let consent = format!("/api/v1/contacts/{contact}/consent");
        let recorded = self.api(business, "POST", &consent, Some(granted)).await?;
        succeeded(&recorded, "an opt-in")?;
        let mut offer = sms(&phone);
        offer["category"] = "marketing".into();
        // Marketing waits until a day after the message that has just been sent.
        let refused = self.api(business, "POST", MESSAGES, Some(offer.clone())).await?;
        ensure!(refused.status == 409, "an offer at once: {}", refused.body);
        let other = new_phone()?;
        let made = json!({ "phones": [other] });
        let made = self.api(business, "POST", "/api/v1/contacts", Some(made)).await?;
        let made = succeeded(&made, "a contact")?;
        let consent = format!("/api/v1/contacts/{}/consent", made["id"].as_str().unwrap_or_default());
        let granted = json!({
            "choice": "granted", "category": "marketing", "party": "customer", "evidence": "Form 1208",
        });
        let recorded = self.api(business, "POST", &consent, Some(granted)).await?;
        succeeded(&recorded, "another opt-in")?;
        offer["phone"] = json!(other);
        let sent = self.api(business, "POST", MESSAGES, Some(offer)).await?;
        succeeded(&sent, "sending an offer")?;

        let mut later = sms(&new_phone()?);
        later["send_at"] = json!(Timestamp::now() + Duration::from_secs(3600));
        let sent = self.api(business, "POST", MESSAGES, Some(later)).await?;
        let place = sent.header("location").context("it says where it is")?;
        for (action, status) in [("cancel", 200), ("retry", 409)] {
            let answer = self.api(business, "POST", &format!("{place}/{action}"), None).await?;
            ensure!(answer.status == status, "{action}: {} {}", answer.status, answer.body);
        }
        Ok(())
    }

    /// The same while Meta has this fault, as often as given.
    pub(super) async fn missed_despite(&self, business: &Tenant, kind: &str, times: Option<u32>) -> Result<()> {
        let mut fault = json!({ "tenant": business.id, "api": "graph", "kind": kind });
        if let Some(times) = times {
            fault["times"] = times.into();
        }
        self.play.fault(fault).await?;
        self.missed(business).await
    }

    /// A message whose outcome stays unknown until the deadline. No queue holds a copy for that time, so the dispatcher finds it.
    pub(super) async fn unknown_outcome(&self, business: &Tenant, again: bool) -> Result<()> {
        if !again {
            return self.missed_despite(business, "timeout_before", Some(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.dispatch().await
    }

    /// A call of a contact whose row is full.
    pub(super) async fn full_caller(&self, business: &Tenant) -> Result<()> {
        let from = new_phone()?;
        self.full_contact(business, &from).await?;
        self.missed_from(business, &from).await
    }

    /// An opt-out of a contact whose row is full.
    pub(super) async fn full_customer(&self, business: &Tenant) -> Result<()> {
        let from = new_phone()?;
        self.full_contact(business, &from).await?;
        let stop = self.play.reply(&business.id, &from, Channel::WhatsApp, "STOP");
        stop.await.map(drop)
    }

    /// A customer writes an SMS.
    pub(super) async fn texted(&self, business: &Tenant) -> Result<u16> {
        let (id, from) = (random_hex(16)?, new_phone()?);
        let body = format!("MessageSid=SM{id}&From=%2B{}&Body=hello", from.digits());
        self.twilio(business, "inbound", &body).await
    }

    /// A report that its webhook could not enqueue is swept up by the dispatcher.
    pub(super) async fn swept(&self, business: &Tenant) -> Result<()> {
        let webhook = self.role("telephony_webhook")?;
        self.put_work(webhook, &["Enqueue"]).await?;
        let reported = self.reported(business).await;
        self.put_work(webhook, &[]).await?;
        reported?;
        self.dispatch().await
    }

    pub(super) async fn twilio(&self, business: &Tenant, what: &str, body: &str) -> Result<u16> {
        let path = self.path(business, "twilio", &format!("/{what}"))?;
        let url = format!("{}{path}", self.play.endpoints.api);
        let signature = twilio::signature::sign(&business.secrets.twilio_auth_token, &url, body.as_bytes());
        let form = "application/x-www-form-urlencoded";
        self.post(&path, form, &[("x-twilio-signature", &signature)], body.to_owned())
            .await
    }

    /// Twilio reports only the end of a call.
    pub(super) async fn ended(&self, business: &Tenant) -> Result<u16> {
        let from = new_phone()?;
        let body = format!(
            "CallSid=CA{}&From=%2B{}&Direction=inbound&CallStatus=completed&CallDuration=9",
            random_hex(16)?,
            from.digits()
        );
        self.twilio(business, "status", &body).await
    }

    /// Twilio reports a missed call with the caller's name.
    pub(super) async fn named(&self, business: &Tenant) -> Result<u16> {
        let from = new_phone()?;
        let body = format!(
            "CallSid=CA{}&From=%2B{}&Direction=inbound&CallStatus=no-answer&CallerName=Maya+Haddad",
            random_hex(16)?,
            from.digits()
        );
        self.twilio(business, "status", &body).await
    }

    /// Twilio reports a ringing call.
    pub(super) async fn rang(&self, business: &Tenant) -> Result<u16> {
        let from = new_phone()?;
        let body = format!(
            "CallSid=CA{}&From=%2B{}&Direction=inbound&CallStatus=ringing",
            random_hex(16)?,
            from.digits()
        );
        self.twilio(business, "voice", &body).await
    }

    /// A telephone system reports an answered call.
    pub(super) async fn reported(&self, business: &Tenant) -> Result<u16> {
        let now = Timestamp::now();
        let event = json!({
            "type": "call.ended",
            "timestamp": now,
            "data": {
                "call_id": random_hex(8)?, "direction": "inbound", "from": new_phone()?, "to": new_phone()?,
                "started_at": now, "ended_at": now, "outcome": "answered", "talk_seconds": 9,
            },
        })
        .to_string();
        let id = format!("msg_{}", random_hex(8)?);
        let signature = telephony::sign(&business.secrets.telephony_secret, &id, now, event.as_bytes())
            .context("the telephone system's secret is base64")?;
        let signed = [
            ("webhook-id", id.as_str()),
            ("webhook-timestamp", &now.as_second().to_string()),
            ("webhook-signature", &signature),
        ];
        let path = self.path(business, "telephony", "")?;
        self.post(&path, "application/json", &signed, event).await
    }

    /// A telephone system with its own adapter reports an answered call, or something unreadable.
    pub(super) async fn vendor(&self, business: &Tenant, kind: &str, readable: bool) -> Result<u16> {
        let api = &self.play.endpoints.api;
        let event = self.vendors.event(kind, &business.id, api, readable)?;
        let headers = event.headers();
        let asked = self
            .play
            .request(event.method, &event.path, &headers, event.body.clone());
        Ok(asked.await?.status)
    }

    pub(super) async fn whatsapp(&self, business: &Tenant, body: &str) -> Result<u16> {
        let signature = whatsapp::signature::sign(&business.secrets.whatsapp_app_secret, body.as_bytes());
        let path = self.path(business, "whatsapp", "")?;
        let signed = [("x-hub-signature-256", signature.as_str())];
        self.post(&path, "application/json", &signed, body.to_owned()).await
    }

    /// Meta's ids of the business's account and number.
    pub(super) async fn number(&self, business: &Tenant) -> Result<(String, String)> {
        let scope = scope(business)?;
        let id = business
            .connections
            .get("whatsapp")
            .context("the business has WhatsApp")?;
        let id = id.parse().context("reading a connection's id")?;
        let connection = self.play.store.connection(&scope, id).await?;
        let Some(domain::connection::Account::WhatsApp(domain::connection::whatsapp::Account {
            waba_id,
            phone_number_id,
            ..
        })) = connection.map(|connection| connection.account)
        else {
            bail!("the business's WhatsApp connection is none");
        };
        Ok((waba_id, phone_number_id))
    }

    /// One change for the business's own number.
    pub(super) async fn change(&self, business: &Tenant, field: &str, mut value: Value) -> Result<u16> {
        let (waba_id, phone_number_id) = self.number(business).await?;
        value["messaging_product"] = "whatsapp".into();
        value["metadata"] = json!({ "display_phone_number": "1", "phone_number_id": phone_number_id });
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": waba_id, "changes": [{ "field": field, "value": value }] }],
        });
        self.whatsapp(business, &body.to_string()).await
    }

    /// A report on an unknown message.
    pub(super) async fn status(&self, business: &Tenant) -> Result<u16> {
        let status = json!({
            "id": format!("wamid.{}", random_hex(16)?), "status": "delivered", "recipient_id": "971500000000",
            "timestamp": Timestamp::now().as_second().to_string(),
        });
        self.change(business, "messages", json!({ "statuses": [status] })).await
    }

    /// A customer's message too large for a queue.
    pub(super) async fn large_reply(&self, business: &Tenant) -> Result<u16> {
        let message = json!({
            "id": format!("wamid.{}", random_hex(16)?), "from": new_phone()?.digits(), "type": "text",
            "timestamp": Timestamp::now().as_second().to_string(), "text": { "body": "x".repeat(250_000) },
        });
        self.change(business, "messages", json!({ "messages": [message] }))
            .await
    }

    /// An event whose stored bytes are missing.
    pub(super) async fn lost_reply(&self, business: &Tenant) -> Result<()> {
        let connection = business
            .connections
            .get("whatsapp")
            .context("the business has WhatsApp")?;
        let event = jobs::ProviderEvent {
            tenant: business.id.parse().context("reading a tenant's id")?,
            connection: connection.parse().context("reading a connection's id")?,
            correlation_id: "iam".to_owned(),
            received_at: Timestamp::now(),
            group: jobs::EventGroup::Inbound,
            source: jobs::EventSource::WhatsApp,
            payload: jobs::Payload::Stored(self.lost.clone()),
        };
        self.queue("ProviderEventsQueueUrl", business, &event).await
    }

    /// Queues a job; `queue` is the name of the stack's output.
    pub(super) async fn queue(&self, queue: &str, business: &Tenant, job: &impl serde::Serialize) -> Result<()> {
        let entry = json!({
            "QueueUrl": self.output(queue)?,
            "MessageBody": serde_json::to_string(job).context("writing a job")?,
            "MessageGroupId": business.id,
        });
        self.aws.call("sqs", "send_message", entry).await.map(drop)
    }

    /// A contact whose row is full, so the table refuses every change as invalid.
    pub(super) async fn full_contact(&self, business: &Tenant, phone: &Phone) -> Result<()> {
        let (scope, identity) = (scope(business)?, Identity::Phone(phone.clone()));
        let mut contact = Contact::first_seen(ContactId::new(new_ulid()?), &identity, Timestamp::now());
        filled(async |text| {
            contact.called_from = Some(Identity::Sip(text));
            let write = ContactWrite::new(contact.clone(), identity.clone());
            self.play.store.write_contact(&scope, &write, None).await
        })
        .await?;
        self.full.lock().await.push((scope, Full::Contact(contact.id)));
        Ok(())
    }

    /// A message like the one that follows a call, which nobody has tried to send yet.
    async fn unsent(&self, business: &Tenant) -> Result<Message> {
        let from = new_phone()?;
        let via = json!({ "via": "telephony" });
        self.play.call(&business.id, &from, "missed", via).await?;
        let first = |customer: &Customer| customer.messages.first().cloned();
        let planned = self.play.known(&business.id, &from, PATIENCE, "a message", first);
        let mut message = planned.await?;
        message.id = MessageId::new(message.id.contact(), new_ulid()?);
        message.version = 0;
        message.attempts.clear();
        (message.waiting, message.due, message.ended) = (None, None, None);
        Ok(message)
    }

    /// A message to a number that leads to its contact, which does not list it.
    pub(super) async fn unlisted_number(&self, business: &Tenant) -> Result<()> {
        let (scope, message) = (scope(business)?, self.unsent(business).await?);
        self.edit(&scope, message.id.contact(), |contact| contact.phones.clear())
            .await?;
        self.play.store.write_message(&scope, &message).await?;
        let job = jobs::SendMessage::next_of(scope.tenant(), &message);
        self.queue("SendsQueueUrl", business, &job).await?;
        self.comes_to_use("send_message", "dynamodb:GetItem", "T#*#ID#phone:*")
            .await
    }

    /// As [`Audit::full_caller`], for a message to be sent.
    pub(super) async fn full_message(&self, business: &Tenant) -> Result<()> {
        let (scope, mut message) = (scope(business)?, self.unsent(business).await?);
        filled(async |text| {
            let at = message.created_at;
            message.remarks = vec![Remark::new(at, text)];
            self.play.store.write_message(&scope, &message).await
        })
        .await?;
        let job = jobs::SendMessage::next_of(scope.tenant(), &message);
        self.full.lock().await.push((scope, Full::Message(message.id)));
        self.queue("SendsQueueUrl", business, &job).await
    }

    /// A report by Meta about a number is recorded on its connection.
    pub(super) async fn reported_limit(&self, business: &Tenant) -> Result<u16> {
        let limit = json!({
            "display_phone_number": "1", "event": "THROUGHPUT_UPGRADE",
            "max_daily_conversations_per_business": "TIER_UNLIMITED",
        });
        self.change(business, "phone_number_quality_update", limit).await
    }

    /// A report by Meta about a template is recorded on it.
    pub(super) async fn reported_template(&self, business: &Tenant, status: &str) -> Result<u16> {
        let status = json!({
            "event": status, "message_template_name": "missed_call", "message_template_language": "en",
        });
        self.change(business, "message_template_status_update", status).await
    }

    /// An account that may no longer send is marked; other processes notice this by the tenant's version.
    pub(super) async fn reported_account(&self, business: &Tenant) -> Result<u16> {
        let restricted = json!({
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [{ "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING" }],
        });
        self.change(business, "account_update", restricted).await
    }

    /// People are told that WhatsApp restricts the account and paused the template of an automation. `again`: both happened before.
    pub(super) async fn notified(&self, business: &Tenant, again: bool) -> Result<()> {
        if !again {
            self.reported_account(business).await?;
            self.reported_template(business, "PAUSED").await?;
            let connection = business
                .connections
                .get("whatsapp")
                .context("the business has WhatsApp")?;
            let scope = scope(business)?;
            let keys = [
                format!("connection_refused#{connection}"),
                format!("template_paused#{connection}#missed_call#en"),
            ];
            for key in keys {
                until(PATIENCE, &key, async || {
                    Ok(match self.play.store.notice(&scope, &key).await? {
                        Some(_) => Look::Seen(()),
                        None => Look::Instead("no notice".to_owned()),
                    })
                })
                .await?;
            }
        }
        self.invoke("notify_people", json!({})).await
    }

    /// A customer writes to a number of the shared app and gets an answer.
    pub(super) async fn shared_app(&self) -> Result<()> {
        let (app_secret, verify_token) = self.town.meta_app()?;
        let share = |plan: &mut business::Plan| {
            plan.connection("whatsapp")["verify"] =
                json!({ "kind": "whatsapp", "app_secrets": [], "verify_token": "" });
            plan.simulated = json!({ "whatsapp": {
                "shared_app": true, "app_secret": app_secret, "verify_token": verify_token,
            } });
        };
        let business = self.town.open("Audited", share).await?;
        let from = new_phone()?;
        let via = json!({ "via": "twilio" });
        self.play.call(&business.id, &from, "missed", via).await?;
        self.play
            .accepted(&business.id, &from, Channel::WhatsApp, PATIENCE)
            .await?;
        let answered = self.play.reply(&business.id, &from, Channel::WhatsApp, "Hello").await;
        answered.map(drop)
    }

    /// A provider refuses a connection's credentials, which is recorded on it.
    pub(super) async fn refused_credentials(&self) -> Result<()> {
        let business = self.open().await?;
        self.missed_despite(&business, "bad_credentials", None).await?;
        self.comes_to_use("send_message", "dynamodb:UpdateItem", OWN_PARTITION)
            .await
    }

    /// Waits until a function has used such a partition, while the dispatcher runs.
    pub(super) async fn comes_to_use(&self, function: &str, action: &str, pattern: &str) -> Result<()> {
        let role = self.role(function)?;
        let begun = Instant::now();
        while !partitions::has_used(self.data, &role.name, action, pattern)? {
            ensure!(
                begun.elapsed() < PATIENCE,
                "{function} does not ask for {action} on {pattern}"
            );
            self.dispatch().await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// An event of an unknown type from Meta.
    pub(super) async fn unknown_change(&self, business: &Tenant) -> Result<u16> {
        self.change(business, "not_known_yet", json!({ "news": true })).await
    }

    /// Meta verifies the shared app's URL.
    pub(super) async fn handshake(&self) -> Result<u16> {
        let (_, token) = self.town.meta_app()?;
        let path = format!("/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}");
        Ok(self.play.request("GET", &path, &[], "").await?.status)
    }
}

/// Writes a row with the longest text that the table accepts.
pub(super) async fn filled(mut write: impl AsyncFnMut(String) -> Result<(), StoreError>) -> Result<()> {
    // Nearly all of a row's bytes are this text, and later additions are longer than a step.
    for length in (0..LARGEST_ROW).rev().step_by(16) {
        match write("x".repeat(length)).await {
            Err(error) if error.is_invalid() => {}
            done => return Ok(done?),
        }
    }
    bail!("the table takes no row")
}
