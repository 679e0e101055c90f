//! `iam`: checks that every function's role allows exactly what the function calls.
//!
//! Three checks on a deployed stack. Do the actions of each role's `work` policy equal the AWS operations in the function's log
//! lines, over flows that include its rare paths? Is every statement of `work` needed: does its flow fail when it is removed?
//! And do `logs` and `trigger`, which Lambda itself uses and the emulator does not check, agree with the template and name the
//! function's own log group and event source? The partitions of the table that a role may touch are checked in `partitions`.
//!
//! It removes statements while it runs, so nothing else may use the stack meanwhile.

mod flows;
mod partitions;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use domain::{
    Timestamp,
    ids::{ContactId, MessageId},
};
use futures::stream::{self, StreamExt as _};
use serde_json::{Value, json};
use store::TenantScope;

use crate::{
    aws::{Aws, Session},
    build::Function,
    business::Town,
    contract::Contract,
    endpoints::Tenant,
    place::Place,
    play::Play,
    report::step,
    running::{Options, Running},
    secrets::random_hex,
    up::interrupted,
    vendors::Vendors,
};

/// Time for which a flow is run before it counts as not failing.
const UNTIL_FAILED: Duration = Duration::from_secs(180);

/// Maximum functions of [`Lane::Apart`] from which statements are removed at a time.
const SIDE_BY_SIDE: usize = 2;

/// Statements for services that the simulators stand in for. They do not evaluate policies, so nothing fails without the statement.
/// The log lines still show whether what they allow is called, and nothing else.
const OF_SIMULATORS: [(&str, &str); 1] = [("send_mail", "SendMail")];

/// Statements for permissions that S3 itself checks: if an object is missing, and when somebody uses a link that a function signed. No
/// function calls their actions.
const ASKED_BY_S3: [&str; 4] = ["MissLarge", "MissFile", "SignUpload", "SignDownload"];

/// Those of them without which no function fails: a missing file is missing either way, and links are used by others.
const UNSEEN: [&str; 3] = ["MissFile", "SignUpload", "SignDownload"];

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
        let own = all.filter(|statement| !ASKED_BY_S3.iter().any(|sid| statement["Sid"] == *sid));
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
    /// The first medium of this message.
    Medium(MessageId),
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
            // A signed link counts in the log line of the function that signed it.
            let work = statements(role.document("work")).into_iter();
            let all: BTreeSet<String> = work.flat_map(|statement| texts(&statement["Action"])).collect();
            let missing: BTreeSet<_> = called.difference(&all).cloned().collect();
            if !missing.is_empty() {
                wrong.push(format!("{}: called, not allowed: {}", role.name(), joined(&missing)));
            }
        }
        Ok(wrong)
    }

    // ---- With one statement removed ---------------------------------------------------------------------------------

    /// Removes every statement of `work` in turn; lists those without which nothing failed.
    async fn without_each(&self) -> Result<Vec<String>> {
        let of = |lane: Lane| self.roles.iter().filter(move |role| Lane::of(&role.function) == lane);
        let without = |role| self.without_each_of(role);
        let in_turn = |lane| Box::pin(stream::iter(of(lane)).then(without).collect::<Vec<_>>());
        let side_by_side = stream::iter(of(Lane::Apart))
            .map(without)
            .buffer_unordered(SIDE_BY_SIDE);
        let (calls, people, apart) = tokio::join!(
            in_turn(Lane::Calls),
            in_turn(Lane::People),
            Box::pin(side_by_side.collect::<Vec<_>>()),
        );
        // Those that begin with requests to the API need all of it, and the dispatcher.
        let (erasures, files, contacts) =
            tokio::join!(in_turn(Lane::Erasures), in_turn(Lane::Files), in_turn(Lane::Contacts));
        let alone = in_turn(Lane::Alone).await;
        let all = [calls, people, apart, erasures, files, contacts, alone];
        Ok(all.concat().concat())
    }

    async fn without_each_of(&self, role: &Role) -> Vec<String> {
        let mut wrong = Vec::new();
        for sid in role.work_sids() {
            if OF_SIMULATORS.contains(&(role.name(), sid.as_str())) || UNSEEN.contains(&sid.as_str()) {
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
        wrong
    }

    async fn without(&self, role: &Role, sid: &str) -> Result<&'static str> {
        let Flow { also_without, failed } = expected(role.name(), sid);
        let mut gone = vec![sid];
        gone.extend(also_without);
        let business = self.open().await?;
        let since = Timestamp::now().as_millisecond();
        self.put_work(role, &gone).await?;
        let outcome = Box::pin(self.fails(role, sid, &business, &failed, since)).await;
        // Restored at once, so that no record becomes a dead letter.
        self.make_room(&business).await?;
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
    async fn fails(
        &self,
        role: &Role,
        sid: &str,
        business: &Tenant,
        failed: &Failed,
        since: i64,
    ) -> Result<&'static str> {
        let work = statements(role.document("work"));
        let statement = work.iter().find(|statement| statement["Sid"] == sid);
        let actions = texts(&statement.context("the policy has this statement")?["Action"]);
        let denied = |line: &String| {
            let names = |action: &String| line.contains(&format!("perform: {action} "));
            line.contains("AccessDenied") && actions.iter().any(names)
        };
        let begun = Instant::now();
        let mut again = false;
        loop {
            let answered = self.drive(role, sid, business, again).await?;
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
}

/// A group of functions. Within one, except [`Lane::Apart`], flows involve several functions, so statements are removed from one
/// function at a time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// Functions that process customers' calls and messages.
    Calls,
    /// Functions for log-ins, invitations and mails, and for the deletion of tenants.
    People,
    /// Functions that take part in no other function's flow.
    Apart,
    /// Operations that erase and archive contacts.
    Erasures,
    /// Operations that import and export.
    Files,
    /// Operations that go through many rows.
    Contacts,
    /// Functions whose flows involve those of several lanes.
    Alone,
}

impl Lane {
    fn of(function: &Function) -> Self {
        match function.name.as_str() {
            // Flows of `recordings` begin with a customer's call, those of `media` and `fetch_media` with a customer's message, and ask
            // other functions of the API for it. A list of templates is started for all tenants.
            "fetch_media"
            | "media"
            | "notify_people"
            | "publish_changes"
            | "recordings"
            | "start_template_syncs"
            | "sync_templates" => Self::Alone,
            "auth" | "delete_tenants" | "make_platform_admin" | "platform" | "send_mail" | "users" => Self::People,
            "archive_contact" | "erase_contact" => Self::Erasures,
            "export_data" | "import_contacts" => Self::Files,
            "apply_retention" | "change_contacts" | "count_segment" => Self::Contacts,
            "telephony_webhook" | "twilio_voice_webhook" | "whatsapp_webhook" => Self::Calls,
            "preferences" | "roll_up_counters" => Self::Apart,
            name if function.of_api() || name.ends_with("_webhook") => Self::Apart,
            _ => Self::Calls,
        }
    }
}

/// Evidence that a function's flow fails without a statement. Most deny it and nothing else is seen.
fn expected(function: &str, sid: &str) -> Flow {
    let webhook = function.ends_with("_webhook");
    match sid {
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
        "SealMail" if ["make_platform_admin", "notify_people"].contains(&function) => flow(DENIED),
        "ReachTable" | "ReachQueues" | "Verify" | "Send" | "SignAndSeal" | "SealMail" | "ListTenants" => {
            flow(UNAVAILABLE)
        }
        // It is only not recorded; the caller is answered all the same.
        "Tally" => flow(Failed::Logged("a security event is not recorded")),
        _ => flow(DENIED),
    }
}

fn joined(texts: &BTreeSet<String>) -> String {
    texts.iter().cloned().collect::<Vec<_>>().join(", ")
}
