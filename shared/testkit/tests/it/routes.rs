//! Routes of the HTTP API in `template.yaml`, and the role by which API Gateway calls functions
//! (docs/decisions/0108-routes-in-one-body.md).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use testkit::template::{function, granted_statements, template, texts};

use crate::repository::read;

/// The role of all routes.
pub(crate) const ROLE: &str = "RoutesRole";

const ANY: &str = "x-amazon-apigateway-any-method";
const INTEGRATIONS: &str = "x-amazon-apigateway-integrations";

/// A route of the HTTP API.
struct Route {
    /// As `RouteSettings` names it, such as `GET /docs`.
    key: String,
    path: String,
    /// Name of its integration, which is the logical id of its function.
    function: String,
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn body(template: &Value) -> &Value {
    &template["Resources"]["Api"]["Properties"]["DefinitionBody"]
}

fn routes(template: &Value) -> Vec<Route> {
    let operations = entries(&body(template)["paths"]).flat_map(|(path, methods)| {
        let own = entries(methods);
        own.map(move |(method, operation)| (path, method, operation))
    });
    let route = |(path, method, operation): (&String, &String, &Value)| {
        let place = operation["x-amazon-apigateway-integration"]["$ref"].as_str();
        let function = place.and_then(|place| place.strip_prefix(&format!("#/components/{INTEGRATIONS}/")));
        let function = function.unwrap_or_else(|| panic!("{method} {path} refers to no integration"));
        let verb = if method == ANY {
            "ANY".to_owned()
        } else {
            method.to_uppercase()
        };
        let is_default = path == "$default";
        assert_eq!(
            operation["isDefaultRoute"] == true,
            is_default,
            "{path}: isDefaultRoute"
        );
        Route {
            key: if is_default {
                path.clone()
            } else {
                format!("{verb} {path}")
            },
            path: path.clone(),
            function: function.to_owned(),
        }
    };
    operations.map(route).collect()
}

/// The integration of a function, by which API Gateway calls it with its role.
fn integration_of(function: &str) -> Value {
    let call = format!("lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations");
    json!({
        "type": "aws_proxy",
        "httpMethod": "POST",
        "payloadFormatVersion": "2.0",
        "credentials": { "!GetAtt": format!("{ROLE}.Arn") },
        "uri": { "!Sub": format!("arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:{call}") },
    })
}

/// Mistakes that keep a route from its function, or let the role call others, each with its remedy.
fn mistakes(template: &Value) -> Vec<String> {
    let mut found = vec![];
    let routed: BTreeSet<String> = routes(template).into_iter().map(|route| route.function).collect();
    for (id, resource) in entries(&template["Resources"]) {
        let properties = &resource["Properties"];
        if entries(&properties["Events"]).any(|(_, event)| event["Type"] == "HttpApi") {
            found.push(format!(
                "{id} has an event HttpApi, which costs a permission: write its route into `paths` of Api instead"
            ));
        }
        let room = properties["CodeUri"]
            .as_str()
            .and_then(|folder| folder.split('/').nth(1));
        if matches!(room, Some("api" | "web" | "webhooks")) && !routed.contains(id) {
            found.push(format!("{id} has no route: add one to `paths` of Api"));
        }
    }
    let integrations = &body(template)["components"][INTEGRATIONS];
    for id in &routed {
        if integrations[id].is_null() {
            found.push(format!(
                "{id} has a route and no integration: add it to {INTEGRATIONS} of Api"
            ));
        }
    }
    for (id, integration) in entries(integrations) {
        if *integration != integration_of(id) {
            found.push(format!(
                "the integration {id} differs from others in more than its function"
            ));
        }
        if !routed.contains(id) {
            found.push(format!("no route uses the integration {id}: remove it from Api"));
        }
    }
    let listed = granted_statements(&template["Resources"][ROLE]).flat_map(|statement| texts(&statement["Resource"]));
    let listed: BTreeSet<String> = listed.map(|arn| arn.trim_end_matches(".Arn").to_owned()).collect();
    for id in routed.difference(&listed) {
        found.push(format!(
            "{ROLE} does not list {id}, so API Gateway cannot call it: add `- !GetAtt {id}.Arn` there"
        ));
    }
    for id in listed.difference(&routed) {
        found.push(format!(
            "{ROLE} lists {id}, which has no route: remove `- !GetAtt {id}.Arn` there"
        ));
    }
    found
}

#[test]
fn api_gateway_calls_the_functions_with_routes_and_no_others() {
    let mistakes = mistakes(template());
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    let role = &template()["Resources"][ROLE];
    let granted: Vec<_> = granted_statements(role).collect();
    assert_eq!(granted.len(), 1);
    assert_eq!(texts(&granted[0]["Action"]), ["lambda:InvokeFunction"]);
    let trusted = &role["Properties"]["AssumeRolePolicyDocument"]["Statement"];
    assert_eq!(
        trusted[0]["Principal"],
        json!({ "Service": "apigateway.amazonaws.com" })
    );
}

/// The object at this place of the template.
fn object<'a>(template: &'a mut Value, place: &str) -> &'a mut Map<String, Value> {
    let found = template.pointer_mut(place).and_then(Value::as_object_mut);
    found.unwrap_or_else(|| panic!("no {place}"))
}

/// The functions that the role lists.
fn functions_of_role(template: &mut Value) -> &mut Vec<Value> {
    let place = format!("/Resources/{ROLE}/Properties/Policies/0/PolicyDocument/Statement/0/Resource");
    let found = template.pointer_mut(&place).and_then(Value::as_array_mut);
    found.expect("the role lists functions")
}

/// A change of the template, and the mistake that it is.
type Case = (fn(&mut Value), &'static str);

#[test]
fn a_route_without_its_role_is_named() {
    const BODY: &str = "/Resources/Api/Properties/DefinitionBody";
    let cases: [Case; 6] = [
        (
            |template| functions_of_role(template).retain(|arn| arn["!GetAtt"] != "Tags.Arn"),
            "RoutesRole does not list Tags, so API Gateway cannot call it: add `- !GetAtt Tags.Arn` there",
        ),
        (
            |template| functions_of_role(template).push(json!({ "!GetAtt": "SendMessage.Arn" })),
            "RoutesRole lists SendMessage, which has no route: remove `- !GetAtt SendMessage.Arn` there",
        ),
        (
            |template| drop(object(template, &format!("{BODY}/components/{INTEGRATIONS}")).remove("Tags")),
            "Tags has a route and no integration: add it to x-amazon-apigateway-integrations of Api",
        ),
        (
            |template| drop(object(template, &format!("{BODY}/components/{INTEGRATIONS}/Tags")).remove("credentials")),
            "the integration Tags differs from others in more than its function",
        ),
        (
            |template| drop(object(template, &format!("{BODY}/paths")).remove("/l/{end}")),
            "Links has no route: add one to `paths` of Api",
        ),
        (
            |template| {
                let events = json!({ "All": { "Type": "HttpApi" } });
                object(template, "/Resources/Tags/Properties").insert("Events".to_owned(), events);
            },
            "Tags has an event HttpApi, which costs a permission: write its route into `paths` of Api instead",
        ),
    ];
    for (change, expected) in cases {
        let mut changed = template().clone();
        change(&mut changed);
        let mistakes = mistakes(&changed);
        assert!(
            mistakes.iter().any(|mistake| mistake == expected),
            "{expected}: {mistakes:#?}"
        );
    }
}

/// API Gateway has no such routes, and SAM says nothing.
#[test]
fn no_route_ends_with_a_slash() {
    for Route { path, .. } in routes(template()) {
        assert!(path == "/" || !path.ends_with('/'), "{path}");
    }
}

/// Throttles are per route, so an operation that strangers can call without a limit must not share a route with one that users need.
#[test]
fn every_log_in_operation_has_its_own_throttle() {
    let document: Value = serde_json::from_str(&read("docs/openapi.json")).expect("the contract is JSON");
    let settings = &template()["Resources"]["Api"]["Properties"]["RouteSettings"];
    let rate = |route: &str| settings[route]["ThrottlingRateLimit"].as_i64();
    let all = routes(template());
    let own = all.iter().filter(|route| route.function == function("auth").id);
    let own: BTreeSet<&str> = own.map(|route| route.key.as_str()).collect();
    let paths = document["paths"].as_object().expect("the contract has paths");
    let mut operations = 0;
    for (path, methods) in paths.iter().filter(|(path, _)| path.starts_with("/api/v1/auth/")) {
        for (method, _) in entries(methods) {
            let route = format!("{} {path}", method.to_uppercase());
            assert!(own.contains(route.as_str()), "{route} has no route of its own");
            assert!(rate(&route).is_some(), "{route} has no throttle of its own");
            operations += 1;
        }
    }
    assert!(operations >= 10, "only {operations} operations of log-in");
    // Unknown paths and other methods use this route: they cost little, so their limit is low.
    let rest = "ANY /api/v1/auth/{proxy+}";
    assert!(own.contains(rest) && rate(rest) <= rate("POST /api/v1/auth/log-in"));
    // API Gateway refuses a setting without its route.
    let known: BTreeSet<&str> = all.iter().map(|route| route.key.as_str()).collect();
    for (route, _) in entries(settings) {
        assert!(known.contains(route.as_str()), "{route} has settings and is no route");
    }
}
