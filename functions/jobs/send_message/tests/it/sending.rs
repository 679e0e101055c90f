//! Content and time of messages, each sent once.

use domain::messages::{AttemptState, MessageState};
use domain::tenants::{Account, Rule, SendSecrets, TenantStatus, VerifySecrets, telephony, twilio, whatsapp};
use domain::terms::{Channel, Reason, SendKey, Whole};
use jiff::SignedDuration;
use jobs::SendMessage;
use kit::{Done, Job};
use send_message::handle;
use serde_json::json;
use testkit::business::{CUSTOMER, LINE, phone, read};
use testkit::{Reply, seed};

use super::world::{World, handle_job, has_attempts, is};

#[tokio::test]
async fn a_missed_call_is_answered_by_whatsapp() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Accepted);
    let request = world.provider.only_send();
    let body = request.json();
    assert_eq!(body["to"], CUSTOMER.trim_start_matches('+'));
    assert_eq!(body["template"]["name"], "missed_call_followup");
    let key = SendKey {
        message: message.id,
        attempt: 1,
    };
    assert_eq!(body["biz_opaque_callback_data"], key.to_string());
    assert_eq!(request.authorization, "Bearer fixture-access-token");
    // WhatsApp's id leads to the message, and the SMS waits for its deadline.
    let found = world.row_of_reference("whatsapp", "wamid.1").await;
    assert!(found.is_some());
    let deadline = world.aws.now() + SignedDuration::from_secs(120);
    assert_eq!(message.waits_for_delivery(world.aws.now()), Some(deadline));
    let first_look = world.aws.now() + SignedDuration::from_secs(90);
    assert_eq!(
        message.due,
        Some(first_look),
        "the dispatcher moves it on to the deadline"
    );
    assert_eq!(
        world.copies().await,
        0,
        "the fallback's deadline waits in the table alone"
    );
}

#[tokio::test]
async fn a_rule_for_sms_sends_by_twilio() {
    let world = World::by(&[Channel::Sms]).await;
    let message = world.follow_up().await;
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Accepted);
    let request = world.provider.only_send();
    assert_eq!(request.field("To").as_deref(), Some(CUSTOMER));
    assert_eq!(request.field("From").as_deref(), Some(LINE));
    assert!(
        request
            .field("Body")
            .unwrap()
            .starts_with("Sorry we missed you, there.")
    );
    let callback = request.field("StatusCallback").unwrap();
    let place = format!(
        "https://hooks.example.test/webhooks/twilio/{}/{}/message-status?key=",
        world.business.tenant(),
        world.business.twilio
    );
    assert!(
        callback.starts_with(&place) && callback.ends_with("#rc=3&rp=all"),
        "{callback}"
    );
    assert_eq!(message.attempts[0].cost.as_ref().map(|cost| cost.units), Some(1));
    assert_eq!(message.due, None, "nothing is left to do");
}

/// The number that the line names is the sender if the connection has it.
#[tokio::test]
async fn sms_comes_from_the_lines_number() {
    for (sender, service, from) in [
        ("+15005550001", None, Some("+15005550001")),
        (
            "+15005550001",
            Some("MG00000000000000000000000000000001"),
            Some("+15005550001"),
        ),
        ("+15005550009", None, Some(LINE)),
        ("+15005550009", Some("MG00000000000000000000000000000001"), None),
    ] {
        let world = World::with(|configured| {
            configured.rules[0].then.channels = vec![Channel::Sms].into();
            let twilio = configured
                .connections
                .iter_mut()
                .find(|one| one.account.kind() == "twilio");
            let twilio = twilio.expect("there is one");
            if let Account::Twilio(twilio::Account {
                numbers,
                messaging_service_sid,
                ..
            }) = &mut twilio.account
            {
                numbers.push(phone("+15005550001"));
                *messaging_service_sid = service.map(str::to_owned);
            }
            configured.lines = vec![read(json!({
                "id": "line_00000000000000000000000001", "name": "Line", "number": LINE,
                "sms": {"connection": twilio.id, "number": sender},
            }))];
        })
        .await;
        let message = world.follow_up().await;
        world.work_and_read(&message).await;
        let request = world.provider.only_send();
        assert_eq!(request.field("From").as_deref(), from, "{sender} {service:?}");
        assert_eq!(request.field("MessagingServiceSid").is_some(), from.is_none());
    }
}

/// Where the connection has some, also before a Messaging Service. To other countries, its usual sender remains.
#[tokio::test]
async fn sms_comes_from_the_letters_of_the_country() {
    for (to, text, from) in [
        (CUSTOMER, "Your order is ready.", Some("SAFFRON")),
        (CUSTOMER, "Call +971 4 333 0000", None),
        ("+447700900111", "Call +971 4 333 0000", Some(LINE)),
    ] {
        let world = World::with(|configured| {
            configured.rules[0].then.channels = vec![Channel::Sms].into();
            configured.rules[0].then.sms_text = Some(read(json!(text)));
            for connection in &mut configured.connections {
                if let Account::Twilio(twilio) = &mut connection.account {
                    let letters =
                        json!([{"country": "AE", "sender": "SAFFRON", "promotion": "AD-SAFFRON", "registered": true}]);
                    twilio.letters = read(letters);
                    twilio.confirmed_rules = read(json!([]));
                }
            }
        })
        .await;
        let message = world.work_and_read(&world.follow_up_of(to).await).await;
        let Some(from) = from else {
            is(&message, MessageState::Failed);
            let because = message.because().expect("the country refuses it");
            let told = (because.code, &json!(because.facts)["rule"]);
            assert_eq!(told, (Reason::CountryRule, &json!("numbers")));
            assert!(world.provider.sends().is_empty(), "{text}");
            continue;
        };
        is(&message, MessageState::Accepted);
        assert_eq!(world.provider.only_send().field("From").as_deref(), Some(from));
    }
}

#[tokio::test]
async fn whatsapp_goes_through_a_twilio_sender() {
    let world = World::at_twilio("+15005550007").await;
    let message = world.follow_up().await;
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Accepted);
    let request = world.provider.only_send();
    assert_eq!(request.field("To"), Some(format!("whatsapp:{CUSTOMER}")));
    assert_eq!(request.field("From").as_deref(), Some("whatsapp:+15005550007"));
    assert!(request.field("ContentSid").unwrap().starts_with("HX"));
    assert_eq!(
        request.field("ContentVariables").unwrap(),
        json!({"1": "there", "2": "Harbour Lane"}).to_string()
    );
}

#[tokio::test]
async fn two_workers_at_once_send_one_request() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.work_at_once(vec![world.job(&message); 8]).await;
    assert_eq!(world.provider.sends().len(), 1);
    has_attempts(&world.message(&message).await, &[AttemptState::Accepted]);
}

#[tokio::test]
async fn redelivered_job_sends_nothing_again() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let job = world.job(&message);
    handle_job(job.clone(), &world.ctx).await;
    let again = handle_job(Job::new(job.body, 2), &world.ctx).await;
    assert_eq!(again, Done::Already);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn job_for_a_future_attempt_is_dropped() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let job = SendMessage {
        attempt: 7,
        ..world.job(&message).body
    };
    assert_eq!(handle_job(Job::new(job, 1), &world.ctx).await, Done::Already);
    assert!(world.provider.sends().is_empty());
}

#[tokio::test]
async fn a_delayed_message_waits_for_its_time() {
    let world = World::with(|configured| configured.rules[0].then.delay_seconds = Whole::nearest(600)).await;
    let message = world.follow_up().await;
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
    assert!(world.provider.sends().is_empty());
    world.aws.pass(600);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
}

/// It keeps what it was planned with, its other channel included.
#[tokio::test]
async fn follow_up_of_a_rule_that_is_gone_is_sent() {
    for deleted in [false, true] {
        let mut world = World::with(|configured| configured.rules[0].then.delay_seconds = Whole::nearest(600)).await;
        let message = world.follow_up().await;
        assert_eq!(world.work(&message).await.unwrap(), Done::Already, "it waits");
        let now = world.aws.now();
        let rules = &mut world.business.configured.rules;
        if deleted {
            rules.clear();
        } else {
            rules[0].archived_at = Some(now);
        }
        world.business.write(&world.aws).await;
        let rules: Vec<Rule> = world.aws.store().all(world.business.scope()).await.unwrap();
        assert!(rules.iter().all(|rule| !rule.is_active()), "{deleted}");
        assert_eq!(rules.is_empty(), deleted);
        world.aws.pass(600);
        is(&world.work_and_read(&message).await, MessageState::Accepted);
        assert!(world.provider.only_send().json()["template"].is_object());
        // WhatsApp does not deliver it.
        world.aws.pass(120);
        let message = world.work_and_read(&message).await;
        let sent: Vec<_> = message.attempts.iter().map(|attempt| attempt.leg).collect();
        assert_eq!(sent, [0, 1], "{deleted}");
    }
}

#[tokio::test]
async fn quiet_hours_begun_meanwhile_defer_the_message() {
    // It is 16:00 at the customer's place.
    let world = World::with(|configured| {
        configured.rules[0].then.quiet_hours = Some(read(json!({"from": "16:30", "to": "08:00", "action": "defer"})));
    })
    .await;
    let message = world.follow_up().await;
    world.aws.pass(3600);
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Scheduled);
    let end: domain::Timestamp = "2026-11-21T08:00:00+04:00".parse().unwrap();
    assert!(message.not_before >= end && message.not_before <= end + SignedDuration::from_secs(60));
    assert!(message.remarks[0].text.contains("quiet hours"), "{:?}", message.remarks);
    assert_eq!((world.provider.sends().len(), world.copies().await), (0, 0));
    world.aws.pass(15 * 3600 + 60);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
}

#[tokio::test]
async fn opt_out_before_the_send_blocks_every_channel() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let at = world.aws.now();
    let stop = |contact: &mut domain::people::Contact| {
        contact.wish(domain::messages::OptFlag::Stop, "wrote STOP by SMS", at);
    };
    world.change_contact(&message, stop).await;
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Blocked);
    assert_eq!(message.due, None);
    assert!(world.provider.sends().is_empty());
}

#[tokio::test]
async fn a_suspended_tenant_sends_nothing() {
    let mut world = World::new().await;
    let message = world.follow_up().await;
    world.business.configured.tenant.status = TenantStatus::Suspended;
    world.business.write(&world.aws).await;
    is(&world.work_and_read(&message).await, MessageState::Blocked);
    assert!(world.provider.sends().is_empty());
}

#[tokio::test]
async fn paused_template_falls_back_to_the_sms() {
    let mut world = World::new().await;
    let message = world.follow_up().await;
    world.business.configured.templates[0].status = domain::templates::TemplateStatus("PAUSED".to_owned());
    world.business.write(&world.aws).await;
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Refused, AttemptState::Accepted]);
    let request = world.provider.only_send();
    assert!(!request.is_graph());
}

/// It was planned while there was one.
#[tokio::test]
async fn deleted_template_falls_back_to_the_sms() {
    let mut world = World::with(|configured| configured.rules[0].then.delay_seconds = Whole::nearest(600)).await;
    let message = world.follow_up().await;
    assert_eq!(world.work(&message).await.unwrap(), Done::Already, "it waits");
    world.business.configured.templates.clear();
    world.business.write(&world.aws).await;
    world.aws.pass(600);
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Refused, AttemptState::Accepted]);
    let why = &message.attempts[0].error.as_ref().unwrap().reason;
    assert_eq!(why, "there is no template missed_call_followup in en_GB");
    assert!(!world.provider.only_send().is_graph());
}

/// Without an SMS, nothing is left.
#[tokio::test]
async fn message_by_a_deleted_template_alone_fails() {
    let mut world = World::by(&[Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.business.configured.templates.clear();
    world.business.write(&world.aws).await;
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Failed);
    has_attempts(&message, &[AttemptState::Refused]);
    assert!(world.provider.sends().is_empty());
}

#[tokio::test]
async fn a_landline_gets_whatsapp_and_no_sms() {
    let world = World::new().await;
    // Planned for SMS, too, while the number was not known to be a landline.
    let landline = "+97143330001";
    let message = world.follow_up_of(landline).await;
    assert_eq!(message.plan.len(), 2);
    world.provider.reply(Reply::graph(400, 131026));
    let message = world.work_and_read(&message).await;
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Refused, AttemptState::Refused]);
    is(&message, MessageState::Failed);
    let why = &message.attempts[1].error.as_ref().unwrap().reason;
    assert_eq!(why, "the number is a landline");
    assert_eq!(world.provider.sends().len(), 1);
}

/// The SMS of a campaign is for those whom WhatsApp does not reach. A follow-up is for one person, so it goes on.
#[tokio::test]
async fn refused_route_sends_no_sms_of_a_campaign() {
    let world = World::new().await;
    world.provider.reply_by(|request, _| match request.is_graph() {
        true => Reply::graph(400, 131063),
        false => Reply::Accept,
    });
    let message = world.follow_up().await;
    let message = world.work_and_read(&message).await;
    is(&world.work_and_read(&message).await, MessageState::Accepted);
    let message = world.follow_up_of("+447700900299").await;
    let message = world.as_step(message).await;
    let waiting = world.work_and_read(&message).await;
    is(&waiting, MessageState::Scheduled);
    assert!(world.aws.now() < waiting.not_before);
    let sends = world.provider.sends();
    let by_graph: Vec<bool> = sends.iter().map(testkit::provider::Request::is_graph).collect();
    assert_eq!(by_graph, [true, false, true]);
}

#[tokio::test]
async fn missed_delivery_deadline_sends_the_sms_once() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let message = world.work_and_read(&message).await;
    world.aws.pass(119);
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
    world.aws.pass(1);
    let current = world.message(&message).await;
    world.work_at_once(vec![world.job(&current); 2]).await;
    assert_eq!(world.provider.sends().len(), 2);
    let message = world.message(&message).await;
    has_attempts(&message, &[AttemptState::Accepted, AttemptState::Accepted]);
}

#[tokio::test]
async fn late_delivery_cancels_the_sms() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let message = world.work_and_read(&message).await;
    world.aws.pass(200);
    world.apply_report(&message, AttemptState::Delivered, "wamid.1").await;
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
    assert_eq!(world.provider.sends().len(), 1);
    assert_eq!(world.message(&message).await.due, None);
}

#[tokio::test]
async fn a_cancelled_message_is_not_sent() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    assert!(message.cancel("not sent: the customer wrote first".to_owned()));
    world.write(&message).await;
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
    assert!(world.provider.sends().is_empty());
}

#[tokio::test]
async fn concurrent_cancellation_wins_or_loses_completely() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let cancel = async {
        let mut message = world.message(&message).await;
        message.cancel("not sent: the customer wrote first".to_owned());
        world
            .aws
            .store()
            .write_message(world.business.scope(), &message)
            .await
            .is_ok()
    };
    let (sent, cancelled) = tokio::join!(world.work(&message), cancel);
    sent.unwrap();
    let sent = world.provider.sends().len();
    assert!(sent <= 1);
    if sent == 0 {
        assert!(cancelled);
        is(&world.message(&message).await, MessageState::Cancelled);
    } else {
        is(&world.message(&message).await, MessageState::Accepted);
    }
}

#[tokio::test]
async fn job_for_a_deleted_message_is_dropped() {
    for what in ["TENANT", "MSG#", "CONTACT"] {
        let world = World::new().await;
        let message = world.follow_up().await;
        let contact = (what != "TENANT").then(|| message.id.contact());
        world.business.remove(&world.aws, what, contact).await;
        let rows = world.aws.row_count().await;
        let done = handle_job(world.job(&message), &world.ctx).await;
        assert_eq!(done, Done::Already, "{what}");
        assert_eq!(world.aws.row_count().await, rows);
        assert!(world.provider.sends().is_empty());
    }
}

#[tokio::test]
async fn job_cannot_name_another_tenants_message() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let stranger = seed::tenant(&world.aws).await;
    let job = SendMessage {
        tenant: stranger.tenant(),
        ..world.job(&message).body
    };
    let done = handle_job(Job::new(job, 1), &world.ctx).await;
    assert_eq!(done, Done::Already);
    assert!(world.provider.sends().is_empty());
}

#[tokio::test]
async fn renewed_credentials_are_used_from_the_next_send() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.work_and_read(&message).await;
    world.renew_whatsapp().await;
    let other = world.follow_up_of("+971501234568").await;
    world.work_and_read(&other).await;
    let tokens: Vec<String> = world
        .provider
        .sends()
        .into_iter()
        .map(|sent| sent.authorization)
        .collect();
    assert_eq!(tokens, ["Bearer fixture-access-token", "Bearer renewed"]);
}

#[tokio::test]
async fn connection_without_credentials_falls_back() {
    let world = World::new().await;
    let whatsapp = world.business.whatsapp;
    world
        .change_connection(whatsapp, |connection| connection.send = None)
        .await;
    let message = world.follow_up().await;
    world.work_and_read(&message).await;
    let message = world.work_and_read(&message).await;
    has_attempts(&message, &[AttemptState::Refused, AttemptState::Accepted]);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn credentials_sealed_for_another_connection_send_nothing() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let stranger = seed::connection(
        &world.aws,
        world.business.tenant(),
        Account::Telephony(telephony::Account { numbers: vec![] }),
        &VerifySecrets::Telephony(telephony::Verify { secrets: vec![] }),
        Some(&SendSecrets::WhatsApp(whatsapp::Send {
            access_token: "stolen".to_owned(),
        })),
    )
    .await;
    let whatsapp = world.business.whatsapp;
    world
        .change_connection(whatsapp, |connection| connection.send = stranger.send)
        .await;
    let message = world.follow_up().await;
    assert!(world.work(&message).await.is_err());
    assert!(world.provider.sends().is_empty());
    assert!(world.message(&message).await.attempts.is_empty(), "nothing was claimed");
    // Not a temporary problem: it waits for somebody to act, and does not circulate until it is a dead letter.
    let job = world.job(&message).body;
    assert!(Box::pin(handle(Job::new(job.clone(), 2), &world.ctx)).await.is_err());
    assert_eq!(handle_job(Job::new(job, 3), &world.ctx).await, Done::Now);
    let message = world.message(&message).await;
    assert!(
        message.remarks[0].text.contains("cannot be opened"),
        "{:?}",
        message.remarks
    );
    let recheck = world.aws.now() + SignedDuration::from_secs(300);
    assert!(message.due >= Some(recheck), "{:?}", message.due);
    assert_eq!(world.copies().await, 0, "it waits in the table");
}

#[tokio::test]
async fn temporary_refusal_queues_a_delayed_retry() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(400, 131056));
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Scheduled);
    assert!(message.not_before > world.aws.now());
    assert_eq!(message.due, Some(message.not_before), "the due index has it too");
    assert_eq!(world.copies().await, 1);
    assert!(world.take_send_jobs().await.is_empty(), "held back by the queue");
}
