//! Permissions that nothing used.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::{Role, SIMULATED, Use, like, partitions_of, sid, texts};

/// A permission that no test uses although it is needed: the function, or `*`; names of statements, or what is unused of one or of
/// `… of` a named one; and the reason.
type Exception<'a> = (&'a str, &'a str, &'a str);

const EXCEPTIONS: &[Exception<'_>] = &[
    (
        "*",
        "MissFile",
        "S3 needs it to answer 404 for a missing file; functions treat 403 the same",
    ),
    (
        "*",
        "BackOff",
        "only failed records are delayed, which few tests wait for",
    ),
    (
        "*",
        "LayAside",
        "no record of the tests is impossible: the table would have to be full",
    ),
    ("*", "Continue", "another step follows only behind thousands of rows"),
    (
        "*",
        "T#*#STATS#*",
        "reports read days that are rolled up; those of most tests are not",
    ),
    (
        "*",
        "T#*#PRODUCT, T#*#ID#sku:*",
        "rules and messages may name products, which few tests do",
    ),
    (
        "*",
        "T#*#ASSET",
        "rules and messages may have files, which few tests do",
    ),
    (
        "contacts",
        "T#*#ID#sip:*, T#*#ID#sender:*, T#*#DESK",
        "merges and undoes merges of contacts who called by SIP, wrote by a short code, or to whom somebody attends",
    ),
    (
        "auth",
        "secretsmanager:PutSecretValue",
        "the first start of a deployment writes the key; here, seeding does",
    ),
    ("delete_tenants", "T#* of Read", "it deletes whatever a tenant has"),
    ("delete_tenants", "T#* of Write", "it deletes whatever a tenant has"),
    (
        "delete_tenants",
        "WABA#*",
        "a tenant's WhatsApp account may be one of the shared Meta app",
    ),
];

// More rows would be a list of roles rather than of exceptions.
const _: () = assert!(EXCEPTIONS.len() <= 12, "use permissions in tests, or remove them");

/// A permission that nothing used, or that allows more than what was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub function: String,
    /// Name of the statement.
    pub statement: String,
    /// The part of the statement; none: all of it.
    part: Option<String>,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Unused,
    /// The kinds that are used.
    TooWide(BTreeSet<String>),
    /// A statement on the table without partitions.
    Boundless,
    /// Nothing allows this use, which no emulator checked.
    Missing(String),
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            function, statement, ..
        } = self;
        let part = self.part.as_ref().map(|part| format!("{part} of "));
        let part = part.unwrap_or_default();
        write!(f, "{function}: ")?;
        match &self.what {
            What::Unused => write!(
                f,
                "nothing used {part}{statement}, or another statement allows the same; remove it from the role in \
                 template.yaml, or test what needs it"
            ),
            What::TooWide(used) => {
                let used = used.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                write!(
                    f,
                    "{part}{statement} allows more than what was used, {used}; name that in template.yaml"
                )
            }
            What::Missing(used) => write!(f, "the role does not allow {used}; allow it in template.yaml"),
            What::Boundless => write!(f, "{statement} names no partitions; add them in template.yaml"),
        }
    }
}

/// All that is not used of the roles' `work` policies, without exceptions. What two statements allow counts for neither.
pub fn findings(roles: &[Role], uses: &[Use]) -> Vec<Finding> {
    let mut own: BTreeMap<&str, Vec<&Use>> = BTreeMap::new();
    for used in uses {
        own.entry(&used.who).or_default().push(used);
    }
    let known = Known::of(roles, uses);
    let mut found = Vec::new();
    for role in roles {
        let statements: Vec<&Value> = role.statements("work").collect();
        let mut of_statement = vec![Vec::new(); statements.len()];
        let finding = |statement: &str, part, what| Finding {
            function: role.function.clone(),
            statement: statement.to_owned(),
            part,
            what,
        };
        for used in own.get(role.function.as_str()).into_iter().flatten() {
            let allowed: Vec<usize> = (0..statements.len())
                .filter(|at| used.is_allowed(statements[*at]))
                .collect();
            match allowed[..] {
                // Other uses of queues and files that no statement allows are a test's own.
                [] if used.key.is_some() || used.resource.is_none() => found.push(finding(
                    "no statement",
                    Some(used.action.clone()),
                    What::Missing(used.to_string()),
                )),
                [only] => of_statement[only].push(*used),
                // Each of them could be removed.
                _ => {}
            }
        }
        for (statement, uses) in statements.iter().zip(of_statement) {
            let unused = unused_parts(statement, &uses, &known).into_iter();
            found.extend(unused.map(|(part, what)| finding(sid(statement), part, what)));
        }
    }
    found
}

/// Parts of a statement that these uses leave, or all of it.
fn unused_parts(statement: &Value, uses: &[&Use], known: &Known) -> Vec<(Option<String>, What)> {
    if uses.is_empty() {
        return vec![(None, What::Unused)];
    }
    let mut found = Vec::new();
    let actions = texts(&statement["Action"]);
    for action in &actions {
        if !uses.iter().any(|used| used.action == *action) {
            found.push((Some(action.clone()), What::Unused));
        }
    }
    let is_simulated = SIMULATED
        .iter()
        .any(|service| actions.iter().all(|action| action.starts_with(service)));
    for resource in texts(&statement["Resource"]) {
        if is_simulated {
            continue;
        }
        let of = uses.iter().filter(|used| used.is_of(&resource));
        let of: Vec<&str> = of.filter_map(|used| used.resource.as_deref()).collect();
        if of.is_empty() {
            found.push((Some(resource), What::Unused));
        } else if !of.iter().any(|used| is_as_narrow(&resource, used)) {
            let used = of.into_iter().map(str::to_owned).collect();
            found.push((Some(resource), What::TooWide(used)));
        }
    }
    let of_table = actions.iter().any(|action| action.starts_with("dynamodb:"));
    let Some(partitions) = partitions_of(statement) else {
        found.extend(of_table.then_some((None, What::Boundless)));
        return found;
    };
    for pattern in partitions {
        let keys = uses.iter().filter_map(|used| used.key.clone());
        let used: BTreeSet<String> = keys.filter(|key| like(&pattern, key)).collect();
        if used.is_empty() {
            found.push((Some(pattern), What::Unused));
        } else if known.is_wide(&pattern, &used) {
            found.push((Some(pattern), What::TooWide(used)));
        }
    }
    found
}

/// Whether a resource allows no more than this use: objects of the same first folder, or one thing. Services add characters to some
/// names, which `?` stands for.
fn is_as_narrow(resource: &str, used: &str) -> bool {
    let folder = |resource: &str| {
        let (bucket, object) = resource.split_once('/')?;
        let folder = object.split('/').next()?.to_owned();
        (bucket.starts_with("${") || bucket.starts_with("arn:aws:s3:::")).then_some(folder)
    };
    match folder(resource) {
        Some(named) => folder(used) == Some(named),
        None => !resource.contains('*'),
    }
}

/// Knowledge about keys from all roles.
struct Known {
    /// The kinds that are used.
    keys: BTreeSet<String>,
    /// The words of all patterns.
    words: BTreeSet<String>,
}

impl Known {
    fn of(roles: &[Role], uses: &[Use]) -> Self {
        let statements = roles.iter().flat_map(|role| role.statements("work"));
        let patterns = statements.filter_map(partitions_of).flatten();
        let words_of = |pattern: String| words(&pattern).map(str::to_owned).collect::<Vec<_>>();
        Self {
            keys: uses.iter().filter_map(|used| used.key.clone()).collect(),
            words: patterns.flat_map(words_of).collect(),
        }
    }

    /// Whether a pattern stands for more than the kinds used: each of these has a word that it does not name, or there are longer kinds with
    /// such a word. In a kind, small letters are a word only if some pattern has them: most are parts of values.
    fn is_wide(&self, pattern: &str, used: &BTreeSet<String>) -> bool {
        let named: BTreeSet<&str> = words(pattern).collect();
        let is_named = |part: &str| {
            let named_value = part.strip_suffix('x').filter(|word| word.ends_with(':'));
            let word = named_value.unwrap_or(part);
            let is_word = word.bytes().all(|byte| byte.is_ascii_uppercase()) || self.words.contains(word);
            !is_word || named.contains(word)
        };
        let are_named = |key: &String| key.split('#').all(is_named);
        let is_longer = |key: &String| key.split('#').count() > pattern.split('#').count();
        let mut others = self.keys.iter().filter(|key| like(pattern, key));
        !used.iter().any(are_named)
            // All partitions of a tenant, whichever of them are used.
            || (pattern == "T#*" && used.iter().any(is_longer))
            || (others.any(|key| is_longer(key) && !are_named(key)) && !used.iter().any(is_longer))
    }
}

/// `T`, `ID` and `phone:` in `T#*#ID#phone:*`.
fn words(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('#').map(|part| part.trim_matches(['*', '?']))
}

/// The findings that no exception excuses, and the exceptions that excuse none.
pub(super) fn report(found: &[Finding]) -> Vec<String> {
    apply_exceptions(found, EXCEPTIONS)
}

fn apply_exceptions(found: &[Finding], exceptions: &[Exception<'_>]) -> Vec<String> {
    let excuses = |(function, what, _): &Exception<'_>, finding: &Finding| {
        let unused = finding.part.as_deref().unwrap_or(&finding.statement);
        let whole = format!("{unused} of {}", finding.statement);
        ["*", &*finding.function].contains(function) && what.split(", ").any(|what| [unused, &whole].contains(&what))
    };
    let is_open = |finding: &&Finding| !exceptions.iter().any(|row| excuses(row, finding));
    let is_idle = |row: &&Exception<'_>| !found.iter().any(|finding| excuses(row, finding));
    let open = found.iter().filter(is_open).map(ToString::to_string);
    let idle = exceptions.iter().filter(is_idle).map(|(function, what, _)| {
        format!("{function}: all is used of {what}; remove its exception from infra/stack/src/iam/check.rs")
    });
    open.chain(idle).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OWN: &str = "T#??????????????????????????";

    fn role(statements: &Value) -> Role {
        Role {
            function: "tags".to_owned(),
            log_group: String::new(),
            name: "role".to_owned(),
            policies: [("work".to_owned(), json!({ "Statement": statements }))].into(),
        }
    }

    fn sample_use(action: &str, resource: &str, key: Option<&str>) -> Use {
        Use {
            who: "tags".to_owned(),
            action: action.to_owned(),
            resource: Some(resource.to_owned()),
            key: key.map(|key| key.replace('@', &"x".repeat(26))),
        }
    }

    /// A statement on the table.
    fn reads(partitions: &[&str]) -> Value {
        json!([{
            "Sid": "Read",
            "Action": ["dynamodb:GetItem", "dynamodb:Query"],
            "Resource": "Table.Arn",
            "Condition": { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": partitions } },
        }])
    }

    fn describe_findings(statements: &Value, uses: &[Use]) -> Vec<String> {
        let found = findings(&[role(statements)], uses);
        found
            .iter()
            .map(|one| format!("{} {}", one.part.as_deref().unwrap_or("all"), one.statement))
            .collect()
    }

    #[test]
    fn what_nothing_used_is_found() {
        let uses = [
            sample_use("dynamodb:GetItem", "Table.Arn", Some("T#@")),
            sample_use("dynamodb:GetItem", "Table.Arn", Some("T#@#CONF")),
            sample_use("dynamodb:Query", "Table.Arn", Some("T#@#CONF")),
        ];
        assert_eq!(describe_findings(&reads(&[OWN, "T#*#CONF"]), &uses), [""; 0]);
        assert_eq!(
            describe_findings(&reads(&[OWN, "T#*#CONF"]), &uses[..2]),
            ["dynamodb:Query Read"]
        );
        assert_eq!(
            describe_findings(&reads(&[OWN, "T#*#CONF", "T#*#C#*"]), &uses),
            ["T#*#C#* Read"]
        );
        assert_eq!(describe_findings(&reads(&[OWN, "T#*#CONF"]), &[]), ["all Read"]);
        let boundless = json!([{ "Sid": "Read", "Action": "dynamodb:GetItem", "Resource": "Table.Arn" }]);
        assert_eq!(describe_findings(&boundless, &uses[..1]), ["all Read"]);
    }

    #[test]
    fn patterns_are_as_narrow_as_what_is_used() {
        for (pattern, key, others, fine) in [
            ("T#*#IAM", "T#@#IAM", "T#@", true),
            ("T#*", "T#@#IAM", "T#@", false),
            ("T#*", "T#@", "T#@#IAM", false),
            (OWN, "T#@", "T#@#IAM", true),
            ("T#*#ID#phone:*", "T#x#ID#phone:x", "T#x#ID#sip:x", true),
            ("T#*#ID#*", "T#x#ID#phone:x", "T#x#ID#sip:x", false),
            ("T#*#STATS#*", "T#@#STATS#x", "T#@#STATS#HOURS", true),
            ("T#*#STATS#*", "T#@#STATS#HOURS", "T#@#STATS#x", false),
            ("T#*#FIND#*", "T#@#FIND#na", "T#@#FIND#nb", true),
            ("T#*#FIELD#*", "T#@#FIELD#@", "T#@#FIELD#@#x", true),
            ("PLATFORM*", "PLATFORM", "PLATFORM#LOG#x", false),
            ("DUE#bulk#*", "DUE#bulk#x", "DUE#answers#x", true),
            ("DUE#*", "DUE#bulk#x", "DUE#answers#x", false),
        ] {
            let kind = |key: &str| key.replace('@', &"x".repeat(26));
            let known = Known {
                keys: [kind(key), kind(others)].into(),
                words: ["phone:", "sip:", "bulk", "answers"].map(str::to_owned).into(),
            };
            assert_eq!(!known.is_wide(pattern, &[kind(key)].into()), fine, "{pattern} {key}");
        }
    }

    #[test]
    fn objects_are_allowed_by_their_first_folder() {
        for (resource, fine) in [
            ("arn:aws:s3:::files/raw/*", true),
            ("arn:aws:s3:::files/*", false),
            ("arn:aws:s3:::*", false),
        ] {
            let statements = json!([{ "Sid": "Keep", "Action": "s3:PutObject", "Resource": resource }]);
            let uses = [sample_use("s3:PutObject", "arn:aws:s3:::files/raw/large/x", None)];
            assert_eq!(describe_findings(&statements, &uses).is_empty(), fine, "{resource}");
        }
    }

    #[test]
    fn exception_that_excuses_nothing_is_found() {
        let idle = findings(&[role(&reads(&["T#*#CONF"]))], &[]);
        assert_eq!(apply_exceptions(&idle, &[("*", "Read", "it is rare")]), [""; 0]);
        assert_eq!(apply_exceptions(&idle, &[("users", "Read", "it is rare")]).len(), 2);
        let text = apply_exceptions(&[], &[("tags", "Read", "it is rare")]);
        assert!(text[0].starts_with("tags: all is used of Read"), "{text:?}");
    }
}
