//! A provider's webhook, and the promises of all of them: unauthenticated requests leave nothing behind, unreadable events are
//! stored, and the provider is asked to retry what cannot be stored. Each test says how a call is authenticated, and its path.

use std::fmt::Display;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use domain::people::ShopReport;
use domain::telephony::CallEvent;
use domain::tenants::{Account, UnknownNumber, UnknownNumbers, VerifySecrets};
use domain::terms::{ConnectionId, TenantId};
use jobs::{CallJob, CommerceJob};
use kit::webhook::LARGEST_CALL;
use kit::{ConfigError, Env, QueueName};

use crate::business::phone;
use crate::{Answer, Aws, Call, Function, Lossy, Seeded, Variables, seed};

/// A body larger than the limit of any webhook.
pub fn too_large() -> Vec<u8> {
    vec![b' '; 3 * 1024 * 1024 + 1]
}

/// A body one byte larger than the limit of a webhook for calls.
pub fn larger_than_a_call() -> Vec<u8> {
    vec![b' '; LARGEST_CALL + 1]
}

/// The function of a provider's webhooks.
#[derive(Debug, Clone, Copy)]
pub struct Webhook {
    provider: &'static str,
    routes: fn(&Env) -> Result<Router, ConfigError>,
    variables: &'static Variables<'static>,
}

/// A test's AWS with a tenant in it, and a process of the function.
pub struct World {
    pub aws: Aws,
    /// The tenant, as created by [`seed::tenant`].
    pub tenant: Seeded,
    /// The tenant's connection to the provider.
    pub connection: ConnectionId,
    webhook: Webhook,
    function: Function,
    /// Number of rows in the table at the beginning.
    rows: usize,
}

/// Number of rows but for the notes that a connection's webhooks were refused.
async fn lasting_rows(aws: &Aws) -> usize {
    let rows = aws.rows().await;
    let is_note = |kind: &AttributeValue| kind.as_s().is_ok_and(|kind| kind == "refused_webhook");
    rows.iter().filter(|row| !row.get("kind").is_some_and(is_note)).count()
}

impl Webhook {
    /// The function with these routes, for the provider with this name in paths and in the raw bucket's keys.
    pub const fn new(provider: &'static str, routes: fn(&Env) -> Result<Router, ConfigError>) -> Self {
        Self {
            provider,
            routes,
            variables: &[],
        }
    }

    /// With these variables in addition to those of every test.
    pub const fn with_variables(mut self, variables: &'static Variables<'static>) -> Self {
        self.variables = variables;
        self
    }

    /// With a tenant that has this connection in addition to the usual ones.
    pub async fn with(self, account: Account, verify: VerifySecrets) -> World {
        let aws = Aws::new().await;
        let mut tenant = seed::tenant(&aws).await;
        let connection = tenant.add(&aws, account, &verify).await;
        self.world(aws, tenant, connection).await
    }

    /// With one of the usual connections.
    pub async fn with_seeded(self, connection: fn(&Seeded) -> ConnectionId) -> World {
        let aws = Aws::new().await;
        let tenant = seed::tenant(&aws).await;
        let connection = connection(&tenant);
        self.world(aws, tenant, connection).await
    }

    async fn world(self, aws: Aws, tenant: Seeded, connection: ConnectionId) -> World {
        let function = self.function(&aws, &[]);
        let rows = lasting_rows(&aws).await;
        World {
            aws,
            tenant,
            connection,
            webhook: self,
            function,
            rows,
        }
    }

    fn function(&self, aws: &Aws, changes: &Variables<'_>) -> Function {
        let variables = [self.variables, changes].concat();
        Function::new(&aws.env_with(&variables), self.routes)
    }

    fn path(&self, tenant: impl Display, connection: impl Display) -> String {
        format!("/webhooks/{}/{tenant}/{connection}", self.provider)
    }
}

impl World {
    /// The path of the connection, without further parts.
    pub fn path(&self) -> String {
        self.webhook.path(self.tenant.tenant(), self.connection)
    }

    /// Takes the jobs about orders out of their queue: the reports, each of which is the connection's.
    pub async fn take_reports(&self) -> Vec<ShopReport> {
        let jobs: Vec<CommerceJob> = self.aws.take_jobs(QueueName::CommerceEvents).await;
        let reports = jobs.into_iter().map(|job| match job {
            CommerceJob::Report {
                tenant,
                connection,
                report,
                ..
            } => {
                assert_eq!((tenant, connection), (self.tenant.tenant(), self.connection));
                *report
            }
            other @ CommerceJob::TellNews { .. } => panic!("{other:?}"),
        });
        reports.collect()
    }

    /// Paths that are not a connection of this provider: invalid ids, unknown ids, and the tenant's other connections.
    fn strangers_paths(&self) -> Vec<String> {
        let (tenant, ulid) = (self.tenant.tenant(), self.aws.ids().ulid());
        let (nobody, nothing) = (TenantId::new(ulid), ConnectionId::new(ulid));
        let others = [self.tenant.twilio, self.tenant.whatsapp, self.tenant.telephony];
        let others = others.into_iter().filter(|other| *other != self.connection);
        let mut paths: Vec<_> = others.map(|other| self.webhook.path(tenant, other)).collect();
        paths.extend([
            self.webhook.path("a", "b"),
            self.webhook.path(tenant, "b"),
            self.webhook.path(tenant.to_string().to_uppercase(), self.connection),
            self.webhook.path(nobody, self.connection),
            self.webhook.path(tenant, nothing),
        ]);
        paths
    }

    /// Another process of the function, with some variables changed.
    pub fn function_with(&self, changes: &Variables<'_>) -> Function {
        self.webhook.function(&self.aws, changes)
    }

    /// Another process of the function, which can reach neither a queue nor the bucket.
    pub fn storing_nowhere(&self) -> Function {
        let queues = QueueName::ALL.map(|queue| (queue.variable(), "http://127.0.0.1:9/000000000000/none"));
        self.function_with(&[&queues[..], &[("RAW_BUCKET", "none-such")]].concat())
    }

    /// Changes the connection's account, for another process of the function.
    pub async fn change(&mut self, account: Account) {
        self.tenant.connection_mut(self.connection).account = account;
        self.tenant.write(&self.aws).await;
        self.function = self.function_with(&[]);
        self.rows = lasting_rows(&self.aws).await;
    }

    /// Another tenant of the usual kind.
    pub async fn stranger(&mut self) -> Seeded {
        let stranger = seed::tenant(&self.aws).await;
        self.rows = lasting_rows(&self.aws).await;
        stranger
    }

    pub async fn call(&self, call: &Call) -> Answer {
        self.function.call(call).await
    }

    pub async fn status(&self, call: &Call) -> u16 {
        self.call(call).await.status()
    }

    /// Takes the reports of calls out of their queue.
    ///
    /// # Panics
    /// When one is something else, or not about the tenant's connection.
    pub async fn reports(&self) -> Vec<CallEvent> {
        let jobs = self.aws.take_jobs(QueueName::Calls).await.into_iter();
        jobs.map(|job| match job {
            CallJob::Reported { tenant, event, .. } => {
                let expected = (self.tenant.tenant(), self.connection);
                assert_eq!((tenant, event.connection), expected, "{event:?}");
                event
            }
            other => panic!("{other:?}"),
        })
        .collect()
    }

    /// Takes the only report of a call out of its queue. `what` names the request in errors.
    pub async fn only_report(&self, what: &str) -> CallEvent {
        let mut reports = self.reports().await;
        assert_eq!(reports.len(), 1, "{what}: {reports:?}");
        reports.remove(0)
    }

    /// The stored unreadable bodies, in the order of their bytes.
    pub async fn unreadable_bodies(&self) -> Vec<Vec<u8>> {
        let prefix = format!("raw/unreadable/{}/", self.webhook.provider);
        let mut kept: Vec<_> = self.aws.objects(&prefix).await.into_values().collect();
        kept.sort();
        kept
    }

    /// Asserts that no queue contains a job.
    pub async fn assert_nothing_is_queued(&self) {
        for queue in QueueName::ALL {
            let jobs = self.aws.drain(queue).await;
            assert!(jobs.is_empty(), "{}: {jobs:?}", queue.as_str());
        }
    }

    /// Asserts that no queue contains a job, the bucket no object, and the table no additional row but for notes that webhooks were refused.
    pub async fn assert_nothing_is_left(&self) {
        self.assert_nothing_is_queued().await;
        let objects = self.aws.objects("").await;
        assert!(objects.is_empty(), "{:?}", objects.keys());
        assert_eq!(lasting_rows(&self.aws).await, self.rows);
    }

    /// Asserts that all of these are refused with the same answer and leave nothing behind, and so is a valid call for a connection of
    /// another kind or without an owner, signed or not, without opening a secret; for the connection itself it is accepted. `good`
    /// builds the call for a path such as [`World::path`].
    pub async fn assert_refused<W: Display>(&self, calls: &[(W, Call)], good: impl Fn(&str) -> Call) {
        assert!(!calls.is_empty());
        let mut refused: Vec<_> = calls
            .iter()
            .map(|(why, call)| (why.to_string(), call.clone()))
            .collect();
        for path in self.strangers_paths() {
            refused.push((format!("unsigned: {path}"), good(&path).without_credentials()));
            refused.push((path.clone(), good(&path)));
        }
        let expected = self.call(&refused[0].1).await.json();
        assert_eq!(expected["type"], "urn:ringback:problem:unauthorized");
        for (why, call) in &refused {
            let answer = self.call(call).await;
            assert_eq!(answer.status(), 401, "{why}");
            assert_eq!(answer.json(), expected, "{why}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{why}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{why}");
            assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{why}");
        }
        self.assert_only_what_is_unknown_is_asked_for_again(&good).await;
        self.assert_nothing_is_left().await;
        assert_eq!(self.status(&good(&self.path())).await, 200, "the good call is none");
    }

    /// Asserts that the provider is asked to retry while the secrets cannot be opened or the table does not answer, because the sender
    /// cannot be authenticated. Requests that are certainly invalid are refused all the same.
    async fn assert_only_what_is_unknown_is_asked_for_again(&self, good: impl Fn(&str) -> Call) {
        let aws = Lossy::before(&self.aws);
        aws.deny("Decrypt");
        let nothing_opens = self.function_with(&[("AWS_ENDPOINT_URL", aws.url())]);
        let own = good(&self.path());
        assert_eq!(nothing_opens.call(&own).await.status(), 503, "the secrets do not open");
        let no_table = self.function_with(&[("TABLE_NAME", "none-such")]);
        assert_eq!(no_table.call(&own).await.status(), 503, "the table does not answer");
        for path in self.strangers_paths() {
            let call = good(&path);
            let status = nothing_opens.call(&call).await.status();
            assert_eq!(status, 401, "secrets of others: {path}");
        }
        let of_tenant = self.webhook.path(self.tenant.tenant(), "b");
        for no_ids in [self.webhook.path("a", "b"), of_tenant] {
            assert_eq!(no_table.call(&good(&no_ids)).await.status(), 401, "{no_ids}");
        }
    }

    /// Asserts that the call is accepted and leaves nothing behind.
    pub async fn assert_ignored(&self, call: &Call) {
        assert_eq!(self.status(call).await, 200, "{call:?}");
        self.assert_nothing_is_left().await;
    }

    /// Asserts that the call is accepted and ignored, and leaves nothing behind but a note that this number was called, which the connection
    /// does not have. Further calls and processes of the same hour write nothing.
    pub async fn assert_ignored_but_noted(&self, call: &Call, number: &str) {
        let at = self.aws.now();
        for function in [&self.function, &self.function, &self.function_with(&[])] {
            assert_eq!(function.call(call).await.status(), 200, "{call:?}");
            self.aws.pass(60);
        }
        self.assert_nothing_is_queued().await;
        assert_eq!(lasting_rows(&self.aws).await, self.rows + 1);
        let noted = self.aws.store().unknown_numbers(self.tenant.scope()).await;
        let number = phone(number);
        let expected = UnknownNumbers {
            connection: self.connection,
            numbers: vec![UnknownNumber { number, at }],
        };
        assert_eq!(noted.expect("the table answers"), [expected]);
    }

    /// Asserts that these are accepted, and that the bytes beside each are stored without a job.
    pub async fn assert_kept(&self, calls: &[(Call, &[u8])]) {
        assert!(!calls.is_empty());
        for (call, _) in calls {
            assert_eq!(self.status(call).await, 200, "{call:?}");
        }
        let mut expected: Vec<_> = calls.iter().map(|(_, bytes)| bytes.to_vec()).collect();
        expected.sort();
        assert_eq!(self.unreadable_bodies().await, expected);
        self.assert_nothing_is_queued().await;
    }

    /// Asserts that the provider is asked to retry these if nothing can be stored.
    pub async fn assert_asked_for_again(&self, calls: &[Call]) {
        assert!(!calls.is_empty());
        let function = self.storing_nowhere();
        for call in calls {
            assert_eq!(function.call(call).await.status(), 503, "{call:?}");
        }
    }

    /// Asserts that the job of a call is stored in the bucket if its queue refuses it, and nothing else happens.
    pub async fn assert_spilled(&self, call: &Call, queue: QueueName) {
        let nowhere = "http://127.0.0.1:9/000000000000/none";
        let function = self.function_with(&[(queue.variable(), nowhere)]);
        assert_eq!(function.call(call).await.status(), 200, "{call:?}");
        let spilled = self.aws.objects(&format!("spill/{}/", queue.as_str())).await;
        assert_eq!(spilled.len(), 1, "{spilled:?}");
        self.assert_nothing_is_queued().await;
    }

    /// Asserts that a call is accepted without the table once the connection is cached.
    pub async fn assert_a_warm_call_reads_nothing(&self, call: &Call) {
        assert_eq!(self.status(call).await, 200);
        self.aws.delete_table().await;
        assert_eq!(self.status(call).await, 200, "with no table at all");
        assert_eq!(self.reports().await.len(), 2);
    }

    /// Asserts that the call's method is refused at its path, which allows only `methods`.
    pub async fn assert_takes_only(&self, methods: &str, call: &Call) {
        let answer = self.call(call).await;
        assert_eq!((answer.status(), answer.header("allow")), (405, methods), "{call:?}");
        assert_eq!(answer.json()["type"], "urn:ringback:problem:method_not_allowed");
    }

    /// Asserts that a [`too_large`] body, a `GET` instead of a `POST` and a body of another type are refused.
    pub async fn assert_size_method_and_type_are_checked(&self, large: &Call, get: &Call, other_type: &Call) {
        assert_eq!(self.status(large).await, 413);
        self.assert_takes_only("POST", get).await;
        assert_eq!(self.status(other_type).await, 415);
    }
}
