//! A table, our queues, a bucket and two keys for one test alone, in the emulator that `RINGBACK_TEST_AWS` names.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use access::{Kms, Secrets, operator};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType,
};
use domain::Timestamp;
use domain::accounts::AuditEntry;
use domain::messages::TemplateEdition;
use domain::tenants::{Limits, Tenant};
use domain::terms::{Actor, Data, LineId, Operation, OperationId, Progress, Stamp, TenantId};
use jiff::SignedDuration;
use jobs::{MailJob, QueueBody};
use kit::schedule::Deadline;
use kit::{Clock, Config, Env, Ids, QueueName, SealedLinks, Stage};
use serde::Serialize;
use serde_json::Value;
use store::accounts::Wanted;
use store::reports::{Counted, Place, Source, TemplateDay};
use store::{Store, TenantScope};
use tokio::sync::OnceCell;

use crate::role::{Forbidden, Role, Watch};
use crate::template::list_fields;

/// Names and values of environment variables; an empty value counts as missing.
pub type Variables<'a> = [(&'a str, &'a str)];

/// Names of counters, and what is added to each.
pub type Counters<'a> = [(&'a str, u64)];

/// A test's own AWS.
pub struct Aws {
    variables: BTreeMap<String, String>,
    env: Env,
    /// The test's own environment.
    own: Env,
    forbidden: Forbidden,
    clock: Clock,
    ids: Ids,
}

/// Variables of what all tests of a process share.
static SHARED: OnceCell<[(String, String); 3]> = OnceCell::const_new();

const NEEDED: &str =
    "this test needs the AWS emulator; run it by `cargo stack test`, or set RINGBACK_TEST_AWS to a MiniStack's URL";

/// The variable with the URL of a function's dead letters.
pub const DEAD_LETTERS: &str = kit::queue::DEAD_LETTERS;

/// The time when every test begins, on the day of the vectors and fixtures.
pub fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("it is a time")
}

impl Aws {
    /// New and empty, at [`noon`].
    ///
    /// # Panics
    /// When there is no emulator: a test that needs one must not pass without it.
    pub async fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "how `cargo stack test` tells tests where the emulator is"
        )]
        let endpoint = std::env::var("RINGBACK_TEST_AWS").expect(NEEDED);
        let own = Ids::random(Clock::system()).ulid().to_string().to_ascii_lowercase();
        let clock = Clock::new_fixed(noon());
        let mut variables: BTreeMap<String, String> = [
            ("STAGE", Stage::Local.as_str()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("TABLE_NAME", &format!("test-{own}")),
            ("RAW_BUCKET", &format!("test-{own}")),
            ("FILES_BUCKET", &format!("test-files-{own}")),
            ("RAW_RETENTION_DAYS", "30"),
            // The account's own, which no rule watches.
            ("OPERATIONS_BUS", "default"),
            ("OPERATION_SLOTS", "100"),
            ("BULK_CONCURRENCY", "20"),
            ("LIVE_URL", "https://live.example.com/live"),
            // Nobody answers there.
            ("CONNECTIONS_URL", "http://127.0.0.1:1"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        let making = env(&variables, &clock, &Ids::random(clock.clone()));
        tokio::join!(
            Box::pin(make_table(&making)),
            Box::pin(make_bucket(&making, "RAW_BUCKET")),
            Box::pin(make_bucket(&making, "FILES_BUCKET"))
        );
        let queues = QueueName::ALL.map(|queue| (queue.as_str(), queue.variable()));
        for (queue, variable) in queues.into_iter().chain([("dead", DEAD_LETTERS)]) {
            let made = making.sqs().create_queue().queue_name(format!("test-{queue}-{own}"));
            let url = made.send().await.expect("a queue is made").queue_url;
            variables.insert(variable.to_owned(), url.expect("a queue has a URL"));
        }
        let shared = SHARED.get_or_init(|| Box::pin(make_shared(&making, &own))).await;
        variables.extend(shared.iter().cloned());
        let ids = Ids::random(clock.clone());
        let own = env(&variables, &clock, &ids);
        let forbidden = Forbidden::default();
        Self {
            env: of_function(&variables, &clock, &ids, &forbidden),
            variables,
            own,
            forbidden,
            clock,
            ids,
        }
    }

    /// The environment of a function in the stack. Its requests to the table are compared with the role of the function whose tests
    /// these are; the test fails at its end if the role does not allow one.
    pub const fn env(&self) -> &Env {
        &self.env
    }

    /// The environment of a function with some variables changed.
    pub fn env_with(&self, changes: &Variables<'_>) -> Env {
        let mut variables = self.variables.clone();
        for (name, value) in changes {
            variables.insert((*name).to_owned(), (*value).to_owned());
        }
        of_function(&variables, &self.clock, &self.ids, &self.forbidden)
    }

    /// The function's environment with this URL in place of AWS's.
    pub fn env_behind(&self, url: &str) -> Env {
        self.env_with(&[("AWS_ENDPOINT_URL", url)])
    }

    /// The table's client for the test itself.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.own.dynamodb()
    }

    /// The clock of everything in the test.
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub const fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Name of the table.
    pub fn table(&self) -> &str {
        self.own.config().text("TABLE_NAME").expect("the test has a table")
    }

    /// URL of the queue that the variable names.
    fn queue(&self, variable: &str) -> &str {
        self.own.config().text(variable).expect("the test has this queue")
    }

    pub fn store(&self) -> Store {
        Store::new(self.own.dynamodb(), self.table())
    }

    /// Sealing and opening with both keys.
    pub fn secrets(&self) -> Secrets {
        let key = |name: &str| self.env.config().optional(name).map(str::to_owned);
        Secrets::new(Kms::new(
            self.env.kms(),
            key("KMS_VERIFY_KEY_ID"),
            key("KMS_SEND_KEY_ID"),
        ))
    }

    /// An operator's scope of this tenant.
    pub fn scope(&self, tenant: TenantId) -> TenantScope {
        operator::scope(tenant)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The author of what an operator does now.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            actor: Actor::Operator,
            at: self.now(),
            correlation_id: "cor".to_owned(),
        }
    }

    /// Lets this number of seconds pass.
    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// The deadline of a run that has so many seconds from now.
    pub fn deadline(&self, seconds: i64) -> Deadline {
        Deadline::at(self.now() + SignedDuration::from_secs(seconds))
    }

    /// Changes a tenant's settings.
    pub async fn change_tenant(&self, scope: &TenantScope, change: impl FnOnce(&mut Tenant)) {
        let store = self.store();
        let found = store.tenant(scope).await.expect("the table answers");
        let mut tenant = found.expect("a tenant");
        change(&mut tenant);
        let changed = store.change_tenant(scope, &tenant, &self.stamp()).await;
        changed.expect("nobody else changes the tenant");
    }

    /// Changes the limits of a tenant's plan. Functions of the API notice within half a minute.
    pub async fn limit(&self, scope: &TenantScope, limits: Limits) {
        self.change_tenant(scope, |tenant| tenant.limits = Some(limits)).await;
        self.pass(31);
    }

    /// Changes an operation's row.
    pub async fn change_operation(&self, scope: &TenantScope, id: OperationId, change: impl FnOnce(&mut Operation)) {
        let store = self.store();
        let found = store.operation(scope, id, self.now()).await.expect("the table answers");
        let found = found.expect("the operation");
        let mut after = found.value;
        change(&mut after);
        let written = store.write_operation(scope, found.version, &after, None).await;
        written.expect("the operation is written");
    }

    /// Ends an operation that runs with this result.
    pub async fn end_operation<T: Serialize>(&self, scope: &TenantScope, id: OperationId, result: &T) {
        let (now, result) = (self.now(), Data::of(result).expect("it is small"));
        let ends = |operation: &mut Operation| {
            operation.claim(self.ids().ulid(), now);
            let ended = operation.finish(result, Progress::default(), now);
            assert!(ended, "it had ended before");
        };
        self.change_operation(scope, id, ends).await;
    }

    /// The audit log of the last two days, newest first.
    pub async fn audit_log(&self, scope: &TenantScope) -> Vec<AuditEntry> {
        let now = self.now();
        let (begin, end) = (now - SignedDuration::from_hours(48), now + SignedDuration::from_secs(1));
        let (store, all) = (self.store(), Wanted::default());
        let (mut log, mut from) = (Vec::new(), None);
        loop {
            let page = store.audit_page(scope, begin, end, from.as_deref(), 100, &all).await;
            let page = page.expect("the table answers");
            log.extend(page.items.into_iter().map(|recorded| recorded.entry));
            if page.next.is_none() {
                return log;
            }
            from = page.next;
        }
    }

    /// Counts something of a tenant's in the hour of this time, as of a change that nobody made.
    pub async fn count(&self, scope: &TenantScope, at: &str, line: Option<LineId>, counters: &Counters<'_>) {
        let place = Place::of(at.parse().expect("a time"), line);
        let shard = self.ids().ulid().to_string();
        let counted = [counted_change(counters)];
        let applied = self.store().count(scope, place, self.source(&shard), &counted).await;
        assert_eq!(applied.expect("the table answers"), [0], "it is counted");
    }

    /// Counts this for a content of a template.
    pub async fn count_template(&self, scope: &TenantScope, of: &TemplateEdition, at: &str, counters: &Counters<'_>) {
        let place = TemplateDay::of(of.clone(), at.parse().expect("a time"));
        let shard = self.ids().ulid().to_string();
        let (store, counted) = (self.store(), [counted_change(counters)]);
        let applied = store.count_template(scope, &place, self.source(&shard), &counted);
        assert_eq!(applied.await.expect("the table answers"), [0], "it is counted");
    }

    /// A batch of a shard of its own, so that it is counted in a row of its own.
    fn source<'a>(&self, shard: &'a str) -> Source<'a> {
        let now = self.now();
        Source {
            shard,
            oldest: now,
            retried_since: now,
            again: false,
            keep_until: now + SignedDuration::from_hours(400 * 24),
        }
    }

    /// Takes all jobs out of a queue that are visible now; delayed ones stay.
    pub async fn take_jobs<T: QueueBody>(&self, queue: QueueName) -> Vec<T> {
        let bodies = self.drain(queue).await.into_iter();
        let jobs = bodies.map(|body| serde_json::from_value(body).expect("a job of this queue"));
        jobs.collect()
    }

    /// Takes all mails out of their queue, with opened links.
    pub async fn take_mails(&self) -> Vec<MailJob> {
        let links = SealedLinks::new(&self.env).expect("the test has a secret for mails");
        let mut mails = Vec::new();
        for sealed in self.take_jobs::<MailJob>(QueueName::Mails).await {
            mails.push(links.open(sealed).await.expect("a mail opens"));
        }
        mails
    }

    /// Number of jobs in a queue, including delayed ones.
    pub async fn depth(&self, queue: QueueName) -> u64 {
        let depth = kit::enqueue::depth(&self.env, self.queue(queue.variable())).await;
        depth.expect("the queue answers")
    }

    /// Puts this number of bodies into the queue that the variable names.
    pub async fn fill_queue(&self, variable: &str, bodies: usize) {
        let url = self.queue(variable);
        for _ in 0..bodies {
            let send = self.env.sqs().send_message().queue_url(url).message_body("{}");
            send.send().await.expect("a message is taken");
        }
    }

    /// Receives everything in a queue without deleting it, like workers that have not finished; returns the number.
    pub async fn take_in_hand(&self, variable: &str) -> usize {
        let url = self.queue(variable);
        let mut taken = 0;
        loop {
            let receive = self.env.sqs().receive_message().queue_url(url);
            let receive = receive.max_number_of_messages(10).visibility_timeout(3600);
            let messages = receive.send().await.expect("the queue answers").messages;
            match messages.map(|messages| messages.len()) {
                Some(more) if more > 0 => taken += more,
                _ => return taken,
            }
        }
    }

    /// Takes everything out of a queue: the bodies, in any order.
    pub async fn drain(&self, queue: QueueName) -> Vec<Value> {
        let found = self.drain_with_groups(queue).await.into_iter();
        found.map(|(_, body)| body).collect()
    }

    /// As [`Aws::drain`], each with its message group.
    pub async fn drain_with_groups(&self, queue: QueueName) -> Vec<(String, Value)> {
        use aws_sdk_sqs::types::MessageSystemAttributeName::MessageGroupId;
        let url = self.queue(queue.variable());
        let mut found = Vec::new();
        loop {
            let receive = self.env.sqs().receive_message().queue_url(url);
            let receive = receive.max_number_of_messages(10).wait_time_seconds(0);
            let received = receive.message_system_attribute_names(MessageGroupId).send();
            let messages = received.await.expect("the queue answers").messages.unwrap_or_default();
            if messages.is_empty() {
                return found;
            }
            for message in messages {
                let body = serde_json::from_str(&message.body.unwrap_or_default()).expect("a job is JSON");
                let group = message.attributes.unwrap_or_default().remove(&MessageGroupId);
                found.push((group.unwrap_or_default(), body));
                let delete = self.env.sqs().delete_message().queue_url(url);
                let delete = delete.receipt_handle(message.receipt_handle.unwrap_or_default());
                delete.send().await.expect("a message is deleted");
            }
        }
    }

    /// The objects of the raw bucket under this prefix, by key.
    pub async fn objects(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        self.objects_of("RAW_BUCKET", prefix).await
    }

    /// The objects of the bucket of people's files under this prefix, by key.
    pub async fn files(&self, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        self.objects_of("FILES_BUCKET", prefix).await
    }

    async fn objects_of(&self, variable: &str, prefix: &str) -> BTreeMap<String, Vec<u8>> {
        let bucket = self.env.config().text(variable).expect("the test has a bucket");
        let list = self.env.s3().list_objects_v2().bucket(bucket).prefix(prefix);
        let listed = list.send().await.expect("the bucket answers");
        let mut found = BTreeMap::new();
        for object in listed.contents.unwrap_or_default() {
            let key = object.key.expect("an object has a key");
            let got = self.env.s3().get_object().bucket(bucket).key(&key).send().await;
            let bytes = got.expect("the object is there").body.collect().await;
            found.insert(key, bytes.expect("it can be read").to_vec());
        }
        found
    }

    /// All rows of the table, but those of slots: each run of an operation leaves some, whatever its work is.
    pub async fn rows(&self) -> Vec<HashMap<String, AttributeValue>> {
        let (mut rows, mut start) = (Vec::new(), None);
        loop {
            let scan = self.own.dynamodb().scan().table_name(self.table());
            let page = scan.set_exclusive_start_key(start).send().await;
            let page = page.expect("the table answers");
            rows.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                rows.retain(|row| row.get("kind").is_none_or(|kind| !is_of_slots(kind)));
                return rows;
            }
        }
    }

    /// Writes a row with these texts.
    pub async fn put_row(&self, texts: &[(&str, &str)]) {
        let put = self.own.dynamodb().put_item().table_name(self.table());
        let put = texts.iter().fold(put, |put, (name, text)| {
            put.item(*name, AttributeValue::S((*text).to_owned()))
        });
        put.send().await.expect("the row is written");
    }

    pub async fn row_count(&self) -> usize {
        self.rows().await.len()
    }

    /// Number of rows stamped by this actor, as the audit log reads them.
    pub async fn signed_by(&self, actor: &str) -> usize {
        let scan = self.own.dynamodb().scan().table_name(self.table());
        let scan = scan.filter_expression("#by.actor = :actor");
        let scan = scan.expression_attribute_names("#by", "by");
        let scan = scan.expression_attribute_values(":actor", AttributeValue::S(actor.to_owned()));
        usize::try_from(scan.send().await.expect("the table answers").count).unwrap_or_default()
    }

    /// Deletes the table, so that further requests fail.
    pub async fn delete_table(&self) {
        let deleting = self.own.dynamodb().delete_table().table_name(self.table());
        deleting.send().await.expect("the table is deleted");
    }
}

fn is_of_slots(kind: &AttributeValue) -> bool {
    kind.as_s().is_ok_and(|kind| matches!(kind.as_str(), "slot" | "slots"))
}

impl Drop for Aws {
    fn drop(&mut self) {
        let forbidden = self.forbidden.all();
        assert!(
            forbidden.is_empty() || std::thread::panicking(),
            "the function's role in template.yaml does not allow what it asked of the table:\n{}",
            forbidden.join("\n")
        );
    }
}

fn of_function(variables: &BTreeMap<String, String>, clock: &Clock, ids: &Ids, forbidden: &Forbidden) -> Env {
    let env = env(variables, clock, ids);
    match Role::of_this_crate() {
        Some(role) => env.observed_by(Watch {
            role,
            variables: Arc::new(variables.clone()),
            forbidden: forbidden.clone(),
        }),
        None => env,
    }
}

fn env(variables: &BTreeMap<String, String>, clock: &Clock, ids: &Ids) -> Env {
    let config = Config::from_variables(variables.clone()).expect("the test's variables are right");
    Env::new("test", config, clock.clone(), ids.clone()).expect("the test's variables are right")
}

/// Creates the table as `template.yaml` defines it.
async fn make_table(env: &Env) {
    let attribute = |name: &str| {
        let definition = AttributeDefinition::builder().attribute_name(name);
        let definition = definition.attribute_type(ScalarAttributeType::S).build();
        definition.expect("it is complete")
    };
    let key = |name: &str, kind: KeyType| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        key.build().expect("it is complete")
    };
    let index = |name: &str, hash: &str, range: &str, projection: Projection| {
        let index = GlobalSecondaryIndex::builder().index_name(name);
        let index = index.key_schema(key(hash, KeyType::Hash));
        let index = index.key_schema(key(range, KeyType::Range));
        index.projection(projection).build().expect("it is complete")
    };
    let by_day = Projection::builder()
        .projection_type(ProjectionType::Include)
        .set_non_key_attributes(Some(list_fields()))
        .build();
    let keys_only = || Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()
        .expect("it is complete");
    let names = ["pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk", "gsi3pk", "gsi3sk"];
    env.dynamodb()
        .create_table()
        .table_name(env.config().text("TABLE_NAME").expect("the test names a table"))
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(names.map(attribute).to_vec()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index("by_day", "gsi1pk", "gsi1sk", by_day))
        .global_secondary_indexes(index("due", "gsi2pk", "gsi2sk", keys_only()))
        .global_secondary_indexes(index("by_state", "gsi3pk", "gsi3sk", keys_only()))
        .stream_specification(stream)
        .send()
        .await
        .expect("a table is made");
}

/// Two keys and a secret, which no test changes.
async fn make_shared(env: &Env, own: &str) -> [(String, String); 3] {
    let key = async || {
        let made = env.kms().create_key().send().await.expect("a key is made");
        made.key_metadata.and_then(|key| key.arn).expect("a key has an ARN")
    };
    let secret = format!("test-mails-{own}");
    let made = env.secrets_manager().create_secret().name(&secret);
    let made = made.secret_string(r#"{"sealing_key": "of a test's mails"}"#);
    made.send().await.expect("the secret is made");
    [
        ("KMS_VERIFY_KEY_ID".to_owned(), key().await),
        ("KMS_SEND_KEY_ID".to_owned(), key().await),
        ("MAIL_SECRET_ID".to_owned(), secret),
    ]
}

async fn make_bucket(env: &Env, variable: &str) {
    let bucket = env.config().text(variable).expect("the test names a bucket");
    let made = env.s3().create_bucket().bucket(bucket).send().await;
    made.expect("a bucket is made");
}

/// A change that raises these counters, the first one of its shard.
fn counted_change(counters: &Counters<'_>) -> Counted {
    let counters = counters.iter().map(|(name, count)| ((*name).to_owned(), *count));
    Counted {
        sequence: format!("{:0>40}", 1),
        counters: counters.collect(),
        after_gap: false,
    }
}
