//! All functions of this folder: what serves them, for the program that runs them locally, and their tests as one program.
//! `cargo stack test` runs it once for each program of tests that a function has, with only the tests of that program. So counters and
//! everything else that exists once per process belong to one function.

#![allow(clippy::duplicate_mod, reason = "two programs of tests of one function share a file")]

kit::functions! {
    api_keys;
    assets;
    audit;
    auth;
    automations;
    calls;
    campaigns;
    canned_replies;
    caps;
    connections, logs = "tests/logs.rs", round_trips = "tests/round_trips.rs";
    contacts;
    conversations;
    docs;
    event_messages;
    exports;
    fields;
    health;
    imports;
    lines;
    live;
    media, round_trips = "tests/round_trips.rs";
    messages;
    metrics, round_trips = "tests/round_trips.rs";
    operations;
    orders;
    platform;
    products;
    push_subscriptions;
    recordings, round_trips = "tests/round_trips.rs";
    segments;
    stages;
    suppressions;
    tags;
    teams;
    templates;
    tenant, round_trips = "tests/round_trips.rs";
    usage;
    users;
    webhook_endpoints;
}
