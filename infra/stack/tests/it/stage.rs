//! The stack that the tests share.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::{LazyLock, OnceLock};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use domain::Timestamp;
use domain::messages::{Message, MessageState};
use domain::tenants::Connection;
use domain::terms::{Channel, ConnectionId, ContactId, Phone};
use serde_json::{Value, json};
use stack::api::{Proof, ask, require_success};
use stack::aws::{Aws, LogEvent};
use stack::build;
use stack::business::{Plan, Town};
use stack::endpoints::{Endpoints, Tenant};
use stack::place::Place;
use stack::play::{Answer, Customer, Look, Play, Sent, new_phone, until};
use stack::tools::{Contract, Tools};
use store::TenantScope;
use tokio::runtime::Runtime;
use tokio::sync::RwLock;

/// Maximum wait, enough for a busy machine and the dispatcher's minute. No assertion depends on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime needs nothing but the machine")
});

/// Created once for all tests.
static CONTRACT: tokio::sync::OnceCell<Contract> = tokio::sync::OnceCell::const_new();

static STAGE: tokio::sync::OnceCell<Stage> = tokio::sync::OnceCell::const_new();

/// Tests that break the stack itself run alone.
static WHOLE: OnceLock<RwLock<()>> = OnceLock::new();

/// The stack, and what creates businesses in it.
pub(crate) struct Stage {
    pub(crate) play: Play,
    pub(crate) town: Town,
    pub(crate) aws: Aws,
    pub(crate) place: Place,
}

impl Stage {
    async fn find() -> Result<Self> {
        let file = std::env::var("RINGBACK_TEST_STACK")
            .context("these tests need a deployed stack: run `cargo stack test`")?;
        let file = PathBuf::from(file);
        let text =
            std::fs::read(&file).with_context(|| format!("{} is missing: run `cargo stack test`", file.display()))?;
        let endpoints: Endpoints = serde_json::from_slice(&text).context("reading endpoints.json")?;
        // For the default data directory, the file is beside it.
        let folder = file.parent().context("endpoints.json lies in a folder")?;
        let inside = folder.join("data");
        let data = if folder.join("simulators.json").exists() {
            folder.to_owned()
        } else {
            inside
        };
        let place = Place::new(Some(&data))?;
        let aws = Aws::local(Tools::set_up(&place).await?, endpoints.aws_endpoint.clone());
        let play = Play::new(endpoints).await?;
        let town = Town::new(&play, &aws, &place, &data).await?;
        Ok(Self { play, town, aws, place })
    }

    /// Tools for the API's contract.
    pub(crate) async fn contract(&self) -> Result<&'static Contract> {
        let set_up = async || Tools::set_up(&self.place).await?.contract().await;
        CONTRACT.get_or_try_init(set_up).await
    }

    async fn dispatch_for_ever(&self) -> Result<()> {
        let dispatcher = build::function(&self.place.root, "dispatch_due")?.deployed_name(&self.play.endpoints.stack);
        let invoke = json!({ "FunctionName": dispatcher, "Payload": "{}" });
        let session = self.aws.session()?;
        loop {
            tokio::time::sleep(Duration::from_secs(4)).await;
            session.call("lambda", "invoke", invoke.clone()).await?;
        }
    }

    /// A business like the seeded bakery, with its own ids, numbers and secrets.
    pub(crate) async fn business(&self, name: &str) -> Result<Business<'_>> {
        self.changed_business(name, |_| {}).await
    }

    /// A business like the seeded bakery, with these changes of its plan.
    pub(crate) async fn changed_business(&self, name: &str, change: impl FnOnce(&mut Plan)) -> Result<Business<'_>> {
        Ok(Business {
            tenant: self.town.open(name, change).await?,
            stage: self,
        })
    }

    /// Waits for log lines of any function that `wanted` selects.
    pub(crate) async fn wait_for_logs(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Result<Vec<Value>> {
        until(PATIENCE, what, async || {
            let lines = self.lines(&wanted).await?;
            let found = (!lines.is_empty()).then_some(lines);
            Ok(Look::from_option(found, || "no such log line".to_owned()))
        })
        .await
    }

    /// The log lines of the last minutes that `wanted` selects.
    pub(crate) async fn lines(&self, wanted: impl Fn(&Value) -> bool) -> Result<Vec<Value>> {
        // A look reads every line since then, ten thousand at a time, and chaos writes many. On a busy machine, it takes a minute.
        let logs = self.logs(Timestamp::now().as_millisecond() - 300_000).await?;
        let lines = logs
            .iter()
            .filter_map(|event| serde_json::from_str(&event.message).ok());
        Ok(lines.filter(wanted).collect())
    }

    /// All log lines of the functions since a time (milliseconds since 1970).
    pub(crate) async fn logs(&self, since: i64) -> Result<Vec<LogEvent>> {
        let groups = build::log_groups(&build::functions(&self.place.root)?, &self.play.endpoints.stack);
        self.aws.logs(&groups, Some(since)).await
    }
}

/// A business of one test.
pub(crate) struct Business<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) tenant: Tenant,
}

impl Business<'_> {
    pub(crate) fn id(&self) -> &str {
        &self.tenant.id
    }

    /// The path of a webhook of its connection of this kind: `telephony`, `whatsapp`, `twilio/voice`.
    pub(crate) fn webhook(&self, what: &str) -> String {
        let (kind, rest) = what.split_once('/').unwrap_or((what, ""));
        let connection = &self.tenant.connections[kind];
        format!("/webhooks/{kind}/{}/{connection}/{rest}", self.id())
            .trim_end_matches('/')
            .to_owned()
    }

    /// Sends a request to the API with the business's key.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Result<Answer> {
        let key = Proof::Key(self.tenant.api_key.clone());
        let body = body.map(|body| ("application/json".to_owned(), body));
        ask(&self.stage.play, method, path, &key, None, &body).await
    }

    /// Sends a request to the API with the business's key; it must succeed.
    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value> {
        require_success(&self.ask(method, path, body).await?, path)
    }

    /// Waits until an operation is done, or that of what is at this path; returns what is there.
    pub(crate) async fn wait_until_done(&self, path: &str) -> Result<Value> {
        until(PATIENCE, &format!("{path} that is done"), async || {
            // A key may ask a hundred times a minute.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let shown = self.api("get", path, None).await?;
            let own = &shown["operation"];
            let state = if own.is_null() { &shown["state"] } else { &own["state"] };
            anyhow::ensure!(state != "failed", "{shown}");
            let found = (state == "done").then(|| shown.clone());
            Ok(Look::from_option(found, || shown.to_string()))
        })
        .await
    }

    /// Waits until an operation that was started is done; returns it.
    pub(crate) async fn wait_for_operation(&self, started: &Value) -> Result<Value> {
        let id = started["id"].as_str().context("an operation has an id")?;
        self.wait_until_done(&format!("/api/v1/operations/{id}")).await
    }

    /// A customer calls; every webhook must be accepted.
    pub(crate) async fn call(&self, from: &Phone, outcome: &str, more: Value) -> Result<()> {
        let call = self.stage.play.call(self.id(), from, outcome, more).await?;
        let events = call["events"].as_array().context("a call has events")?;
        for event in events {
            anyhow::ensure!(event["status"] == 200, "a webhook of the call was not taken: {call}");
        }
        Ok(())
    }

    /// A new customer calls by this system, and nobody answers.
    pub(crate) async fn miss_call(&self, via: &str) -> Result<Phone> {
        let caller = customer();
        self.call(&caller, "missed", json!({ "via": via })).await?;
        Ok(caller)
    }

    /// Lets a customer write a message.
    pub(crate) async fn reply(&self, from: &Phone, channel: Channel, text: &str) -> Result<()> {
        let reply = self.stage.play.reply(self.id(), from, channel, text).await?;
        anyhow::ensure!(reply["status"] == 200, "the reply was not taken: {reply}");
        Ok(())
    }

    /// Adds a fault for this business only.
    pub(crate) async fn fault(&self, fault: Value) -> Result<u64> {
        let mut whole = json!({ "tenant": self.id() });
        stack::play::merge(&mut whole, fault);
        self.stage.play.fault(whole).await
    }

    pub(crate) async fn wait_until_accepted(&self, to: &Phone, channel: Channel) -> Result<Sent> {
        self.stage
            .play
            .wait_until_accepted(self.id(), to, channel, PATIENCE)
            .await
    }

    pub(crate) async fn outbox(&self, to: &Phone) -> Result<Vec<Sent>> {
        self.stage.play.outbox(self.id(), to).await
    }

    /// All messages that the providers took for the business, in this order.
    pub(crate) async fn list_sent_messages(&self) -> Result<Vec<Sent>> {
        let path = format!("/outbox?tenant={}", self.id());
        self.stage.play.get(&path).await
    }

    /// A customer as the business knows it now.
    pub(crate) async fn customer(&self, phone: &Phone) -> Result<Customer> {
        let known = self.stage.play.customer(self.id(), phone).await?;
        known.context("a contact")
    }

    /// The scope of its data.
    pub(crate) fn scope(&self) -> Result<TenantScope> {
        Ok(access::operator::scope(self.id().parse()?))
    }

    /// Its WhatsApp connection, as it is stored.
    pub(crate) async fn whatsapp(&self) -> Result<Connection> {
        let id: ConnectionId = self.tenant.connections["whatsapp"].parse()?;
        let connection = self.stage.play.store.connection(&self.scope()?, id).await?;
        connection.context("the business has a WhatsApp connection")
    }

    /// Waits until a message of this customer is stored. Returns the customer's contact.
    pub(crate) async fn has_written(&self, phone: &Phone) -> Result<ContactId> {
        let wrote = |known: &Customer| (!known.received.is_empty()).then_some(known.contact.id);
        self.wait_for_customer(phone, "a message of theirs", wrote).await
    }

    /// Waits until this customer has refused all messages.
    pub(crate) async fn opted_out(&self, phone: &Phone) -> Result<()> {
        let refused = |known: &Customer| known.contact.opted_out().map(drop);
        self.wait_for_customer(phone, "the opt-out", refused).await
    }

    /// Requires that the providers took exactly one message to this customer.
    pub(crate) async fn sent_once(&self, to: &Phone) -> Result<()> {
        let sent = self.outbox(to).await?;
        anyhow::ensure!(sent.len() == 1, "{to} got {sent:?}");
        Ok(())
    }

    pub(crate) async fn wait_for_customer<T>(
        &self,
        phone: &Phone,
        what: &str,
        seen: impl Fn(&Customer) -> Option<T>,
    ) -> Result<T> {
        self.stage
            .play
            .wait_for_customer(self.id(), phone, PATIENCE, what, seen)
            .await
    }

    pub(crate) async fn wait_until_decided(&self, phone: &Phone, count: usize) -> Result<domain::calls::Call> {
        self.stage
            .play
            .wait_until_decided(self.id(), phone, count, PATIENCE)
            .await
    }

    /// Waits until this customer's first message is in this state; returns it.
    pub(crate) async fn comes_to(&self, phone: &Phone, state: MessageState) -> Result<Message> {
        self.wait_for_customer(phone, &format!("a message in the state {state:?}"), |customer| {
            let message = customer.messages.first()?;
            (message.state() == state).then(|| message.clone())
        })
        .await
    }

    /// Waits until this customer's last message is in a final state and no status is pending; returns it.
    pub(crate) async fn wait_until_settled(&self, phone: &Phone) -> Result<Message> {
        self.wait_for_customer(phone, "a message that is settled", |customer| {
            let message = customer.messages.last()?;
            let over = message.due.is_none() && (message.ended.is_some() || message.was_delivered());
            over.then(|| message.clone())
        })
        .await
    }
}

/// Runs a test on the stack, beside others.
pub(crate) fn on_stage(test: impl AsyncFnOnce(&Stage) -> Result<()>) {
    RUNTIME.block_on(async {
        let _beside_others = WHOLE.get_or_init(Default::default).read().await;
        run(test).await;
    });
}

async fn run(test: impl AsyncFnOnce(&Stage) -> Result<()>) {
    let stage = STAGE.get_or_try_init(Stage::find).await;
    let stage = stage.unwrap_or_else(|error| panic!("{error:#}"));
    if let Err(error) = Box::pin(test(stage)).await {
        panic!("{error:#}");
    }
}

/// Runs a test on the stack, with the dispatcher run every few seconds in addition to its schedule.
pub(crate) fn in_a_hurry(test: impl AsyncFnOnce(&Stage) -> Result<()>) {
    on_stage(async |stage| {
        tokio::select! {
            outcome = Box::pin(test(stage)) => outcome,
            Err(error) = stage.dispatch_for_ever() => Err(error),
        }
    });
}

/// Stack of a test that plays many flows: without optimisation, their futures need more than the two MiB of a test's own thread.
const DEEP: usize = 32 * 1024 * 1024;

/// Runs a test alone that breaks the stack itself, or needs it for itself.
pub(crate) fn alone_on_stage(test: impl AsyncFnOnce(&Stage) -> Result<()> + Send) {
    let run = move || {
        RUNTIME.block_on(async {
            let _alone = WHOLE.get_or_init(Default::default).write().await;
            run(test).await;
        });
    };
    let ended = thread::scope(|scope| {
        let deep = thread::Builder::new().stack_size(DEEP).spawn_scoped(scope, run);
        deep.expect("a thread").join()
    });
    if let Err(panicked) = ended {
        resume_unwind(panicked);
    }
}

/// Follow-ups wait longer than a queue can delay, so none is left in a queue after the test.
pub(crate) fn delay_follow_ups(plan: &mut Plan) {
    plan.then()["delay_seconds"] = 3600.into();
}

/// Size of a test: the one that this variable says, where it is set, or else the usual one.
pub(crate) fn size(variable: &str, usual: usize) -> Result<usize> {
    let wanted = std::env::var(variable);
    wanted.map_or(Ok(usual), |text| {
        text.parse().with_context(|| format!("reading {variable}"))
    })
}

/// A customer of this test only.
pub(crate) fn customer() -> Phone {
    new_phone().expect("the machine has random bytes")
}
