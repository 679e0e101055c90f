//! Which parameters a deployment takes: `Parameters` and `Rules` of `template.yaml`, as CloudFormation reads them.

use std::collections::BTreeMap;

use serde_json::Value;
use testkit::template::template;

/// Names and values of parameters.
type Given<'a> = &'a [(&'a str, &'a str)];

/// A value as CloudFormation compares it: numbers are texts.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The parameter or the description of the assertion because of which CloudFormation refuses these parameters, if it does.
fn refusal(given: Given<'_>) -> Option<String> {
    let declared = template()["Parameters"].as_object().expect("parameters");
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    for (name, parameter) in declared {
        values.insert(name, plain(&parameter["Default"]));
    }
    for (name, value) in given {
        let known = values.insert(name, (*value).to_owned());
        assert!(known.is_some(), "there is no parameter {name}");
    }
    let wrong = declared
        .iter()
        .find(|(name, parameter)| !is_allowed(parameter, &values[name.as_str()]));
    if let Some((name, _)) = wrong {
        return Some(name.clone());
    }
    let rules = template()["Rules"].as_object().expect("rules");
    let binding = |rule: &&Value| {
        rule.get("RuleCondition")
            .is_none_or(|condition| holds(condition, &values))
    };
    let assertions = rules
        .values()
        .filter(binding)
        .flat_map(|rule| rule["Assertions"].as_array().expect("assertions"));
    let failed = assertions
        .into_iter()
        .find(|assertion| !holds(&assertion["Assert"], &values))?;
    Some(failed["AssertDescription"].as_str().expect("a description").to_owned())
}

/// Whether a parameter alone may have this value.
fn is_allowed(parameter: &Value, value: &str) -> bool {
    let listed = parameter["AllowedValues"].as_array();
    let is_listed = listed.is_none_or(|listed| listed.iter().any(|one| plain(one) == value));
    let pattern = parameter["AllowedPattern"].as_str();
    let fits = pattern.is_none_or(|pattern| {
        let whole = regex::Regex::new(&format!("^(?:{pattern})$")).expect("an expression");
        whole.is_match(value)
    });
    let is_number = parameter["Type"] == "Number";
    let number: Option<f64> = value.parse().ok();
    let in_range = !is_number
        || number.is_some_and(|number| {
            let (least, most) = (parameter["MinValue"].as_f64(), parameter["MaxValue"].as_f64());
            least.is_none_or(|least| number >= least) && most.is_none_or(|most| number <= most)
        });
    is_listed && fits && in_range
}

/// A condition of a rule.
fn holds(condition: &Value, values: &BTreeMap<&str, String>) -> bool {
    let (function, arguments) = condition
        .as_object()
        .and_then(|all| all.iter().next())
        .expect("a function");
    let arguments = arguments.as_array().expect("its arguments");
    let text = |argument: &Value| match argument["!Ref"].as_str() {
        Some(name) => values[name].clone(),
        None => argument
            .as_str()
            .expect("a text: a number is compared as one")
            .to_owned(),
    };
    match function.as_str() {
        "!Equals" => text(&arguments[0]) == text(&arguments[1]),
        "!Not" => !holds(&arguments[0], values),
        "!And" => arguments.iter().all(|one| holds(one, values)),
        "!Or" => arguments.iter().any(|one| holds(one, values)),
        other => panic!("say here what {other} means"),
    }
}

const EMAIL: (&str, &str) = ("AlarmEmail", "ops@example.com");
const BUDGET: (&str, &str) = ("MonthlyBudget", "100");
const PROD: (&str, &str) = ("Stage", "prod");
const LOCAL: (&str, &str) = ("Stage", "local");
const CLOSED: (&str, &str) = ("DisableExecuteApiEndpoint", "true");
const API: (&str, &str) = ("PublicBaseUrl", "https://api.example.com");
const EMULATOR: (&str, &str) = ("AwsEndpointUrl", "http://127.0.0.1:4566");

/// The message tells whoever deploys with parameters from before which one to set.
#[test]
fn unsafe_parameters_are_refused_with_what_to_do() {
    let hash = "ab".repeat(32);
    let push = |value| ("PushServices", value);
    let sets: [(Given<'_>, Option<&str>); 25] = [
        (&[], None),
        (&[PROD, EMAIL, BUDGET], None),
        (&[PROD], Some("Set AlarmEmail")),
        (&[PROD, BUDGET], Some("Set AlarmEmail")),
        (&[PROD, EMAIL], Some("Set MonthlyBudget")),
        (&[PROD, EMAIL, ("MonthlyBudget", "-1")], Some("MonthlyBudget")),
        (&[LOCAL, EMULATOR], None),
        (&[LOCAL], Some("On AWS, set Stage")),
        (
            &[LOCAL, ("AwsEndpointUrl", "https://dynamodb.eu-west-1.amazonaws.com")],
            Some("AwsEndpointUrl"),
        ),
        (&[LOCAL, EMULATOR, ("AuthLimitFactor", "1000")], None),
        (&[("AuthLimitFactor", "2")], Some("AuthLimitFactor")),
        (&[("LocalOrigins", "http://localhost:5173")], Some("LocalOrigins")),
        (&[push("https://push.example.org,https://push.example.com:8443")], None),
        (&[push("http://push.example.org")], Some("PushServices")),
        (&[push("https://169.254.169.254")], Some("PushServices")),
        (
            &[push("https://push.example.org,https://10.0.0.1:8443")],
            Some("PushServices"),
        ),
        (&[("SignUp", "")], Some("SignUp")),
        (&[("ViewerAddressHeader", "X-Viewer")], Some("Set OriginSecretSha256")),
        (&[("OriginSecretSha256", &hash)], Some("Set ViewerAddressHeader")),
        (&[("MediaScanner", "clam")], Some("Set ScannerSecretSha256")),
        (&[CLOSED], Some("Set it as PublicBaseUrl")),
        (&[CLOSED, API], Some("Set LiveBaseUrl")),
        (&[CLOSED, API, ("LiveBaseUrl", "https://live.example.com")], None),
        (&[("LiveBaseUrl", "https://live.example.com")], None),
        (&[("LiveBaseUrl", "https://live.example.com/live")], Some("LiveBaseUrl")),
    ];
    for (given, expected) in sets {
        let refused = refusal(given);
        let fits = match (&refused, expected) {
            (Some(refused), Some(expected)) => refused.contains(expected),
            (refused, expected) => refused.is_none() && expected.is_none(),
        };
        assert!(fits, "{given:?}: {refused:?} instead of {expected:?}");
    }
}

/// A deployment without parameters is closed.
#[test]
fn nobody_signs_up_unless_somebody_says_so() {
    assert_eq!(template()["Parameters"]["SignUp"]["Default"], "closed");
}
