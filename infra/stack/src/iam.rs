//! `iam`: checks that every function's role allows exactly what the function calls.
//!
//! Three checks on a deployed stack. Do the actions of each role's `work` policy equal the AWS operations in the function's log
//! lines, over flows that include its rare paths? Is every statement of `work` needed: does its flow fail when it is removed?
//! And do `logs` and `trigger`, which Lambda itself uses and the emulator does not check, agree with the template and name the
//! function's own log group and event source? The partitions of the table that a role may touch are checked in `partitions`.
//!
//! It removes statements while it runs, so nothing else may use the stack meanwhile.

mod partitions;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use domain::{
    Timestamp,
    contact::{Contact, Identity},
    ids::{ContactId, MessageId},
    message::{Channel, Remark},
    phone::Phone,
};
use providers::{telephony, twilio, whatsapp};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use store::{StoreError, TenantScope, contacts::ContactWrite};
use ulid::Ulid;

use crate::{
    api::{self, log_in},
    aws::{Aws, Session},
    build::Function,
    business::Town,
    contract::{Contract, Operation},
    endpoints::Tenant,
    mails,
    place::Place,
    play::{Answer, Customer, Play, new_phone},
    report::step,
    running::{Options, Running},
    secrets::random_hex,
    up::interrupted,
    vendors::{self, Vendors},
};

/// Maximum wait for one step, enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Time for which an access token is reused, shorter than its validity.
const ACCESS_TOKEN: Duration = Duration::from_secs(300);

/// Time for which a flow is run before it counts as not failing.
const UNTIL_FAILED: Duration = Duration::from_secs(60);

/// Statements for services that the simulators stand in for. They do not evaluate policies, so nothing fails without the statement.
/// The log lines still show whether what they allow is called, and nothing else.
const OF_SIMULATORS: [(&str, &str); 1] = [("send_mail", "SendMail")];

/// The statement for the permission that S3 itself checks if an object is missing, so no function calls its action.
const ASKED_BY_S3: &str = "MissLarge";

/// Partition keys of a tenant's own partition, as in the template.
const OWN_PARTITION: &str = "T#??????????????????????????";

/// Maximum size of a row in bytes.
const LARGEST_ROW: usize = 400 * 1024;

/// Password of users created here.
const PASSWORD: &str = "seven quiet lanterns";

const POLICIES: [&str; 3] = ["logs", "trigger", "work"];

/// Runs all checks on its own stack.
pub async fn iam() -> Result<()> {
    let options = Options::throwaway("iam")?;
    let running = tokio::select! {
        running = Running::start(&options) => running?,
        () = interrupted() => bail!("interrupted"),
    };
    let outcome = tokio::select! {
        outcome = check_running(&running) => outcome,
        () = interrupted() => Err(anyhow!("interrupted")),
    };
    running.stop().await?;
    outcome
}

async fn check_running(running: &Running) -> Result<()> {
    let play = Play::new(running.endpoints.clone()).await?;
    let town = Town::new(&play, &running.aws, &running.place, &running.place.data).await?;
    let place = &running.place;
    Box::pin(check(&play, &town, &running.aws, &running.functions, place)).await
}

/// Runs all checks on a stack of this place that nothing else uses meanwhile. The error lists all findings.
pub async fn check(play: &Play, town: &Town, aws: &Aws, functions: &[Function], place: &Place) -> Result<()> {
    let data = place.data.as_path();
    let begun = Timestamp::now().as_millisecond();
    let aws = aws.session()?;
    let audit = Audit {
        platform: tokio::sync::Mutex::default(),
        play,
        town,
        data,
        contract: Contract::read(place)?,
        lost: format!("raw/large/whatsapp/{}", random_hex(8)?),
        vendors: Vendors::new()?,
        full: tokio::sync::Mutex::default(),
        roles: step("reading roles", roles(play, &aws, functions)).await?,
        aws,
    };
    let mut wrong = step("triggers and logs", audit.triggers_and_logs()).await?;
    step("ordinary and rare flows", Box::pin(audit.ordinary(begun, true))).await?;
    step("a call that nobody looks at again", Box::pin(audit.decided_late())).await?;
    let endpoints = &play.endpoints;
    let others = partitions::otherwise_enforced(&audit.roles, &audit.aws, &endpoints.aws_endpoint, &endpoints.table);
    wrong.extend(step("partitions of others", others).await?);
    wrong.extend(audit.without_each().await?);
    audit.find_lost().await?;
    let again = Timestamp::now().as_millisecond();
    step("all flows again", Box::pin(audit.ordinary(again, false))).await?;
    wrong.extend(step("operations in log lines", audit.operations(begun)).await?);
    wrong.extend(partitions::too_wide(&audit.roles, data)?);
    ensure!(wrong.is_empty(), "roles are not right:\n  {}", wrong.join("\n  "));
    Ok(())
}

/// A function's deployed role.
struct Role {
    function: Function,
    log_group: String,
    /// The deployed function's name.
    deployed: String,
    /// The role's name.
    name: String,
    /// Policy documents by name.
    policies: BTreeMap<String, Value>,
}

async fn roles(play: &Play, aws: &Session, functions: &[Function]) -> Result<Vec<Role>> {
    let stack = &play.endpoints.stack;
    let names = aws.resources(stack).await?;
    let mut found = Vec::new();
    for function in functions {
        let logical = format!("{}Role", function.logical_id);
        let name = names
            .get(&logical)
            .with_context(|| format!("the stack has a {logical}"))?;
        let mut policies = BTreeMap::new();
        let listed = aws
            .call("iam", "list_role_policies", json!({ "RoleName": name }))
            .await?;
        for policy in listed["PolicyNames"].as_array().into_iter().flatten() {
            let policy = policy.as_str().context("a policy has a name")?;
            let asked = json!({ "RoleName": name, "PolicyName": policy });
            let answer = aws.call("iam", "get_role_policy", asked).await?;
            policies.insert(policy.to_owned(), answer["PolicyDocument"].clone());
        }
        found.push(Role {
            function: function.clone(),
            log_group: function.log_group(stack),
            deployed: function.deployed(stack),
            name: name.clone(),
            policies,
        });
    }
    Ok(found)
}

/// One text or a list of texts.
fn texts(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => [text.clone()].into(),
        _ => BTreeSet::new(),
    }
}

fn statements(document: &Value) -> Vec<&Value> {
    document["Statement"].as_array().into_iter().flatten().collect()
}

impl Role {
    fn name(&self) -> &str {
        &self.function.name
    }

    fn document(&self, policy: &str) -> &Value {
        self.policies.get(policy).unwrap_or(&Value::Null)
    }

    fn work_sids(&self) -> Vec<String> {
        let work = statements(self.document("work"));
        work.iter()
            .map(|statement| statement["Sid"].as_str().unwrap_or("?").to_owned())
            .collect()
    }

    /// The actions that the function calls itself.
    fn actions(&self, policy: &str) -> BTreeSet<String> {
        let all = statements(self.document(policy)).into_iter();
        let own = all.filter(|statement| statement["Sid"] != ASKED_BY_S3);
        own.flat_map(|statement| texts(&statement["Action"])).collect()
    }
}

/// Evidence that a flow failed, in addition to a denial of one of the statement's actions in the function's log.
enum Failed {
    /// The answer's status.
    Answered(u16),
    /// A text in the log line.
    Logged(&'static str),
}

const DENIED: Failed = Failed::Logged("");
const UNAVAILABLE: Failed = Failed::Answered(503);

/// A statement's flow: the other statements to remove so that it is reached, and the evidence of its failure.
struct Flow {
    also_without: &'static [&'static str],
    failed: Failed,
}

const fn flow(failed: Failed) -> Flow {
    Flow {
        also_without: &[],
        failed,
    }
}

struct Audit<'a> {
    /// Token of the platform administrator, and its time.
    platform: tokio::sync::Mutex<Option<(Instant, String)>>,
    play: &'a Play,
    town: &'a Town,
    data: &'a Path,
    contract: Contract,
    /// The key of a missing object.
    lost: String,
    /// Rows that are as large as possible, so nothing can be added to them.
    full: tokio::sync::Mutex<Vec<(TenantScope, Full)>>,
    vendors: Vendors,
    aws: Session,
    roles: Vec<Role>,
}

/// A row of the maximum size of the table.
#[derive(Clone, Copy)]
enum Full {
    Contact(ContactId),
    Message(MessageId),
}

impl Audit<'_> {
    fn role(&self, function: &str) -> Result<&Role> {
        let found = self.roles.iter().find(|role| role.name() == function);
        found.with_context(|| format!("there is no function {function}"))
    }

    // ---- Triggers and logs ------------------------------------------------------------------------------------------

    /// The permissions of Lambda itself, in the template and as deployed.
    async fn triggers_and_logs(&self) -> Result<Vec<String>> {
        let asked = json!({ "StackName": self.play.endpoints.stack, "TemplateStage": "Processed" });
        let template = self.aws.call("cloudformation", "get_template", asked).await?;
        let template = match &template["TemplateBody"] {
            Value::String(text) => serde_json::from_str(text).context("reading the processed template")?,
            body => body.clone(),
        };
        let mut wrong = Vec::new();
        for role in &self.roles {
            let id = format!("{}Role", role.function.logical_id);
            let written = template["Resources"][&id]["Properties"]["Policies"].as_array();
            let written: BTreeMap<&str, &Value> = written
                .into_iter()
                .flatten()
                .filter_map(|policy| Some((policy["PolicyName"].as_str()?, &policy["PolicyDocument"])))
                .collect();
            let names: Vec<_> = role.policies.keys().map(String::as_str).collect();
            if written.keys().copied().collect::<Vec<_>>() != names {
                wrong.push(format!("{}: the role has the policies {names:?}", role.name()));
            }
            for policy in POLICIES.into_iter().filter(|policy| *policy != "work") {
                let Some(written) = written.get(policy) else { continue };
                let shape = |document: &Value| -> Vec<(String, String, BTreeSet<String>)> {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let one = |one: &&Value| (text(&one["Sid"]), text(&one["Effect"]), texts(&one["Action"]));
                    statements(document).iter().map(one).collect()
                };
                if shape(written) != shape(role.document(policy)) {
                    wrong.push(format!("{}: {policy} is deployed otherwise than written", role.name()));
                }
            }
            wrong.extend(self.wrong_logs(role));
            wrong.extend(self.wrong_trigger(role).await?);
        }
        Ok(wrong)
    }

    fn wrong_logs(&self, role: &Role) -> Option<String> {
        let wanted: BTreeSet<String> = ["logs:CreateLogStream", "logs:PutLogEvents"].map(str::to_owned).into();
        let own = |resource: &String| resource.contains(&format!(":log-group:{}", role.log_group));
        let logs = statements(role.document("logs"));
        let resources: BTreeSet<_> = logs.iter().flat_map(|one| texts(&one["Resource"])).collect();
        let right = role.actions("logs") == wanted && !resources.is_empty() && resources.iter().all(own);
        (!right).then(|| {
            format!(
                "{}: logs allows {:?} on {resources:?}",
                role.name(),
                role.actions("logs")
            )
        })
    }

    async fn wrong_trigger(&self, role: &Role) -> Result<Option<String>> {
        let asked = json!({ "FunctionName": role.deployed });
        let mappings = self.aws.call("lambda", "list_event_source_mappings", asked).await?;
        let sources: BTreeSet<String> = mappings["EventSourceMappings"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|mapping| texts(&mapping["EventSourceArn"]))
            .collect();
        let mut allowed: BTreeSet<(String, String)> = BTreeSet::new();
        for statement in statements(role.document("trigger")) {
            for action in texts(&statement["Action"]) {
                allowed.extend(texts(&statement["Resource"]).into_iter().map(|on| (action.clone(), on)));
            }
        }
        let mut wanted = BTreeSet::new();
        for source in &sources {
            let actions: &[&str] = if source.contains(":sqs:") {
                &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
            } else {
                &[
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                ]
            };
            wanted.extend(actions.iter().map(|action| ((*action).to_owned(), source.clone())));
            if source.contains(":dynamodb:") {
                // Lambda's given-up batches, and an action without a resource.
                let bucket = format!("arn:aws:s3:::{}", self.output("RawBucketName")?);
                wanted.insert(("dynamodb:ListStreams".to_owned(), "*".to_owned()));
                wanted.insert(("s3:PutObject".to_owned(), format!("{bucket}/aws/lambda/*")));
                wanted.insert(("s3:ListBucket".to_owned(), bucket));
            }
        }
        Ok((allowed != wanted).then(|| format!("{}: trigger allows {allowed:?}, but needs {wanted:?}", role.name())))
    }

    fn output(&self, name: &str) -> Result<&String> {
        let output = self.town.outputs.get(name);
        output.with_context(|| format!("the stack has an output {name}"))
    }

    // ---- With everything allowed ------------------------------------------------------------------------------------

    /// Runs the functions' flows in both directions. Nothing may be denied after `since`; unless `strict`, nothing of this business,
    /// because records denied earlier may still be delivered again.
    async fn ordinary(&self, since: i64, strict: bool) -> Result<()> {
        let business = self.open().await?;
        let (by_pbx, by_twilio) = (new_phone()?, new_phone()?);
        for (from, via) in [(&by_pbx, "telephony"), (&by_twilio, "twilio")] {
            self.play
                .call(&business.id, from, "missed", json!({ "via": via }))
                .await?;
            self.play
                .accepted(&business.id, from, Channel::WhatsApp, PATIENCE)
                .await?;
        }
        for kind in vendors::KINDS {
            ensure!(
                self.vendor(&business, kind, true).await? == 200,
                "{kind}: an event is not taken"
            );
        }
        for (from, channel) in [(&by_pbx, Channel::WhatsApp), (&by_twilio, Channel::Sms)] {
            self.play
                .reply(&business.id, from, channel, "What are your opening hours?")
                .await?;
        }
        self.handshake().await?;
        self.large_reply(&business).await?;
        self.unknown_change(&business).await?;
        self.reported_limit(&business).await?;
        self.reported_template(&business).await?;
        self.reported_account(&self.open().await?).await?;
        self.shared_app().await?;
        self.refused_credentials().await?;
        self.dispatch().await?;
        self.deep_health().await?;
        self.people(&business).await?;
        self.resources(&business).await?;
        self.sessions().await?;
        self.platform(&business).await?;
        let person = self.mail(None).await?;
        mails::arrived(self.play, &person, PATIENCE).await?;
        for from in [&by_pbx, &by_twilio] {
            self.play
                .known(&business.id, from, PATIENCE, "the customer's reply", |customer| {
                    customer.received.first().map(drop)
                })
                .await?;
        }
        // Last, because it deletes its WhatsApp connection.
        self.settings_and_connections(&business).await?;
        let lines = self.logs(&self.log_groups(), since).await?;
        let denied = lines
            .iter()
            .find(|line| line.contains("AccessDenied") && (strict || line.contains(&business.id)));
        if let Some(line) = denied {
            bail!("denied with everything allowed: {line}");
        }
        Ok(())
    }

    fn log_groups(&self) -> Vec<&String> {
        self.roles.iter().map(|role| &role.log_group).collect()
    }

    /// Events of these log groups since a time (milliseconds since 1970).
    async fn logs(&self, groups: &[&String], since: i64) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        for group in groups {
            let mut token = Value::Null;
            loop {
                let mut asked = json!({ "logGroupName": group, "startTime": since });
                if !token.is_null() {
                    asked["nextToken"] = token.take();
                }
                let mut page = self.aws.call("logs", "filter_log_events", asked).await?;
                let events = page["events"].as_array().into_iter().flatten();
                lines.extend(events.filter_map(|event| event["message"].as_str().map(str::to_owned)));
                token = page["nextToken"].take();
                if token.is_null() {
                    break;
                }
            }
        }
        Ok(lines)
    }

    /// Compares the operations in the functions' log lines with the actions of their roles.
    async fn operations(&self, since: i64) -> Result<Vec<String>> {
        let mut called: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for line in self.logs(&self.log_groups(), since).await? {
            let Ok(line) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if let (Some(function), Some(aws)) = (line["function"].as_str(), line["aws"].as_object()) {
                let actions = called.entry(function.to_owned()).or_default();
                actions.extend(aws.keys().cloned());
            }
        }
        let none = BTreeSet::new();
        let mut wrong = Vec::new();
        for role in &self.roles {
            let (allowed, called) = (role.actions("work"), called.get(role.name()).unwrap_or(&none));
            println!("  {:<24} {}", role.name(), joined(called));
            let unused: BTreeSet<_> = allowed.difference(called).cloned().collect();
            if !unused.is_empty() {
                wrong.push(format!("{}: allowed, never called: {}", role.name(), joined(&unused)));
            }
            let missing: BTreeSet<_> = called.difference(&allowed).cloned().collect();
            if !missing.is_empty() {
                wrong.push(format!("{}: called, not allowed: {}", role.name(), joined(&missing)));
            }
        }
        Ok(wrong)
    }

    // ---- With one statement removed ---------------------------------------------------------------------------------

    /// Removes every statement of `work` in turn; lists those without which nothing failed.
    async fn without_each(&self) -> Result<Vec<String>> {
        let mut wrong = Vec::new();
        for role in &self.roles {
            for sid in role.work_sids() {
                if OF_SIMULATORS.contains(&(role.name(), sid.as_str())) {
                    continue;
                }
                let begun = Instant::now();
                match Box::pin(self.without(role, &sid)).await {
                    Ok(how) => println!(
                        "  {:<24} without {sid:<14} {how} ({:.1} s)",
                        role.name(),
                        begun.elapsed().as_secs_f64()
                    ),
                    Err(error) => {
                        println!("  {:<24} without {sid:<14} ✗ {error:#}", role.name());
                        wrong.push(format!("{} without {sid}: {error:#}", role.name()));
                    }
                }
            }
        }
        Ok(wrong)
    }

    async fn without(&self, role: &Role, sid: &str) -> Result<&'static str> {
        let Flow { also_without, failed } = expected(role.name(), sid)?;
        let mut gone = vec![sid];
        gone.extend(also_without);
        let since = Timestamp::now().as_millisecond();
        self.put_work(role, &gone).await?;
        let outcome = Box::pin(self.fails(role, sid, &failed, since)).await;
        // Restored at once, so that no record becomes a dead letter.
        self.make_room().await?;
        // The next flow needs the statement, whatever the result was.
        self.put_work(role, &[]).await?;
        outcome
    }

    /// Deploys the role's `work` policy without these statements. IAM refuses a policy without any, so that one is deleted.
    async fn put_work(&self, role: &Role, gone: &[&str]) -> Result<()> {
        let mut document = role.document("work").clone();
        let mut change = json!({ "RoleName": role.name, "PolicyName": "work" });
        if let Some(all) = document["Statement"].as_array_mut() {
            all.retain(|one| !gone.iter().any(|sid| one["Sid"] == *sid));
            if all.is_empty() {
                return self.aws.call("iam", "delete_role_policy", change).await.map(drop);
            }
        }
        change["PolicyDocument"] = document.to_string().into();
        self.aws.call("iam", "put_role_policy", change).await.map(drop)
    }

    /// Runs the flow until it fails.
    async fn fails(&self, role: &Role, sid: &str, failed: &Failed, since: i64) -> Result<&'static str> {
        let work = statements(role.document("work"));
        let statement = work.iter().find(|statement| statement["Sid"] == sid);
        let actions = texts(&statement.context("the policy has this statement")?["Action"]);
        let denied = |line: &String| {
            let names = |action: &String| line.contains(&format!("perform: {action} "));
            line.contains("AccessDenied") && actions.iter().any(names)
        };
        let business = self.open().await?;
        let begun = Instant::now();
        let mut again = false;
        loop {
            let answered = self.drive(role, sid, &business, again).await?;
            again = true;
            // The log line appears shortly after the event; running the flow again would only repeat it.
            for _ in 0..4 {
                let lines = self.logs(&[&role.log_group], since).await?;
                let shown = match failed {
                    Failed::Answered(status) => (answered == Some(*status)).then_some(("", "is denied, answers 503")),
                    Failed::Logged(text) => Some((*text, "is denied")),
                };
                if let Some((text, how)) = shown
                    && lines.iter().any(|line| denied(line) && line.contains(text))
                {
                    return Ok(how);
                }
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
            ensure!(
                begun.elapsed() < UNTIL_FAILED,
                "its flow still works{}",
                answered.map_or_else(String::new, |status| format!(" (answered {status})"))
            );
        }
    }

    /// Runs the flow of this statement; returns the answer's status if there is one. With `again`, the same flow still waits for its
    /// failure.
    async fn drive(&self, role: &Role, sid: &str, business: &Tenant, again: bool) -> Result<Option<u16>> {
        let from = new_phone()?;
        let once = !again;
        match (role.name(), sid) {
            ("twilio_voice_webhook", "Keep") => self.twilio(business, "status", "CallStatus=completed").await.map(Some),
            ("twilio_voice_webhook", "ReadTenant" | "ReadLines") => self.rang(business).await.map(Some),
            ("twilio_voice_webhook", _) => self.ended(business).await.map(Some),
            ("telephony_webhook", _) => self.reported(business).await.map(Some),
            ("aircall_webhook" | "vonage_webhook" | "exotel_webhook" | "plivo_webhook", sid) => {
                let kind = role.name().trim_end_matches("_webhook");
                self.vendor(business, kind, sid != "Keep").await.map(Some)
            }
            ("whatsapp_webhook", "ReadMetaApp") => {
                // Read once per process.
                self.kill(role)?;
                self.handshake().await.map(Some)
            }
            ("whatsapp_webhook", "Keep") => self.whatsapp(business, "[]").await.map(Some),
            ("whatsapp_webhook", _) => self.status(business).await.map(Some),
            ("twilio_message_webhook", "Keep") => self.twilio(business, "inbound", "Body=hello").await.map(Some),
            ("twilio_message_webhook", _) => {
                let body = format!("MessageSid=SM{}&From=%2B{}&Body=hello", random_hex(16)?, from.digits());
                self.twilio(business, "inbound", &body).await.map(Some)
            }
            ("process_call", "LayAside") if once => {
                self.full_contact(business, &from).await?;
                let more = json!({ "via": "telephony" });
                self.play.call(&business.id, &from, "missed", more).await.map(|_| None)
            }
            // Completed without a dial result: a check is queued for the end of the wait.
            ("process_call", "LookAgain") if once => self.ended(business).await.map(Some),
            ("process_call", _) if once => self.missed(business).await,
            ("process_provider_event", "Enqueue") if once => {
                // A failed message continues by SMS.
                let fault = json!({ "tenant": business.id, "api": "graph", "kind": "not_on_whatsapp" });
                self.play.fault(fault).await?;
                self.missed(business).await
            }
            ("process_provider_event", "LayAside") if once => {
                self.full_contact(business, &from).await?;
                let stop = self.play.reply(&business.id, &from, Channel::WhatsApp, "STOP");
                stop.await.map(|_| None)
            }
            ("process_provider_event", "Raise") if once => self.reported_account(business).await.map(Some),
            ("process_provider_event", "ReadLarge") if once => self.large_reply(business).await.map(Some),
            ("process_provider_event", "MissLarge") if once => self.lost_reply(business).await.map(|()| None),
            ("process_provider_event", "KeepUnknown") if once => self.unknown_change(business).await.map(Some),
            ("process_provider_event", _) if once => self.status(business).await.map(Some),
            ("send_message", "LayAside") if once => self.full_message(business).await.map(|()| None),
            ("send_message", "Enqueue") if once => {
                // A refusal that may be retried soon.
                let fault = json!({ "tenant": business.id, "api": "graph", "kind": "throttled", "times": 1 });
                self.play.fault(fault).await?;
                self.missed(business).await
            }
            // The outcome stays unknown until the deadline. No queue holds a copy for that time, so the dispatcher
            // finds it.
            ("send_message", "SeeBacklog") | ("dispatch_due", "Lease" | "Enqueue") if once => {
                let fault = json!({ "tenant": business.id, "api": "graph", "kind": "timeout_before", "times": 1 });
                self.play.fault(fault).await?;
                self.missed(business).await
            }
            ("send_message", "SeeBacklog") | ("dispatch_due", "Lease" | "Enqueue") => {
                tokio::time::sleep(Duration::from_secs(2)).await;
                self.dispatch().await.map(|()| None)
            }
            ("send_message", "Raise") if once => {
                let fault = json!({ "tenant": business.id, "api": "graph", "kind": "bad_credentials" });
                self.play.fault(fault).await?;
                self.missed(business).await
            }
            ("send_message", _) if once => self.missed(business).await,
            ("send_mail", "OpenMail") if once => {
                self.kill(role)?;
                self.signs_up().await.map(|_| None)
            }
            ("send_mail", _) if once => self.mail(Some("server_error")).await.map(|_| None),
            ("publish_changes", "Audit") if once => self.invited(business).await.map(|_| None),
            ("publish_changes", "Spill") if once => self.unreadable_row(business).await.map(|()| None),
            ("publish_changes", _) if once => self.missed(business).await,
            ("dispatch_due", "SweepSpilled") => {
                let webhook = self.role("telephony_webhook")?;
                self.put_work(webhook, &["Enqueue"]).await?;
                let reported = self.reported(business).await;
                self.put_work(webhook, &[]).await?;
                reported?;
                self.dispatch().await.map(|()| None)
            }
            ("dispatch_due", _) => self.dispatch().await.map(|()| None),
            ("auth", "SignAndSeal") => {
                // A process reads it once in five minutes.
                self.kill(role)?;
                self.logs_in().await.map(|answer| Some(answer.status))
            }
            ("auth", "SealMail") => {
                // Read once per process, as below.
                self.kill(role)?;
                self.signs_up().await.map(|(_, answer)| Some(answer.status))
            }
            ("auth", "Count") => self.founded().await.map(|answer| Some(answer.status)),
            ("auth", "Enqueue") => self.signs_up().await.map(|(_, answer)| Some(answer.status)),
            ("auth", "Tally") => self
                .mistyped(&mails::new_address()?)
                .await
                .map(|answer| Some(answer.status)),
            ("auth", _) => self.logs_in().await.map(|answer| Some(answer.status)),
            ("platform", "ListTenants") => self
                .of_platform("GET", "/tenants", None)
                .await
                .map(|answer| Some(answer.status)),
            ("platform", "Enqueue" | "SealMail") => {
                if sid == "SealMail" {
                    self.kill(role)?;
                }
                let body = json!({ "email": mails::new_address()? });
                let path = format!("/tenants/{}/invitations", business.id);
                let answer = self.of_platform("POST", &path, Some(body)).await?;
                Ok(Some(answer.status))
            }
            ("platform", "Count") => self.founded_by_platform().await.map(|answer| Some(answer.status)),
            ("platform", "Write") => {
                let path = format!("/tenants/{}/suspend", business.id);
                let answer = self
                    .of_platform("POST", &path, Some(json!({ "reason": "audited" })))
                    .await?;
                Ok(Some(answer.status))
            }
            ("platform", _) => {
                let answer = self
                    .of_platform("GET", &format!("/tenants/{}", business.id), None)
                    .await?;
                Ok(Some(answer.status))
            }
            ("make_platform_admin", "Remove") => {
                let email = self.appointed().await?;
                self.invoke(role.name(), json!({ "email": email, "remove": true }))
                    .await?;
                Ok(None)
            }
            ("make_platform_admin", _) => {
                if sid == "SealMail" {
                    self.kill(role)?;
                }
                self.appointed().await?;
                Ok(None)
            }
            ("delete_tenants", _) => {
                if once {
                    self.leave(&business.id).await?;
                }
                self.invoke(role.name(), json!({})).await?;
                Ok(None)
            }
            ("users", "SealMail") => {
                self.kill(role)?;
                self.invited(business).await.map(|answer| Some(answer.status))
            }
            ("users", "Enqueue" | "Write") => self.invited(business).await.map(|answer| Some(answer.status)),
            // Only creating a connection encrypts verification secrets, and only a test decrypts sending secrets.
            ("connections", "Verify" | "Write" | "Count") => {
                self.connected(business).await.map(|answer| Some(answer.status))
            }
            ("connections", "Send") => {
                let path = connection_path(business, "whatsapp")?;
                let tested = self.api(business, "POST", &format!("{path}/test"), None).await?;
                Ok(Some(tested.status))
            }
            ("tenant", "Write") => {
                let words = json!({ "start_words": ["yalla"] });
                let answer = self.api(business, "PATCH", "/api/v1/tenant", Some(words)).await?;
                Ok(Some(answer.status))
            }
            // Of all others of the API: what they create …
            (resource, "Write" | "Count") if role.function.of_api && self.creates(resource).is_some() => {
                let create = self.creates(resource).context("it was found")?;
                Ok(Some(self.created(business, &create).await?.status))
            }
            // … and what they list, or the one thing that they are about.
            (resource, _) if role.function.of_api && resource != "health" => {
                let path = format!("/api/v1/{}", resource.replace('_', "-"));
                let answer = self.api(business, "GET", &path, None).await?;
                Ok(Some(answer.status))
            }
            ("health", _) => {
                // A result is cached for five seconds.
                tokio::time::sleep(Duration::from_secs(2)).await;
                self.deep_health().await.map(Some)
            }
            // Queues and the stream deliver it again by themselves.
            _ => Ok(None),
        }
    }

    // ---- Flows ------------------------------------------------------------------------------------------------------

    /// A business that no warm process has cached.
    async fn open(&self) -> Result<Tenant> {
        let plan = |plan: &mut crate::business::Plan| {
            plan.then()["sms_text"]["en"] = "{{tenant.name}}: sorry. How about our {{product.cake.name}}?".into();
            self.vendors.connect(plan)
        };
        self.town.open("Audited", plan).await
    }

    /// A call that its telephone system reports as missed, so a message follows.
    async fn missed(&self, business: &Tenant) -> Result<Option<u16>> {
        let from = new_phone()?;
        let more = json!({ "via": "telephony" });
        self.play.call(&business.id, &from, "missed", more).await.map(|_| None)
    }

    fn path(&self, business: &Tenant, kind: &str, what: &str) -> Result<String> {
        let connection = business.connections.get(kind);
        let connection = connection.with_context(|| format!("the business has {kind}"))?;
        Ok(format!("/webhooks/{kind}/{}/{connection}{what}", business.id))
    }

    async fn post(&self, path: &str, content_type: &str, signed: &[(&str, &str)], body: String) -> Result<u16> {
        let mut headers = vec![("content-type", content_type)];
        headers.extend_from_slice(signed);
        Ok(self.play.request("POST", path, &headers, body).await?.status)
    }

    async fn twilio(&self, business: &Tenant, what: &str, body: &str) -> Result<u16> {
        let path = self.path(business, "twilio", &format!("/{what}"))?;
        let url = format!("{}{path}", self.play.endpoints.api);
        let signature = twilio::signature::sign(&business.secrets.twilio_auth_token, &url, body.as_bytes());
        let form = "application/x-www-form-urlencoded";
        self.post(&path, form, &[("x-twilio-signature", &signature)], body.to_owned())
            .await
    }

    /// Twilio reports only the end of a call.
    async fn ended(&self, business: &Tenant) -> Result<u16> {
        let from = new_phone()?;
        let body = format!(
            "CallSid=CA{}&From=%2B{}&Direction=inbound&CallStatus=completed&CallDuration=9",
            random_hex(16)?,
            from.digits()
        );
        self.twilio(business, "status", &body).await
    }

    /// Twilio reports a ringing call.
    async fn rang(&self, business: &Tenant) -> Result<u16> {
        let from = new_phone()?;
        let body = format!(
            "CallSid=CA{}&From=%2B{}&Direction=inbound&CallStatus=ringing",
            random_hex(16)?,
            from.digits()
        );
        self.twilio(business, "voice", &body).await
    }

    /// A telephone system reports an answered call.
    async fn reported(&self, business: &Tenant) -> Result<u16> {
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
    async fn vendor(&self, business: &Tenant, kind: &str, readable: bool) -> Result<u16> {
        let api = &self.play.endpoints.api;
        let event = self.vendors.event(kind, &business.id, api, readable)?;
        let headers = event.headers();
        let asked = self
            .play
            .request(event.method, &event.path, &headers, event.body.clone());
        Ok(asked.await?.status)
    }

    async fn whatsapp(&self, business: &Tenant, body: &str) -> Result<u16> {
        let signature = whatsapp::signature::sign(&business.secrets.whatsapp_app_secret, body.as_bytes());
        let path = self.path(business, "whatsapp", "")?;
        let signed = [("x-hub-signature-256", signature.as_str())];
        self.post(&path, "application/json", &signed, body.to_owned()).await
    }

    /// Meta's ids of the business's account and number.
    async fn number(&self, business: &Tenant) -> Result<(String, String)> {
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
    async fn change(&self, business: &Tenant, field: &str, mut value: Value) -> Result<u16> {
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
    async fn status(&self, business: &Tenant) -> Result<u16> {
        let status = json!({
            "id": format!("wamid.{}", random_hex(16)?), "status": "delivered", "recipient_id": "971500000000",
            "timestamp": Timestamp::now().as_second().to_string(),
        });
        self.change(business, "messages", json!({ "statuses": [status] })).await
    }

    /// A customer's message too large for a queue.
    async fn large_reply(&self, business: &Tenant) -> Result<u16> {
        let message = json!({
            "id": format!("wamid.{}", random_hex(16)?), "from": new_phone()?.digits(), "type": "text",
            "timestamp": Timestamp::now().as_second().to_string(), "text": { "body": "x".repeat(250_000) },
        });
        self.change(business, "messages", json!({ "messages": [message] }))
            .await
    }

    /// An event whose stored bytes are missing.
    async fn lost_reply(&self, business: &Tenant) -> Result<()> {
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
    async fn queue(&self, queue: &str, business: &Tenant, job: &impl serde::Serialize) -> Result<()> {
        let entry = json!({
            "QueueUrl": self.output(queue)?,
            "MessageBody": serde_json::to_string(job).context("writing a job")?,
            "MessageGroupId": business.id,
        });
        self.aws.call("sqs", "send_message", entry).await.map(drop)
    }

    /// A contact whose row is full, so the table refuses every change as invalid.
    async fn full_contact(&self, business: &Tenant, phone: &Phone) -> Result<()> {
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

    /// The same for a message to be sent.
    async fn full_message(&self, business: &Tenant) -> Result<()> {
        let (scope, from) = (scope(business)?, new_phone()?);
        let via = json!({ "via": "telephony" });
        self.play.call(&business.id, &from, "missed", via).await?;
        let first = |customer: &Customer| customer.messages.first().cloned();
        let planned = self.play.known(&business.id, &from, PATIENCE, "a message", first);
        let mut message = planned.await?;
        message.id = MessageId::new(message.id.contact(), new_ulid()?);
        message.version = 0;
        message.attempts.clear();
        (message.waiting, message.due, message.ended) = (None, None, None);
        filled(async |text| {
            let at = message.created_at;
            message.remarks = vec![Remark { at, text }];
            self.play.store.write_message(&scope, &message).await
        })
        .await?;
        let job = jobs::SendMessage::next_of(scope.tenant(), &message);
        self.full.lock().await.push((scope, Full::Message(message.id)));
        self.queue("SendsQueueUrl", business, &job).await
    }

    /// Empties the full rows, so that their jobs end.
    async fn make_room(&self) -> Result<()> {
        let store = &self.play.store;
        for (scope, full) in self.full.lock().await.drain(..) {
            match full {
                Full::Contact(id) => {
                    let mut contact = store.contact(&scope, id).await?.context("there is a contact")?;
                    contact.called_from = None;
                    store.write_contact(&scope, &contact.into(), None).await?;
                }
                Full::Message(id) => {
                    let found = store.message(&scope, id, Timestamp::now()).await?;
                    let mut message = found.context("there is a message")?;
                    message.remarks.clear();
                    store.write_message(&scope, &message).await?;
                }
            }
        }
        Ok(())
    }

    /// Creates the missing rows, so that their job ends.
    async fn find_lost(&self) -> Result<()> {
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "1", "changes": [{ "field": "not_known_yet", "value": {} }] }],
        });
        let changes = whatsapp::webhook::split(body.to_string().as_bytes());
        let change = changes.ok().and_then(|changes| changes.into_iter().next());
        let change = serde_json::to_string(&change.context("it is a change")?).context("writing a change")?;
        let put = json!({ "Bucket": self.output("RawBucketName")?, "Key": self.lost, "Body": change });
        self.aws.call("s3", "put_object", put).await.map(drop)
    }

    /// A report by Meta about a number is recorded on its connection.
    async fn reported_limit(&self, business: &Tenant) -> Result<u16> {
        let limit = json!({
            "display_phone_number": "1", "event": "THROUGHPUT_UPGRADE",
            "max_daily_conversations_per_business": "TIER_UNLIMITED",
        });
        self.change(business, "phone_number_quality_update", limit).await
    }

    /// A report by Meta about a template is recorded on it.
    async fn reported_template(&self, business: &Tenant) -> Result<u16> {
        let status = json!({
            "event": "APPROVED", "message_template_id": 1, "message_template_name": "missed_call", "message_template_language": "en",
        });
        self.change(business, "message_template_status_update", status).await
    }

    /// An account that may no longer send is marked; other processes notice this by the tenant's version.
    async fn reported_account(&self, business: &Tenant) -> Result<u16> {
        let restricted = json!({
            "event": "ACCOUNT_RESTRICTION",
            "restriction_info": [{ "restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING" }],
        });
        self.change(business, "account_update", restricted).await
    }

    /// A customer writes to a number of the shared app and gets an answer.
    async fn shared_app(&self) -> Result<()> {
        let (app_secret, verify_token) = self.town.meta_app()?;
        let share = |plan: &mut crate::business::Plan| {
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
    async fn refused_credentials(&self) -> Result<()> {
        let business = self.open().await?;
        let fault = json!({ "tenant": business.id, "api": "graph", "kind": "bad_credentials" });
        self.play.fault(fault).await?;
        self.missed(&business).await?;
        self.comes_to_use("send_message", "dynamodb:UpdateItem", OWN_PARTITION)
            .await
    }

    /// A call's report that no queue delivers: the dispatcher finds it when it is due.
    async fn decided_late(&self) -> Result<()> {
        let business = self.open().await?;
        let role = self.role("process_call")?;
        self.put_work(role, &["LookAgain"]).await?;
        let ended = self.ended(&business).await;
        let found = async {
            ended?;
            self.comes_to_use("dispatch_due", "dynamodb:UpdateItem", "T#*#REF#*")
                .await
        };
        let found = Box::pin(found).await;
        self.put_work(role, &[]).await?;
        found
    }

    /// Waits until a function has used such a partition, while the dispatcher runs.
    async fn comes_to_use(&self, function: &str, action: &str, pattern: &str) -> Result<()> {
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
    async fn unknown_change(&self, business: &Tenant) -> Result<u16> {
        self.change(business, "not_known_yet", json!({ "news": true })).await
    }

    /// Meta verifies the shared app's URL.
    async fn handshake(&self) -> Result<u16> {
        let (_, token) = self.town.meta_app()?;
        let path = format!("/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}");
        Ok(self.play.request("GET", &path, &[], "").await?.status)
    }

    /// A request with an API key, sent twice, as if its answer had been lost.
    async fn api(&self, business: &Tenant, method: &str, path: &str, body: Option<Value>) -> Result<Answer> {
        let once = random_hex(8)?;
        let mut headers = vec![
            ("x-api-key", business.api_key.as_str()),
            ("content-type", "application/json"),
        ];
        headers.extend((method == "POST").then_some(("idempotency-key", once.as_str())));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = self.play.request(method, path, &headers, body.clone()).await?;
        if method == "POST" && (200..300).contains(&answer.status) {
            let again = self.play.request(method, path, &headers, body).await?;
            // 409 if the answer contained a secret that is shown once.
            ensure!(again.status < 500, "{method} {path} once more: {}", again.body);
        }
        Ok(answer)
    }

    /// A new user is invited and accepts by the mailed link.
    async fn joins(&self, business: &Tenant) -> Result<()> {
        let to = mails::new_address()?;
        let body = json!({ "email": to, "role": "agent" });
        let invited = self
            .api(business, "POST", "/api/v1/users/invitations", Some(body))
            .await?;
        succeeded(&invited, "inviting somebody")?;
        let body = json!({ "token": self.token_for(&to).await?, "name": "Audited", "password": PASSWORD });
        let joined = self.post_json("/api/v1/users/invitations/accept", &body).await?;
        succeeded(&joined, "accepting an invitation").map(drop)
    }

    /// The token of the link mailed to this address.
    async fn token_for(&self, to: &str) -> Result<String> {
        let mail = mails::arrived(self.play, to, PATIENCE).await?;
        let link = mail.links.first().context("the mail has a link")?;
        let (_, token) = link.split_once("token=").context("the link has a token")?;
        Ok(token.to_owned())
    }

    /// Invites a new user.
    async fn invited(&self, business: &Tenant) -> Result<Answer> {
        let body = json!({ "email": mails::new_address()?, "role": "viewer" });
        self.api(business, "POST", "/api/v1/users/invitations", Some(body))
            .await
    }

    /// The operation that creates what a function of the API is named after.
    fn creates(&self, resource: &str) -> Option<Operation<'_>> {
        let path = format!("/api/v1/{}", resource.replace('_', "-"));
        let mut all = self.contract.operations();
        all.find(|operation| operation.method == "post" && operation.path == path)
    }

    /// Creates one by the document's example.
    async fn created(&self, business: &Tenant, create: &Operation<'_>) -> Result<Answer> {
        let body = api::new_body(&self.contract, create)?.map(|(_, body)| body);
        self.api(business, "POST", create.path, body).await
    }

    /// Whatever the contract creates, lists, reads, changes and deletes under one path, except connections, which have flows of
    /// their own.
    async fn resources(&self, business: &Tenant) -> Result<()> {
        for role in self.roles.iter().filter(|role| role.name() != "connections") {
            let Some(create) = self.creates(role.name()).filter(|_| role.function.of_api) else {
                continue;
            };
            let made = self.created(business, &create).await?;
            ensure!(made.status == 201, "nothing is made: {}", made.body);
            let place = made.header("location").context("it says where it is")?;
            let item = format!("{}/{{", create.path);
            let of_item =
                |operation: &Operation<'_>| operation.path.starts_with(&item) && operation.path.ends_with('}');
            let mut change = self
                .contract
                .operations()
                .filter(|operation| operation.method == "patch");
            let change = change
                .find(of_item)
                .and_then(|change| self.contract.example_body(&change));
            for (method, path, body) in [
                ("GET", create.path, None),
                ("GET", place, None),
                ("PATCH", place, change.map(|(_, body)| body)),
                ("DELETE", place, None),
            ] {
                let answer = self.api(business, method, path, body).await?;
                let fine = (200..300).contains(&answer.status);
                ensure!(fine, "{method} {path}: {} {}", answer.status, answer.body);
            }
        }
        Ok(())
    }

    /// A user is invited, the invitation is withdrawn, and the audit log is read.
    async fn people(&self, business: &Tenant) -> Result<()> {
        self.joins(business).await?;
        let invited = self.invited(business).await?;
        ensure!(invited.status == 201, "nobody is invited: {}", invited.body);
        let place = invited.header("location").context("it says where it is")?;
        let gone = self.api(business, "DELETE", place, None).await?;
        ensure!(gone.status == 204, "{place} stays: {}", gone.body);
        for path in ["/api/v1/users", "/api/v1/users/invitations", "/api/v1/audit"] {
            let read = self.api(business, "GET", path, None).await?;
            ensure!(read.status == 200, "{path} is not read: {}", read.body);
        }
        Ok(())
    }

    /// Connects a telephone system.
    async fn connected(&self, business: &Tenant) -> Result<Answer> {
        let body = json!({ "kind": "telephony", "name": "audited" });
        self.api(business, "POST", "/api/v1/connections", Some(body)).await
    }

    /// Settings are changed; a telephone system is connected and its secret rotated; WhatsApp is tested and disconnected. A business
    /// without lines gets its first.
    async fn settings_and_connections(&self, business: &Tenant) -> Result<()> {
        let none = |plan: &mut crate::business::Plan| plan.file["lines"] = json!([]);
        let without = self.town.open("Without lines", none).await?;
        let made = self.connected(&without).await?;
        ensure!(made.status == 201, "nothing is connected: {}", made.body);
        let made = self.connected(business).await?;
        ensure!(made.status == 201, "nothing is connected: {}", made.body);
        let place = made.header("location").context("it says where it is")?;
        let whatsapp = connection_path(business, "whatsapp")?;
        let words = json!({ "start_words": ["yalla"] });
        for (method, path, body, status) in [
            ("PATCH", "/api/v1/tenant".to_owned(), Some(words), 200),
            ("GET", "/api/v1/tenant/setup".to_owned(), None, 200),
            ("POST", format!("{place}/rotate"), Some(json!({})), 200),
            ("GET", "/api/v1/connections".to_owned(), None, 200),
            ("POST", format!("{whatsapp}/test"), None, 200),
            ("DELETE", whatsapp, None, 204),
        ] {
            let answer = self.api(business, method, &path, body).await?;
            ensure!(
                answer.status == status,
                "{method} {path} answers {}: {}",
                answer.status,
                answer.body
            );
        }
        Ok(())
    }

    async fn post_json(&self, path: &str, body: &Value) -> Result<Answer> {
        let headers = [("content-type", "application/json")];
        self.play.request("POST", path, &headers, body.to_string()).await
    }

    /// A seeded tenant's administrator logs in.
    async fn logs_in(&self) -> Result<Answer> {
        let tenant = self
            .play
            .endpoints
            .tenants
            .first()
            .context("there is a seeded tenant")?;
        let admin = &tenant.users.admin;
        let body = json!({ "email": admin.email, "password": admin.password });
        self.post_json("/api/v1/auth/log-in", &body).await
    }

    /// Tries to log in to this address with a wrong password.
    async fn mistyped(&self, email: &str) -> Result<Answer> {
        let body = json!({ "email": email, "password": "not this one" });
        self.post_json("/api/v1/auth/log-in", &body).await
    }

    /// A new user signs up a business; also returns their address.
    async fn signs_up(&self) -> Result<(String, Answer)> {
        let email = mails::new_address()?;
        let body = json!({
            "business": "Audited", "slug": format!("audited-{}", random_hex(6)?), "email": email,
            "name": "Audited", "password": PASSWORD, "time_zone": "Asia/Dubai",
        });
        Ok((email, self.post_json("/api/v1/auth/sign-up", &body).await?))
    }

    /// A token of the platform administrator, who can log in only three times in half a minute.
    async fn platform_token(&self) -> Result<String> {
        let mut known = self.platform.lock().await;
        if let Some((since, token)) = &*known
            && since.elapsed() < ACCESS_TOKEN
        {
            return Ok(token.clone());
        }
        let token = log_in(self.play, &self.play.endpoints.platform_admin).await?;
        *known = Some((Instant::now(), token.clone()));
        Ok(token)
    }

    /// A request of the platform administrator.
    async fn of_platform(&self, method: &str, path: &str, body: Option<Value>) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.platform_token().await?);
        let once = random_hex(8)?;
        let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        headers.extend((method == "POST").then_some(("idempotency-key", once.as_str())));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let path = format!("/api/v1/platform{path}");
        self.play.request(method, &path, &headers, body).await
    }

    /// The user who signed up follows the mailed link.
    async fn founded_by(&self, (email, signed_up): (String, Answer)) -> Result<(String, Answer)> {
        ensure!(signed_up.status == 202, "nobody signs up: {}", signed_up.body);
        let body = json!({ "token": self.token_for(&email).await?, "password": PASSWORD });
        Ok((email, self.post_json("/api/v1/auth/verify-email", &body).await?))
    }

    /// A business is founded by who signed up for it.
    async fn founded(&self) -> Result<Answer> {
        let signed_up = self.signs_up().await?;
        self.founded_by(signed_up).await.map(|(_, answer)| answer)
    }

    /// A business is founded by the platform.
    async fn founded_by_platform(&self) -> Result<Answer> {
        let body = json!({
            "name": "Audited", "slug": format!("audited-{}", random_hex(6)?), "time_zone": "Asia/Dubai",
            "admin_email": mails::new_address()?,
        });
        self.of_platform("POST", "/tenants", Some(body)).await
    }

    /// Somebody signs up, logs in with a key that is made for it, goes on with the session and logs out.
    async fn sessions(&self) -> Result<()> {
        let (email, verified) = self.founded_by(self.signs_up().await?).await?;
        succeeded(&verified, "verifying an address")?;
        // Events caused by strangers are recorded, too, whether or not the address has an account.
        for address in [&email, &mails::new_address()?] {
            let refused = self.mistyped(address).await?;
            ensure!(refused.status == 401, "a wrong password: {}", refused.body);
            let forgot = json!({ "email": address });
            let asked = self.post_json("/api/v1/auth/forgot-password", &forgot).await?;
            succeeded(&asked, "forgetting a password")?;
        }
        // Without signing keys, the next log-in creates one; earlier ones stay published.
        let auth = self.role("auth")?;
        let secret = self.aws.resources(&self.play.endpoints.stack).await?;
        let secret = secret.get("AuthSecret").context("the stack has an AuthSecret")?;
        let known = self
            .aws
            .call("secretsmanager", "get_secret_value", json!({ "SecretId": secret }))
            .await?;
        let known = known["SecretString"].as_str().context("the secret is a text")?;
        let mut keys: Value = serde_json::from_str(known).context("reading the secret")?;
        keys["signing_keys"] = json!([]);
        let put = json!({ "SecretId": secret, "SecretString": keys.to_string() });
        self.aws.call("secretsmanager", "put_secret_value", put).await?;
        self.kill(auth)?;
        let mut logged_in = self.logs_in().await?;
        for _dying in 0..10 {
            // The emulator may still send a request to the killed process.
            if logged_in.status != 502 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            logged_in = self.logs_in().await?;
        }
        let tokens = succeeded(&logged_in, "logging in")?;
        // A function that has just read the keys knows the new one only after it reads them again.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let refreshed = self
            .post_json(
                "/api/v1/auth/refresh",
                &json!({ "refresh_token": tokens["refresh_token"] }),
            )
            .await?;
        let tokens = succeeded(&refreshed, "refreshing")?;
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap_or_default());
        for path in ["/api/v1/me", "/api/v1/me/sessions", "/api/v1/me/security-events"] {
            let read = self
                .play
                .request("GET", path, &[("authorization", &bearer)], "")
                .await?;
            succeeded(&read, path)?;
        }
        let out = json!({ "refresh_token": tokens["refresh_token"] });
        succeeded(&self.post_json("/api/v1/auth/log-out", &out).await?, "logging out")?;
        Ok(())
    }

    /// Tenants are listed; one is suspended and resumed, its deletion requested and undone, its number released; tenants whose
    /// grace period has ended are deleted.
    async fn platform(&self, business: &Tenant) -> Result<()> {
        let one = format!("/tenants/{}", business.id);
        for (method, path, body) in [
            ("GET", "/tenants".to_owned(), None),
            ("GET", "/log".to_owned(), None),
            ("POST", format!("{one}/suspend"), Some(json!({ "reason": "audited" }))),
            ("POST", format!("{one}/resume"), None),
            ("DELETE", one.clone(), None),
            ("POST", format!("{one}/resume"), None),
            ("GET", format!("{one}/usage"), None),
            (
                "POST",
                format!("{one}/invitations"),
                Some(json!({ "email": mails::new_address()? })),
            ),
        ] {
            let answer = self.of_platform(method, &path, body).await?;
            succeeded(&answer, &format!("{method} {path}"))?;
        }
        let whatsapp = connection_path(business, "whatsapp")?;
        let tested = self.api(business, "POST", &format!("{whatsapp}/test"), None).await?;
        succeeded(&tested, "testing WhatsApp")?;
        let (waba_id, phone_number_id) = self.number(business).await?;
        let body = json!({ "waba_id": waba_id, "phone_number_id": phone_number_id, "reason": "audited" });
        let released = self
            .of_platform("POST", "/whatsapp-numbers/release", Some(body))
            .await?;
        succeeded(&released, "releasing a number")?;
        let email = self.appointed().await?;
        for body in [json!({ "email": email }), json!({ "email": email, "remove": true })] {
            self.invoke("make_platform_admin", body).await?;
        }
        let founded = self.founded_by_platform().await?;
        let founded = succeeded(&founded, "founding a tenant")?;
        self.leave(founded["id"].as_str().context("a tenant has an id")?)
            .await?;
        self.leave(&self.open().await?.id).await?;
        self.invoke("delete_tenants", json!({})).await
    }

    /// Creates a platform administrator and returns their address.
    async fn appointed(&self) -> Result<String> {
        let email = mails::new_address()?;
        self.invoke("make_platform_admin", json!({ "email": email })).await?;
        Ok(email)
    }

    /// Ends a tenant's grace period.
    async fn leave(&self, id: &str) -> Result<()> {
        let id = id.parse().context("reading a tenant's id")?;
        let (store, scope, now) = (&self.play.store, access::operator::scope(id), Timestamp::now());
        let before = store.tenant(&scope).await?.context("there is a tenant")?;
        let mut after = before.clone();
        after.status = domain::tenant::TenantStatus::Leaving;
        after.leaves_at = Some(now);
        let act = store::platform::PlatformAct {
            action: "tenant_leaving".to_owned(),
            tenant: Some(id),
            by: domain::actor::Stamp {
                actor: domain::actor::Actor::Operator,
                at: now,
                correlation_id: "iam".to_owned(),
            },
            detail: Value::Null,
        };
        let act_id = random_hex(8)?;
        let changed = store.change_tenant_for_platform(&scope, &before, &after, &act, &act_id);
        Ok(changed.await?)
    }

    /// Invokes a function directly. Its log shows whether it failed.
    async fn invoke(&self, function: &str, payload: Value) -> Result<()> {
        let name = &self.role(function)?.deployed;
        let asked = json!({ "FunctionName": name, "Payload": payload.to_string() });
        self.aws.call("lambda", "invoke", asked).await.map(drop)
    }

    /// A mail to a new address, which SES refuses once with this fault. Returns the address.
    async fn mail(&self, fault: Option<&str>) -> Result<String> {
        let to = mails::new_address()?;
        if let Some(kind) = fault {
            let fault = json!({ "api": "ses", "kind": kind, "number": to, "times": 1 });
            self.play.fault(fault).await?;
        }
        let mail = jobs::MailJob {
            tenant: None,
            correlation_id: "iam".to_owned(),
            id: to.clone(),
            to: to.clone(),
            language: "en".to_owned(),
            mail: jobs::Mail::PasswordChanged {},
        };
        mails::order(&self.aws, self.town, &mail).await?;
        Ok(to)
    }

    async fn deep_health(&self) -> Result<u16> {
        Ok(self
            .play
            .request("GET", "/api/v1/health?deep=true", &[], "")
            .await?
            .status)
    }

    /// Runs the scheduled function now.
    async fn dispatch(&self) -> Result<()> {
        self.invoke("dispatch_due", json!({})).await
    }

    /// A message's row that no version of our code writes.
    async fn unreadable_row(&self, business: &Tenant) -> Result<()> {
        let text = |text: &str| json!({ "S": text });
        let item = json!({
            "pk": text(&format!("T#{}#C#audited", business.id.trim_start_matches("tnt_"))), "sk": text("MSG#audited"),
            "kind": text("message"), "data": text("not a message"),
        });
        let put = json!({ "TableName": self.play.endpoints.table, "Item": item });
        self.aws.call("dynamodb", "put_item", put).await.map(drop)
    }

    /// Kills the function's processes in this stack; the next event starts a new one.
    fn kill(&self, role: &Role) -> Result<()> {
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={}", role.deployed);
        let stack = format!("AWS_ENDPOINT_URL={}", self.play.endpoints.aws_endpoint);
        for process in std::fs::read_dir("/proc").context("listing processes")?.flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // Processes of others cannot be read and are skipped.
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            let has = |wanted: &str| environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes());
            if has(&name)
                && has(&stack)
                && let Some(pid) = Pid::from_raw(pid)
            {
                // It may just have ended.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        Ok(())
    }
}

/// The body of an answer that must be a 2xx.
fn succeeded(answer: &Answer, what: &str) -> Result<Value> {
    let good = (200..300).contains(&answer.status);
    ensure!(good, "{what}: {} {}", answer.status, answer.body);
    Ok(serde_json::from_str(&answer.body).unwrap_or_default())
}

/// The path of the business's connection of this kind.
fn connection_path(business: &Tenant, kind: &str) -> Result<String> {
    let id = business.connections.get(kind);
    let id = id.with_context(|| format!("the business has {kind}"))?;
    Ok(format!("/api/v1/connections/{id}"))
}

/// Evidence that a function's flow fails without a statement.
fn expected(function: &str, sid: &str) -> Result<Flow> {
    let webhook = function.ends_with("_webhook");
    Ok(match sid {
        // The sender cannot be authenticated; the provider delivers it again.
        "ReadConnection" | "DecryptVerify" | "Keep" | "ReadMetaApp" if webhook => flow(UNAVAILABLE),
        // The call is answered all the same.
        "ReadTenant" | "ReadLines" if webhook => flow(Failed::Logged("business hours are not known")),
        // It goes to the bucket instead.
        "Enqueue" if webhook => flow(Failed::Logged("jobs refused by their queue")),
        // It is delivered again, to no avail.
        "LayAside" => flow(Failed::Logged(
            "could not move an impossible record to the dead letters",
        )),
        // Only records that the queue refuses go to the bucket.
        "Spill" if webhook => Flow {
            also_without: &["Enqueue"],
            failed: UNAVAILABLE,
        },
        // Only failed records are delayed.
        "BackOff" => Flow {
            also_without: &["Read"],
            failed: Failed::Logged("could not delay"),
        },
        "SealMail" if function == "make_platform_admin" => flow(DENIED),
        "ReachTable" | "ReachQueues" | "Verify" | "Send" | "SignAndSeal" | "SealMail" | "ListTenants" => {
            flow(UNAVAILABLE)
        }
        // It is only not recorded; the caller is answered all the same.
        "Tally" => flow(Failed::Logged("a security event is not recorded")),
        "Read" | "Write" | "Raise" | "Remove" | "CountTries" | "NoteUse" | "OpenMail" | "Enqueue" | "LookAgain"
        | "ReadLarge" | "MissLarge" | "KeepUnknown" | "DecryptSend" | "SeeBacklog" | "Count" | "Audit" | "Spill"
        | "ReadDue" | "Lease" | "SweepSpilled" | "ListSpilled" | "ListContacts" => flow(DENIED),
        _ => bail!("no flow is known for this statement: add one to infra/stack/src/iam.rs"),
    })
}

fn scope(business: &Tenant) -> Result<TenantScope> {
    let id = business.id.parse().context("reading a tenant's id")?;
    Ok(access::operator::scope(id))
}

fn new_ulid() -> Result<Ulid> {
    let now = u64::try_from(Timestamp::now().as_millisecond())?;
    Ok(Ulid::from_parts(now, u128::from_str_radix(&random_hex(10)?, 16)?))
}

/// Writes a row with the longest text that the table accepts.
async fn filled(mut write: impl AsyncFnMut(String) -> Result<(), StoreError>) -> Result<()> {
    // Nearly all of a row's bytes are this text, and later additions are longer than a step.
    for length in (0..LARGEST_ROW).rev().step_by(16) {
        match write("x".repeat(length)).await {
            Err(error) if error.is_invalid() => {}
            done => return Ok(done?),
        }
    }
    bail!("the table takes no row")
}

fn joined(texts: &BTreeSet<String>) -> String {
    texts.iter().cloned().collect::<Vec<_>>().join(", ")
}
