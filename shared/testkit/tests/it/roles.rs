//! Every function has its own role, and no role contains `*` if AWS supports anything finer.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::template::{
    Function, functions, granted_statements, policies, resources, role, statements, template, texts,
};

use crate::repository::read;
use crate::routes::ROLE as ROUTES;
use crate::template::{events, events_of};

/// Resources that contain `*`, with the reason.
const PATTERNS: &[&str] = &[
    // Objects have no names beforehand.
    "${RawBucket.Arn}/raw/*",
    "${RawBucket.Arn}/spill/*",
    "${PeopleFiles.Arn}/uploads/*",
    "${PeopleFiles.Arn}/steps/*",
    "${PeopleFiles.Arn}/results/*",
    "${PeopleFiles.Arn}/assets/*",
    // The folders of all tenants' contacts, and nothing else.
    "${PeopleFiles.Arn}/steps/*/contact/*",
    "${PeopleFiles.Arn}/results/*/contact/*",
    "${PeopleFiles.Arn}/recordings/*/contact/*",
    "${PeopleFiles.Arn}/media/*/contact/*",
    "${PeopleFiles.Arn}/assets/*/contact/*",
    // A deleted tenant's media, of any contact.
    "${PeopleFiles.Arn}/media/*",
    // Lambda chooses the names of failed batches.
    "${RawBucket.Arn}/aws/lambda/*",
    // Secrets Manager adds six characters to a secret's name.
    "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:${MetaAppSecretId}-??????",
    // An identity's default configuration set is asked for, too; the sender is pinned by a condition.
    "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:configuration-set/*",
    // The identity may be the sender's address, its domain or one above; the sender is pinned by a condition.
    "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/*",
    // A setting of the account: the logs of all its APIs in the region.
    "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*",
    // API Gateway names connections.
    "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${LiveApi}/live/POST/@connections/*",
    "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${LiveApi}/live/DELETE/@connections/*",
];

/// Partition keys of a tenant's own partition, as in the template.
const OWN_PARTITION: &str = "T#??????????????????????????";

/// Whether a function takes webhooks, of which anybody on the internet can send some. One sends them.
fn is_webhook(function: &str) -> bool {
    function.ends_with("_webhook") && function != "deliver_webhook"
}

/// The action that knows no resource.
const WITHOUT_RESOURCE: &str = "dynamodb:ListStreams";

#[test]
fn every_function_has_a_role_of_its_own() {
    let roles: BTreeSet<_> = resources("AWS::IAM::Role").map(|(id, _)| id).collect();
    let mut used = BTreeSet::new();
    for function in functions() {
        let properties = &function.resource["Properties"];
        let (id, role) = (function.id, format!("{}Role", function.id));
        assert_eq!(properties["Role"]["!GetAtt"], format!("{role}.Arn"), "{id}");
        assert!(properties["Policies"].is_null(), "{id}: SAM's policies grant too much");
        assert!(roles.contains(role.as_str()), "{role} is missing");
        used.insert(role);
    }
    let unused: Vec<_> = roles.iter().filter(|role| !used.contains(**role)).collect();
    assert_eq!(unused, [&SOCKET_LOGS, &ROUTES, &SCHEDULES], "roles without a function");
}

/// The role by which API Gateway writes the access log of sockets.
const SOCKET_LOGS: &str = "LogsOfSocketsRole";

/// The role of all schedules.
const SCHEDULES: &str = "SchedulesRole";

/// The emulator does not check it.
#[test]
fn schedules_start_their_functions_and_no_others() {
    let scheduled = |function: &Function| {
        let mut schedules = events_of(function, "ScheduleV2").peekable();
        let is_scheduled = schedules.peek().is_some();
        for schedule in schedules {
            assert_eq!(schedule["RoleArn"]["!GetAtt"], format!("{SCHEDULES}.Arn"));
        }
        is_scheduled
    };
    let functions = functions().into_iter().filter(scheduled);
    let wanted: BTreeSet<String> = functions.map(|function| format!("{}.Arn", function.id)).collect();
    let allowed: Vec<_> = granted_statements(&template()["Resources"][SCHEDULES]).collect();
    assert_eq!(allowed.len(), 1);
    assert_eq!(texts(&allowed[0]["Action"]), ["lambda:InvokeFunction"]);
    let started: BTreeSet<String> = texts(&allowed[0]["Resource"]).into_iter().map(str::to_owned).collect();
    assert_eq!(started, wanted);
}

#[test]
fn roles_are_written_out() {
    for (id, role) in resources("AWS::IAM::Role") {
        let managed = &role["Properties"]["ManagedPolicyArns"];
        assert!(managed.is_null(), "{id}: AWS's managed policies grant too much");
        for statement in granted_statements(role) {
            assert_eq!(statement["Effect"], "Allow", "{id}");
            for but in ["NotAction", "NotResource"] {
                assert!(statement[but].is_null(), "{id}: {but}");
            }
            check(id, statement);
        }
    }
}

fn check(id: &str, statement: &Value) {
    let sid = statement["Sid"]
        .as_str()
        .unwrap_or_else(|| panic!("a statement of {id} has no name"));
    let actions = texts(&statement["Action"]);
    assert!(!actions.is_empty(), "{id}.{sid}");
    for action in &actions {
        assert!(!action.contains(['*', '?']), "{id}.{sid} allows {action}");
    }
    for resource in texts(&statement["Resource"]) {
        let none = resource == "*" && actions.iter().all(|action| *action == WITHOUT_RESOURCE);
        let fine = none || PATTERNS.contains(&resource) || !resource.contains(['*', '?']);
        assert!(fine, "{id}.{sid} allows {actions:?} on {resource}");
    }
}

/// The permissions of Lambda itself, which the emulator does not check: actions and resources of the policies `logs` and `trigger`.
fn needed_by_lambda(function: &Function) -> Vec<(Vec<&'static str>, Value)> {
    let logs = json!({ "!GetAtt": format!("{}.Arn", function.logs()) });
    let mut needed = vec![(vec!["logs:CreateLogStream", "logs:PutLogEvents"], logs)];
    for (_, event) in events(function) {
        let properties = &event["Properties"];
        match event["Type"].as_str().unwrap_or_default() {
            "SQS" => {
                let actions = vec!["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
                needed.push((actions, properties["Queue"].clone()));
            }
            "DynamoDB" => {
                let actions = vec![
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                ];
                needed.push((actions, properties["Stream"].clone()));
                needed.push((vec!["dynamodb:ListStreams"], json!("*")));
                if !properties["DestinationConfig"]["OnFailure"].is_null() {
                    needed.push((vec!["s3:PutObject"], json!({ "!Sub": "${RawBucket.Arn}/aws/lambda/*" })));
                    needed.push((vec!["s3:ListBucket"], json!({ "!GetAtt": "RawBucket.Arn" })));
                }
            }
            _ => {}
        }
    }
    needed
}

#[test]
fn logs_and_triggers_grant_exactly_what_lambda_needs() {
    for function in functions() {
        let own = policies(role(&function)).iter();
        let own = own.filter(|policy| policy["PolicyName"] != "work").flat_map(statements);
        let granted = own.map(|statement| (texts(&statement["Action"]), statement["Resource"].clone()));
        let (granted, needed, id) = (granted.collect::<Vec<_>>(), needed_by_lambda(&function), function.id);
        assert_eq!(granted, needed, "{id}: left what is granted");
    }
}

/// The partition keys in a statement on the table or an index.
fn partitions(statement: &'static Value) -> Vec<&'static str> {
    texts(&statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
}

/// Functions with their `work` statements on the table and its indexes.
fn on_table() -> Vec<(&'static str, &'static Value)> {
    let mut found = vec![];
    for function in functions() {
        let own = policies(role(&function)).iter();
        let work = own.filter(|policy| policy["PolicyName"] == "work");
        for statement in work.flat_map(statements) {
            let of_table = |action: &&str| action.starts_with("dynamodb:");
            if texts(&statement["Action"]).iter().any(of_table) {
                found.push((function.name, statement));
            }
        }
    }
    found
}

/// See docs/decisions/0031-partitions-in-roles.md.
#[test]
fn every_statement_on_the_table_names_its_partitions() {
    for (function, statement) in on_table() {
        let (sid, named) = (&statement["Sid"], partitions(statement));
        assert!(!named.is_empty(), "{function}: {sid} names no partitions");
        for action in texts(&statement["Action"]) {
            // For a scan or a PartiQL statement without a key the condition holds, because there is nothing to compare.
            let keyed = !action.contains("Scan") && !action.contains("PartiQL");
            assert!(keyed, "{function}: {sid} allows {action}");
        }
    }
}

/// Kinds of identities of customers. Unique values of what a tenant owns have partitions of the same kind.
const IDENTITIES: [&str; 6] = ["bsuid", "email", "phone", "sender", "sip", "withheld"];

#[test]
fn roles_name_the_kinds_of_identities_and_claims() {
    let mut kinds = BTreeSet::new();
    for (function, statement) in on_table() {
        for key in partitions(statement) {
            let Some(kind) = key.strip_prefix("T#*#ID#") else {
                assert!(!key.contains("#ID#"), "{function} may touch {key}");
                continue;
            };
            let kind = kind.strip_suffix(":*").filter(|kind| !kind.contains(['*', '?']));
            let kind = kind.unwrap_or_else(|| panic!("{function} may touch {key}, of any kind"));
            let reads = |action: &&str| action.contains("Get") || action.contains("Query");
            let only_reads = texts(&statement["Action"]).iter().all(reads);
            // A shop's own id leads to its order.
            let orders = function == "process_commerce_event" && kind == "order";
            let fine = IDENTITIES.contains(&kind) || orders || only_reads || !function.starts_with("process_");
            assert!(fine, "{function} may write {key}");
            kinds.insert(kind);
        }
    }
    let unused: Vec<_> = IDENTITIES.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(unused.is_empty(), "nobody touches {unused:?}");
}

#[test]
fn only_listed_functions_touch_a_partition() {
    let who = |of: fn(&str) -> bool, writes: bool| {
        let ways = ["Put", "Update", "Delete", "Write"];
        let is_write = |action: &&str| ways.iter().any(|way| action.contains(way));
        let all = on_table().into_iter().filter(|(_, statement)| {
            let touches = partitions(statement).into_iter().any(of);
            touches && (!writes || texts(&statement["Action"]).iter().any(is_write))
        });
        let names: BTreeSet<&str> = all.map(|(function, _)| function).collect();
        names.into_iter().collect::<Vec<_>>().join(" ")
    };
    // Signing keys and platform administrators.
    assert_eq!(
        who(|key| key.starts_with("PLATFORM") || key.starts_with('*'), true),
        "auth delete_tenants make_platform_admin platform"
    );
    // Hashes of passwords, and sessions.
    assert_eq!(
        who(|key| key.starts_with('U') || key.starts_with('*'), true),
        "auth delete_tenants make_platform_admin platform users"
    );
    // The accounts have the language and the preferences for mails, too.
    assert_eq!(
        who(|key| key.starts_with('U') || key.starts_with('*'), false),
        "auth caps delete_tenants make_platform_admin notify_people platform push_subscriptions send_push users"
    );
    // Who may come in. All of the API reads it, to authenticate.
    assert_eq!(
        who(|key| matches!(key, "T#*#IAM" | "T#*"), true),
        "api_keys auth delete_tenants platform users"
    );
    // Links of customers. Only the page finds out whose they are.
    assert_eq!(
        who(|key| key.starts_with('L'), true),
        "contacts messages process_call process_commerce_event process_provider_event run_campaign take_steps"
    );
    assert_eq!(
        who(|key| key.starts_with('L'), false),
        "contacts messages preferences process_call process_commerce_event process_provider_event run_campaign take_steps"
    );
    // Tracked links. What a message says carries them, their page reads them, they go and are shown with its contact, and the platform turns them off.
    assert_eq!(
        who(|key| key.starts_with("GO"), false),
        "apply_retention archive_contact delete_tenants erase_contact links messages platform process_call process_commerce_event process_provider_event run_campaign take_steps"
    );
    // Slots of operations: whoever runs them, to write and not to read.
    let running = "apply_retention archive_contact backfill_conversations change_contacts count_segment erase_contact export_data import_contacts \
        preflight_campaign report_campaign run_campaign sync_templates";
    assert_eq!(who(|key| key == "SLOT#*", false), running);
    assert_eq!(who(|key| key == "SLOT#*", true), running);
    // Tickets for sockets, and whose sockets are.
    assert_eq!(
        who(|key| key == "TICKET#*" || key == "SOCK#*", false),
        "live live_socket publish_events"
    );
    // People's devices, and the key by which their push services know who sends.
    assert_eq!(
        who(|key| key == "PUSH" || key.starts_with("PUSH#"), false),
        "push_subscriptions send_push"
    );
    // Hashes of the identities of erased people, with their salt. Whoever creates contacts, or tries what their calls would get, looks
    // whether one of them refused messages.
    assert_eq!(
        who(|key| key == "T#*#ERASED", false),
        "automations contacts erase_contact import_contacts imports messages orders process_call process_commerce_event process_provider_event"
    );
    assert_eq!(who(|key| key == "T#*#ERASED", true), "erase_contact");
    for (function, statement) in on_table() {
        for key in partitions(statement) {
            if is_webhook(function) {
                let look_up = function == "whatsapp_webhook" && key == "WABA#*";
                // The tenant and its lines have business hours.
                let of_hours = function == "twilio_voice_webhook" && [OWN_PARTITION, "T#*#CONF"].contains(&key);
                // They write nothing but that a sender whom nobody knows was refused, or that a number was called which the connection does
                // not have, which is read before.
                let of_calls = !["whatsapp_webhook", "twilio_message_webhook"].contains(&function);
                let notes = statement["Action"] == "dynamodb:PutItem" && function != "twilio_message_webhook";
                let refusals = key == "T#*#REFUSED" && (notes || of_calls && statement["Action"] == "dynamodb:GetItem");
                assert!(
                    key == "T#*#CONN" || look_up || of_hours || refusals,
                    "{function} may touch {key}"
                );
            }
            let fine = key != "T#*" || function == "delete_tenants";
            assert!(fine, "{function} may touch {key}");
            let verbs = ["process_", "send_", "publish_"];
            let job = verbs.iter().any(|verb| function.starts_with(verb));
            let others = !key.starts_with("T#") || key == "T#*#IAM";
            // The message after a call, a customer's message or the news of an order may carry a link, whose page knows no tenant.
            let makes_messages = matches!(
                function,
                "process_call" | "process_commerce_event" | "process_provider_event"
            );
            let link = makes_messages && matches!(key, "LINK#*" | "GO#*");
            // What messages cost is the same for all tenants. Beside it are public keys and the ids of the platform's administrators.
            let prices = matches!(function, "publish_changes" | "send_message")
                && key == "PLATFORM"
                && statement["Action"] == "dynamodb:GetItem";
            // Whoever lost access is told nothing more, so it reads who may what, and forgets sockets, which are found without a tenant.
            let sockets = function == "publish_events"
                && match key {
                    "T#*#IAM" => statement["Action"] == "dynamodb:BatchGetItem",
                    key => key == "SOCK#*",
                };
            // Devices are people's, whose sessions and rights decide. It reads them, and forgets devices.
            let devices = function == "send_push"
                && match key {
                    "PUSH" | "PUSH#??????????????????????????" => true,
                    "T#*#IAM" => statement["Action"] == "dynamodb:BatchGetItem",
                    key => key.starts_with("USER#") && statement["Action"] == "dynamodb:GetItem",
                };
            let fine = !job || !others || link || prices || sockets || devices;
            assert!(fine, "{function} may touch {key}");
        }
    }
}

/// Functions may write to the dead letters of their own queue.
#[test]
fn functions_write_only_to_their_own_dead_letters() {
    let mut count = 0;
    for function in functions() {
        let properties = &function.resource["Properties"];
        let variables = &properties["Environment"]["Variables"];
        let id = function.id;
        let mut own = Vec::new();
        for (variable, event) in [("DEAD_LETTERS_URL", "Queue"), ("BULK_DEAD_LETTERS_URL", "BulkQueue")] {
            let works = properties["Events"][event]["Properties"]["Queue"]["!GetAtt"].as_str();
            let Some(letters) = variables[variable]["!Ref"].as_str() else {
                assert!(own.is_empty() || works.is_none(), "{id} has no {variable}");
                continue;
            };
            let queue = format!("{}Queue.Arn", letters.trim_end_matches("DeadLetters"));
            assert_eq!(works, Some(&*queue), "{id} lays aside in {letters}");
            own.push(json!({ "!GetAtt": format!("{letters}.Arn") }));
        }
        if own.is_empty() {
            continue;
        }
        count += 1;
        let lay_aside = granted_statements(role(&function)).find(|one| one["Sid"] == "LayAside");
        let lay_aside = lay_aside.unwrap_or_else(|| panic!("{id} may not lay aside"));
        assert_eq!(lay_aside["Action"], "sqs:SendMessage", "{id}");
        let allowed = match &lay_aside["Resource"] {
            Value::Array(several) => several.clone(),
            one => vec![one.clone()],
        };
        assert_eq!(allowed, own, "{id}");
    }
    assert!(count >= 3, "only {count} functions lay aside");
}

/// Security events that strangers cause are counted in one row.
#[test]
fn functions_that_count_attempts_may_update_counters() {
    let adds = on_table().into_iter().filter(|(_, statement)| {
        texts(&statement["Action"]).contains(&"dynamodb:UpdateItem") && partitions(statement).contains(&"USER#*")
    });
    let who: Vec<&str> = adds.map(|(function, _)| function).collect();
    assert_eq!(who, ["auth"]);
}

/// Whose files no rule of the bucket deletes are deleted by whoever deletes what they belong to, and by nobody else.
#[test]
fn only_listed_functions_delete_media_and_assets() {
    let who = |folder: &str| -> BTreeSet<&str> {
        let deletes = |statement: &&Value| {
            let allowed = statement["Resource"].to_string();
            texts(&statement["Action"]).contains(&"s3:DeleteObject") && allowed.contains(folder)
        };
        let all = functions().into_iter();
        let all = all.filter(|function| granted_statements(role(function)).any(|statement| deletes(&statement)));
        all.map(|function| function.name).collect()
    };
    let of_media = ["delete_tenants", "erase_contact", "fetch_media", "media"];
    assert_eq!(who("{PeopleFiles.Arn}/media/"), of_media.into());
    let of_assets = ["assets", "delete_tenants", "erase_contact", "fetch_media"];
    assert_eq!(who("{PeopleFiles.Arn}/assets/"), of_assets.into());
}

/// Only signs links with its permission to read: it asks for no object itself.
const SIGNS_LINKS: &str = "SendMessageRole";

/// S3 answers a request for a missing object with "forbidden" without the permission to list. Such a request has no prefix.
#[test]
fn functions_that_read_objects_may_list_them() {
    for (id, role) in resources("AWS::IAM::Role").filter(|(id, _)| *id != SIGNS_LINKS) {
        let all: Vec<_> = granted_statements(role).collect();
        let with = |action: &'static str| {
            let has = move |statement: &&&Value| texts(&statement["Action"]).contains(&action);
            all.iter().find(has).copied()
        };
        if with("s3:GetObject").is_some() {
            let list = with("s3:ListBucket").unwrap_or_else(|| panic!("{id} may not list"));
            let condition = &list["Condition"]["StringLikeIfExists"];
            assert!(!condition["s3:prefix"].is_null(), "{id}: {}", list["Condition"]);
        }
    }
}

/// The purpose to which a statement about keys is bound by its condition. `None`: it opens whatever was sealed.
fn purpose_of(statement: &Value) -> Option<&str> {
    let bound = statement["Condition"].as_object()?.get("StringEquals")?.as_object()?;
    bound.get("kms:EncryptionContext:purpose")?.as_str()
}

/// A role opens the secrets that its function needs, and not all that their key has sealed. SECURITY.md names each function that opens
/// something.
#[test]
fn secrets_open_for_one_purpose() {
    let decrypt = json!({"Action": "kms:Decrypt", "Resource": {"!GetAtt": "SendKey.Arn"}});
    assert_eq!(purpose_of(&decrypt), None, "a statement without a condition");
    let page = read("SECURITY.md");
    let mut checked = 0;
    for function in functions() {
        let (id, name) = (function.id, function.name);
        for statement in granted_statements(role(&function)) {
            let actions = texts(&statement["Action"]);
            if !actions.iter().any(|action| action.starts_with("kms:")) {
                continue;
            }
            checked += 1;
            let allowed: &[&str] = match texts(&statement["Resource"])[..] {
                ["VerifyKey.Arn"] => &["verify"],
                ["SendKey.Arn"] => match name {
                    "push_subscriptions" | "send_push" => &["push"],
                    "deliver_webhook" | "webhook_endpoints" => &["webhook"],
                    _ => &["send"],
                },
                _ => &[],
            };
            let purpose = purpose_of(statement);
            let fine = purpose.is_some_and(|purpose| allowed.contains(&purpose));
            assert!(
                fine,
                "{id}.{} is bound to {purpose:?}, of {allowed:?}",
                statement["Sid"]
            );
            let opens = actions.contains(&"kms:Decrypt") && !is_webhook(name);
            let named = !opens || page.contains(&format!("`{name}`"));
            assert!(named, "SECURITY.md does not say that {name} opens secrets");
        }
    }
    assert!(checked >= 17, "only {checked} statements are about keys");
}

#[test]
fn webhooks_cannot_open_sending_secrets() {
    for function in functions() {
        let (id, name, text) = (function.id, function.name, role(&function).to_string());
        let (webhook, sends) = (is_webhook(name), text.contains("SendKey"));
        assert!(!(webhook && sends), "{id} may use the key of sending tokens");
        // It creates, rotates and tests connections: docs/decisions/0016-connection-test.md.
        let keeper = name == "connections";
        let fine = webhook || keeper || !text.contains("VerifyKey");
        assert!(fine, "{id} may use the key of webhooks");
        // They fetch recordings and media, and manage templates: docs/decisions/0065-recordings.md, 0067-media-and-assets.md and
        // 0069-templates.md.
        let others = ["fetch_media", "recordings", "sync_templates", "templates"].contains(&name);
        // It seals the key for push services, and nothing else: docs/decisions/0088-push.md.
        let pushes = ["push_subscriptions", "send_push"].contains(&name)
            && text.contains(r#""Condition":{"StringEquals":{"kms:EncryptionContext:purpose":"push"}}"#);
        // They seal and open secrets of outgoing webhooks, and nothing else: docs/decisions/0105-deliveries-of-webhooks.md.
        let hooks = ["deliver_webhook", "webhook_endpoints"].contains(&name)
            && text.contains(r#""Condition":{"StringEquals":{"kms:EncryptionContext:purpose":"webhook"}}"#);
        let fine = keeper || others || pushes || hooks || name == "send_message" || !sends;
        assert!(fine, "{id} may use the key of sending tokens");
        let fine = keeper || pushes || hooks || !text.contains(r#""kms:Encrypt""#);
        assert!(fine, "{id} may write credentials");
        // Only dispatch_due reads the whole due index, and the others what is theirs.
        let of_due = ["dispatch_drips", "dispatch_due", "notify_people", "tend_inbox"];
        let (due, may) = (text.contains("/index/due"), of_due.contains(&name));
        assert_eq!(
            due, may,
            "{id}: left whether it reads the due index, right whether it may"
        );
    }
}
