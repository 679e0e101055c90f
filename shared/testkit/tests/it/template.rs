//! `template.yaml` against the crates, and the required properties of its parts.

use std::collections::BTreeSet;

use domain::terms::OperationKind;
use serde_json::{Value, json};
use testkit::template::{Function, function, functions, list_fields, resources, template, texts};

use crate::repository::{packages, read};

/// The event sources of a function; none if an operator invokes it.
pub(crate) fn events(function: &Function) -> impl Iterator<Item = (&'static String, &'static Value)> + use<> {
    let events = function.resource["Properties"].get("Events");
    events.and_then(Value::as_object).into_iter().flatten()
}

/// The properties of its event sources of this type.
pub(crate) fn events_of(function: &Function, kind: &'static str) -> impl Iterator<Item = &'static Value> + use<> {
    let own = events(function).filter(move |(_, event)| event["Type"] == kind);
    own.map(|(_, event)| &event["Properties"])
}

fn pascal_case(name: &str) -> String {
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(capital).collect()
}

#[test]
fn functions_crates_and_binaries_are_the_same_set() {
    let functions = functions().into_iter();
    let deployed: BTreeSet<_> = functions
        .map(|function| {
            let folder = function.resource["Properties"]["CodeUri"].as_str().unwrap_or_default();
            folder.trim_end_matches('/')
        })
        .collect();
    let mut crates = BTreeSet::new();
    for package in packages().iter().filter(|package| package.is_function()) {
        let folder = package.folder.as_str();
        crates.insert(folder);
        let own = std::slice::from_ref(&package.name);
        assert_eq!(package.binaries, own, "{folder} builds one binary of its own name");
    }
    assert_eq!(
        crates, deployed,
        "left: crates under functions/, right: in template.yaml"
    );
}

#[test]
fn functions_are_named_and_built_alike() {
    for function in functions() {
        let (id, name) = (function.id, function.name);
        assert_eq!(id, pascal_case(name), "the logical id of {name}");
        assert_eq!(function.resource["Metadata"]["BuildMethod"], "rust-cargolambda", "{id}");
        let built = &function.resource["Metadata"]["BuildProperties"]["Binary"];
        assert!(built.is_null() || *built == name, "{id} is built from {built}");
        let properties = &function.resource["Properties"];
        let expected = format!("${{AWS::StackName}}-{}", name.replace('_', "-"));
        assert_eq!(properties["FunctionName"]["!Sub"], expected, "{id}");
        assert_eq!(properties["LoggingConfig"]["LogGroup"]["!Ref"], function.logs(), "{id}");
        // Jobs must not starve webhooks, so concurrency is limited at the event source.
        let reserved = &properties["ReservedConcurrentExecutions"];
        assert!(reserved.is_null(), "{id} reserves concurrency");
    }
}

#[test]
fn logs_expire() {
    for (id, logs) in resources("AWS::Logs::LogGroup") {
        let retention = &logs["Properties"]["RetentionInDays"];
        assert!(!retention.is_null(), "{id} has no retention");
    }
}

/// The metrics that an alarm watches, directly or in an expression.
fn watched_metrics(alarm: &'static Value) -> Vec<&'static Value> {
    let properties = &alarm["Properties"];
    match properties["Metrics"].as_array() {
        Some(metrics) => metrics
            .iter()
            .map(|metric| &metric["MetricStat"]["Metric"])
            .filter(|metric| !metric.is_null())
            .collect(),
        None => vec![properties],
    }
}

/// Queries have tickets of sockets and tokens of mails, paths have codes of links. The emulator writes no access log that a test could read.
#[test]
fn access_logs_name_routes_and_no_addresses() {
    for api in ["Api", "LiveApi"] {
        let settings = &template()["Resources"][api]["Properties"]["AccessLogSettings"];
        let format = settings["Format"].as_str().expect("a format");
        assert!(format.contains("$context.routeKey"), "{api}");
        let values = format.split("$context.").skip(1);
        for value in values.filter_map(|rest| rest.split('"').next()) {
            let secret = ["path", "query", "identity", "authorizer"];
            let shown = secret.iter().all(|part| !value.to_lowercase().contains(part));
            assert!(shown, "{api} logs {value}");
        }
    }
}

/// Two stacks in one account and region must not have resources of the same name.
#[test]
fn no_resource_has_a_fixed_name() {
    let all = template()["Resources"].as_object().expect("the template has resources");
    for (id, resource) in all {
        let properties = resource["Properties"].as_object();
        let named = properties
            .into_iter()
            .flatten()
            .filter(|(name, _)| name.ends_with("Name"));
        // Every API has a stage of its name, and a metric's name is chosen by the code that counts it.
        for (name, value) in named.filter(|(name, _)| !["StageName", "MetricName"].contains(&name.as_str())) {
            assert!(value.to_string().contains("AWS::StackName"), "{id}: {name} is {value}");
        }
    }
}

/// Requires that a late invocation is dropped, and that a failed one is not repeated.
fn is_invoked_once(function: &Function) {
    let (id, invoked) = (function.id, &function.resource["Properties"]["EventInvokeConfig"]);
    assert_eq!(invoked["MaximumRetryAttempts"], 0, "{id}");
    assert_eq!(invoked["MaximumEventAgeInSeconds"], 60, "{id}");
}

/// The scheduler invokes asynchronously: Lambda would retry a failed run twice, and keep late ones for six hours.
#[test]
fn scheduled_runs_are_neither_repeated_nor_kept() {
    let mut count = 0;
    for function in functions() {
        for schedule in events_of(&function, "ScheduleV2") {
            count += 1;
            let id = function.id;
            assert_eq!(schedule["RetryPolicy"]["MaximumRetryAttempts"], 0, "{id}");
            // Otherwise, SAM names the schedule after the two logical ids.
            assert_eq!(schedule["OmitName"], true, "{id}");
            is_invoked_once(&function);
        }
    }
    assert!(count >= 2, "only {count} schedules");
}

/// Lambda drops lines below its own level before they are stored, and its default is INFO.
#[test]
fn the_kit_alone_decides_which_lines_there_are() {
    let globals = &template()["Globals"]["Function"]["LoggingConfig"];
    assert_eq!(globals["ApplicationLogLevel"], "TRACE");
    for function in functions() {
        let own = &function.resource["Properties"]["LoggingConfig"]["ApplicationLogLevel"];
        assert!(own.is_null(), "{}", function.id);
    }
}

/// A parameter takes these values, and not those.
fn takes(parameter: &str, these: &[&str], but: &[&str]) {
    let pattern = template()["Parameters"][parameter]["AllowedPattern"].as_str();
    let pattern = regex::Regex::new(pattern.expect("a pattern")).expect("an expression");
    for good in these {
        assert!(pattern.is_match(good), "{good:?} is refused");
    }
    for bad in but {
        assert!(!pattern.is_match(bad), "{bad:?} is taken");
    }
}

#[test]
fn origins_are_a_list_without_spaces() {
    let two = "https://app.example.com,https://www.example.com:8443";
    let bad = [
        "https://a.example, https://b.example",
        "https://a.example,",
        ",https://a.example",
        "https://a.example/",
        "https://*.example",
        "*",
        "a.example",
        "http://a.example",
        "https://app.example.com,http://localhost:5173",
        " ",
    ];
    takes("CorsOrigins", &["", "https://app.example.com", two], &bad);
}

#[test]
fn local_origins_are_of_the_same_machine() {
    let two = "http://localhost:5173,http://127.0.0.1:8080";
    let bad = [
        "http://app.example.com",
        "http://localhost.example.com",
        "http://localhost:5173.example.com",
        "http://localhost@example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.2",
        "http://localhost:5173,http://app.example.com",
        "http://localhost:5173/",
        "https://app.example.com",
        "*",
    ];
    takes("LocalOrigins", &["", "http://localhost", two], &bad);
}

/// Origins without TLS would let whoever is on the way act for the person who is logged in.
#[test]
fn only_the_local_stage_has_local_origins() {
    let is_local = json!({"!Equals": [{"!Ref": "Stage"}, "local"]});
    assert_eq!(template()["Conditions"]["IsLocal"], is_local);
    assert_eq!(template()["Parameters"]["LocalOrigins"]["Default"], "");
    let rule = &template()["Rules"]["LimitsAreLiftedLocallyOnly"];
    assert_eq!(rule["RuleCondition"], json!({"!Not": [is_local]}));
    let assertions = rule["Assertions"].as_array().expect("assertions");
    let empty = json!({"!Equals": [{"!Ref": "LocalOrigins"}, ""]});
    assert!(assertions.iter().any(|assertion| assertion["Assert"] == empty));
    let chosen = json!({"!Split": [",", {"!If": ["IsLocal", {"!Ref": "LocalOrigins"}, {"!Ref": "CorsOrigins"}]}]});
    let resources = &template()["Resources"];
    let api = &resources["Api"]["Properties"]["CorsConfiguration"]["!If"];
    assert_eq!((&api[0], &api[1]["AllowOrigins"]), (&json!("HasCors"), &chosen));
    let rules = &resources["PeopleFiles"]["Properties"]["CorsConfiguration"]["!If"][1]["CorsRules"];
    let admitted = |place: usize| (&rules[place]["!If"][0], &rules[place]["!If"][1]["AllowedOrigins"]);
    assert_eq!(admitted(1), (&json!("HasCors"), &chosen));
    // That of the console.
    let own = json!([{"!Ref": "PublicBaseUrl"}]);
    assert_eq!(admitted(0), (&json!("HasPublicBaseUrl"), &own));
}

/// The emulator has no budgets.
#[test]
fn local_stage_has_no_budget() {
    let conditions = &template()["Conditions"];
    assert_eq!(conditions["IsOnAws"], json!({"!Not": [{"!Condition": "IsLocal"}]}));
    let needed = conditions["HasBudget"]["!And"].as_array().expect("conditions");
    assert!(needed.contains(&json!({"!Condition": "IsOnAws"})), "{needed:?}");
    let budgets: Vec<_> = resources("AWS::Budgets::Budget").collect();
    assert!(!budgets.is_empty());
    for (id, budget) in budgets {
        assert_eq!(budget["Condition"], "HasBudget", "{id}");
    }
}

#[test]
fn every_queue_survives_a_bad_deploy() {
    const FOURTEEN_DAYS: i64 = 14 * 24 * 3600;
    let queues: Vec<_> = resources("AWS::SQS::Queue").collect();
    let alarms = ["DeadLettersAlarm", "CommerceEventsAlarm"];
    let on_dead_letters = alarms
        .map(|alarm| watched_metrics(&template()["Resources"][alarm]))
        .concat();
    for (id, queue) in &queues {
        let properties = &queue["Properties"];
        assert_eq!(properties["MessageRetentionPeriod"], FOURTEEN_DAYS, "{id}");
        if id.ends_with("DeadLetters") {
            let name = format!("{id}.QueueName");
            let mut watched = on_dead_letters.iter();
            let is_watched = watched.any(|metric| metric.to_string().contains(&name));
            assert!(is_watched, "no alarm watches {id}");
        } else {
            let redrive = &properties["RedrivePolicy"];
            let letters = format!("{}DeadLetters.Arn", id.trim_end_matches("Queue"));
            assert_eq!(redrive["deadLetterTargetArn"]["!GetAtt"], letters, "{id}");
            assert_eq!(redrive["maxReceiveCount"], 20, "{id}");
        }
        // Where `cargo stack` finds the queues.
        let output = &template()["Outputs"][format!("{id}Url")];
        assert_eq!(output["Value"]["!Ref"], *id, "the output {id}Url");
    }
    assert!(queues.len() >= 12, "six queues with their dead letters");
}

/// Lambda asks for six times the time-out of a function between two deliveries. Those with a time-out of their own have a queue of their own.
#[test]
fn queues_wait_for_functions_with_a_long_time_out() {
    let mut count = 0;
    for function in functions() {
        let Some(time_out) = function.resource["Properties"]["Timeout"].as_i64() else {
            continue;
        };
        for source in events_of(&function, "SQS") {
            let queue = source["Queue"]["!GetAtt"].as_str().unwrap_or_default();
            let queue = &template()["Resources"][queue.trim_end_matches(".Arn")];
            let visibility = queue["Properties"]["VisibilityTimeout"].as_i64();
            assert!(visibility >= Some(6 * time_out), "{}: {visibility:?}", function.id);
            count += 1;
        }
    }
    assert!(count > 0, "no function has a long time-out and a queue");
}

#[test]
fn event_sources_report_single_failures_and_are_limited() {
    for function in functions() {
        for (name, event) in events(&function) {
            let properties = &event["Properties"];
            let partial = properties["FunctionResponseTypes"][0] == "ReportBatchItemFailures";
            let id = format!("{}.{name}", function.id);
            match event["Type"].as_str().unwrap_or_default() {
                "SQS" => {
                    assert!(partial, "{id}");
                    assert!(bound_of(event).is_some(), "{id} has no bound");
                }
                "DynamoDB" => {
                    assert!(partial, "{id}");
                    assert_eq!(properties["ParallelizationFactor"], 1, "{id}");
                    // Attempts are limited by age alone: a bad deploy uses up any number of them within minutes.
                    assert_eq!(properties["MaximumRetryAttempts"], -1, "{id}");
                    let age = properties["MaximumRecordAgeInSeconds"].as_i64().unwrap_or(i64::MAX);
                    assert!(age < 24 * 3600, "{id}: the stream forgets after a day");
                    if function.name == "publish_changes" {
                        counts_exactly(&id, properties, age);
                    } else {
                        // Somebody waits for its events.
                        assert!(properties["MaximumBatchingWindowInSeconds"].is_null(), "{id}");
                    }
                    assert_eq!(properties["BisectBatchOnFunctionError"], true, "{id}");
                    assert!(!properties["FilterCriteria"].is_null(), "{id}");
                }
                "EventBridgeRule" => {
                    assert_eq!(properties["EventBusName"]["!Ref"], "OperationsBus", "{id}");
                    let pattern = json!({"source": [kit::bus::SOURCE], "detail-type": [function.name]});
                    assert_eq!(properties["Pattern"], pattern, "{id}");
                    // A lost event delays an operation: the due index starts it. One that is late is of no use.
                    let retries = &properties["RetryPolicy"];
                    assert!(retries["MaximumRetryAttempts"].is_i64(), "{id}");
                    assert_eq!(retries["MaximumEventAgeInSeconds"], 60, "{id}");
                    is_invoked_once(&function);
                }
                "ScheduleV2" => {}
                other => panic!("{id} is a {other}: say here what it must have"),
            }
        }
    }
}

/// The needs of exact counters of their event source, whose records are given up after this age.
fn counts_exactly(id: &str, properties: &Value, age: i64) {
    // Counters hold one sequence number per shard (decision 0008).
    let window = &properties["TumblingWindowInSeconds"];
    assert!(window.is_i64(), "{id}: events name no shard");
    // One write counts all of a tenant's changes of a window.
    let window = json!({"!If": ["IsLocal", 1, 30]});
    assert_eq!(properties["MaximumBatchingWindowInSeconds"], window, "{id}");
    let sources = read("functions/jobs/publish_changes/src/lib.rs");
    let (_, rest) = sources
        .split_once("RETRIED_FOR: SignedDuration = SignedDuration::from_hours(")
        .expect("for how long a batch is retried at least");
    let hours = rest.split(')').next().and_then(|hours| hours.parse().ok());
    let hours: i64 = hours.expect("hours");
    assert!(hours * 3600 < age, "{id}: batches are to be retried for {hours} hours");
    assert!(!properties["DestinationConfig"]["OnFailure"].is_null(), "{id}");
}

/// The type of the event that starts an operation is its kind, and the name of the function that does it.
#[test]
fn every_kind_of_operation_has_a_function() {
    let is_started = |function: &Function| events_of(function, "EventBridgeRule").next().is_some();
    let started = functions().into_iter().filter(is_started);
    let started: BTreeSet<&str> = started.map(|function| function.name).collect();
    let kinds = OperationKind::ALL.map(OperationKind::as_str);
    assert_eq!(started, BTreeSet::from(kinds));
}

/// Maximum concurrency of an event source, by default if it is a parameter.
fn bound_of(event: &Value) -> Option<u64> {
    let bound = &event["Properties"]["ScalingConfig"]["MaximumConcurrency"];
    let parameter = bound["!Ref"].as_str();
    parameter
        .map_or(bound, |name| &template()["Parameters"][name]["Default"])
        .as_u64()
}

/// Maximum concurrency of each of a function's event sources that has one.
fn bounds(function: &Function) -> impl Iterator<Item = u64> + use<> {
    events(function).filter_map(|(_, event)| bound_of(event))
}

/// Messages wait for uploads, which share a queue with files of a provider that may hang for a minute each.
#[test]
fn a_hanging_provider_leaves_room_for_uploads() {
    let bounds: Vec<u64> = bounds(&function("fetch_media")).collect();
    assert!(bounds.len() == 1 && bounds[0] >= 50, "{bounds:?}");
}

/// The concurrency that operators are told to request.
#[test]
fn operators_are_told_how_many_functions_busy_queues_run() {
    let at_once: u64 = functions().iter().flat_map(bounds).sum();
    let text = format!("busy queues alone take {at_once}");
    let page = read("docs/operations/first-deployment.md");
    assert!(
        page.contains(&text),
        "docs/operations/first-deployment.md does not say {text}"
    );
}

/// Attributes of a listed row that its list does not contain, or contains as keys.
const NOT_IN_LISTS: [&str; 13] = [
    "pk",
    "sk",
    "gsi1pk",
    "gsi1sk",
    "gsi2pk",
    "gsi2sk",
    "gsi3pk",
    "gsi3sk",
    "data",
    "by",
    "v",
    "f",
    "expires_at",
];

/// The index projects what rows have for their lists, and nothing else: a projection can never be changed.
#[test]
fn list_index_has_the_fields_that_listed_rows_have() {
    let rows: Vec<Value> = serde_json::from_str(&read("shared/store/tests/rows.json")).expect("rows");
    let rows = rows.iter().filter_map(Value::as_object);
    let listed = rows.filter(|row| row.contains_key("gsi1pk"));
    let written: BTreeSet<String> = listed
        .flat_map(|row| row.keys().cloned())
        .filter(|name| !NOT_IN_LISTS.contains(&name.as_str()))
        .collect();
    assert_eq!(BTreeSet::from_iter(list_fields()), written);
}

#[test]
fn table_settings_match_the_promises() {
    const RECOVERY: &str = "/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled";
    let (_, table) = resources("AWS::DynamoDB::Table").next().expect("there is a table");
    let properties = &table["Properties"];
    let expiry = json!({"AttributeName": "expires_at", "Enabled": true});
    for (place, expected) in [
        ("/BillingMode", json!("PAY_PER_REQUEST")),
        ("/StreamSpecification/StreamViewType", json!("NEW_AND_OLD_IMAGES")),
        ("/TimeToLiveSpecification", expiry),
        (RECOVERY, json!(true)),
        // The first deploy, which has no URL yet, can be rolled back.
        (
            "/DeletionProtectionEnabled",
            json!({"!If": ["IsProtected", true, false]}),
        ),
    ] {
        assert_eq!(properties.pointer(place), Some(&expected), "{place}");
    }
    let indexes = properties["GlobalSecondaryIndexes"].as_array().expect("indexes");
    // A projection can never be changed in place.
    for (name, expected) in [("by_day", "INCLUDE"), ("due", "KEYS_ONLY"), ("by_state", "KEYS_ONLY")] {
        let index = indexes.iter().find(|index| index["IndexName"] == name);
        let index = index.unwrap_or_else(|| panic!("no index {name}"));
        assert_eq!(index["Projection"]["ProjectionType"], expected, "{name}");
    }
    let protected = json!({"!And": [{"!Condition": "IsProd"}, {"!Condition": "HasPublicBaseUrl"}]});
    assert_eq!(template()["Conditions"]["IsProtected"], protected);
    assert_eq!(table["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(table["UpdateReplacePolicy"], "Retain");
}

#[test]
fn alarms_stay_few_and_reach_somebody() {
    let alarms: Vec<_> = resources("AWS::CloudWatch::Alarm").collect();
    // DeadLettersAlarm and QueueAgeAlarm are full: queues of shops are in CommerceEventsAlarm, so the number of alarms need not grow.
    let count = alarms.len();
    assert!(count <= 16, "sixteen alarms are enough, these are {count}");
    let metrics: usize = alarms.iter().map(|(_, alarm)| watched_metrics(alarm).len()).sum();
    let price = format!("{metrics} metrics that alarms watch");
    let costs = read("docs/costs.md");
    assert!(costs.contains(&price), "docs/costs.md does not name the {price}");
    for (id, alarm) in alarms {
        assert_eq!(alarm["Properties"]["AlarmActions"][0]["!Ref"], "AlarmTopic", "{id}");
        // CloudWatch's limit. An expression counts, too.
        let entries = alarm["Properties"]["Metrics"].as_array().map_or(1, Vec::len);
        assert!(entries <= 10, "{id} has {entries} metrics, and CloudWatch takes ten");
        let description = &alarm["Properties"]["AlarmDescription"];
        assert!(description.is_string(), "{id} does not say what is wrong");
    }
}

#[test]
fn alarms_watch_metrics_that_somebody_counts() {
    let ours = packages().iter().filter(|package| !package.is_tool());
    let sources: String = ours.map(|package| package.sources()).collect();
    let is_counted = |metric: &str| sources.contains(&format!("\"{metric}\""));
    for (id, alarm) in resources("AWS::CloudWatch::Alarm") {
        let own = watched_metrics(alarm)
            .into_iter()
            .filter(|metric| metric["Namespace"] == "Ringback");
        for metric in own {
            let metric = metric["MetricName"].as_str().expect("a metric");
            assert!(is_counted(metric), "{id} waits for {metric}, which nobody counts");
        }
    }
    for (id, dashboard) in resources("AWS::CloudWatch::Dashboard") {
        let body = dashboard["Properties"]["DashboardBody"]["!Sub"].as_str();
        let body = body.expect("a dashboard's text");
        let metrics = body.split("[\"Ringback\", \"").skip(1);
        let metrics: Vec<_> = metrics.filter_map(|rest| rest.split(['"', '\\']).next()).collect();
        assert!(!metrics.is_empty(), "{id} shows none of our metrics");
        for searched in ["{AWS/Lambda,FunctionName}", "{AWS/SQS,QueueName}"] {
            assert!(body.contains(searched), "{id} does not search {searched}");
        }
        for function in functions() {
            let name = format!("${{AWS::StackName}}-{}", function.name.replace('_', "-"));
            // A new function would be missing.
            assert!(!body.contains(&name), "{id} names {name} by hand");
        }
        for metric in metrics {
            assert!(is_counted(metric), "{id} shows {metric}, which nobody counts");
        }
    }
}

/// Files name people: what users import and export, and what providers send. An erasure does not search them, because all of them
/// are deleted by the bucket's own rules; except media, which lie in the folder of their contact, and assets, which are a tenant's own.
#[test]
fn files_of_all_buckets_expire() {
    let rules_of = |bucket: &str| -> BTreeSet<(String, String)> {
        let properties = &template()["Resources"][bucket]["Properties"];
        let versioning = properties.get("VersioningConfiguration");
        assert!(versioning.is_none(), "{bucket}: old versions would stay");
        let rules = properties["LifecycleConfiguration"]["Rules"].as_array();
        let rules = rules.into_iter().flatten();
        let expiring = rules.filter(|rule| rule["Status"] == "Enabled" && rule.get("ExpirationInDays").is_some());
        let rule = |rule: &Value| {
            let prefix = rule["Prefix"].as_str().unwrap_or_default().to_owned();
            (prefix, rule["ExpirationInDays"].to_string())
        };
        expiring.map(rule).collect()
    };
    let days = |prefix: &str, days: Value| (prefix.to_owned(), days.to_string());
    let people = [
        days("results/", json!(7)),
        days("uploads/", json!(1)),
        days("steps/", json!(1)),
        days("recordings/", json!(1)),
    ];
    assert_eq!(rules_of("PeopleFiles"), people.into());
    for (bucket, parameter) in [
        ("RawBucket", "RawRetentionDays"),
        ("PeopleFilesUse", "LogRetentionDays"),
    ] {
        let all = days("", json!({ "!Ref": parameter }));
        assert_eq!(rules_of(bucket), [all].into(), "{bucket}");
    }
    assert_eq!(resources("AWS::S3::Bucket").count(), 3, "a new bucket needs its rules");
}

/// On AWS: the emulator has no TLS, and logs nothing.
#[test]
fn files_are_read_over_tls_and_their_use_is_logged() {
    let logs = &template()["Resources"]["PeopleFilesUsePolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
    for (id, prefix) in [("PeopleFiles", "people-files/"), ("RawBucket", "raw/")] {
        let bucket = &template()["Resources"][id]["Properties"];
        let logging = json!({"DestinationBucketName": {"!Ref": "PeopleFilesUse"}, "LogFilePrefix": prefix});
        let locally = json!({"!If": ["IsLocal", {"!Ref": "AWS::NoValue"}, logging]});
        assert_eq!(bucket["LoggingConfiguration"], locally, "{id}");
        let taken = format!("${{PeopleFilesUse.Arn}}/{prefix}*");
        assert!(texts(&logs["Resource"]).contains(&taken.as_str()), "{id}");
    }
    for (id, _) in resources("AWS::S3::Bucket") {
        let policy = &template()["Resources"][format!("{id}Policy")];
        assert_eq!(policy["Condition"], "IsOnAws");
        let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_array();
        let tls = json!({"Bool": {"aws:SecureTransport": "false"}});
        let denies = |it: &Value| it["Effect"] == "Deny" && it["Action"] == "s3:*" && it["Condition"] == tls;
        assert!(statements.into_iter().flatten().any(denies), "{id}");
    }
}
