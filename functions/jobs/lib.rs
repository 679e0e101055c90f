//! All functions of this folder: what serves them, for the program that runs them locally, and their tests as one program, which
//! `cargo stack test` runs once for each program of tests that a function has, with its tests only, so that what there is once per process,
//! such as counters, is of one function.

kit::functions! {
    apply_retention;
    archive_contact;
    backfill_conversations;
    change_contacts;
    count_segment;
    deliver_webhook;
    erase_contact;
    export_data;
    fetch_media, memory = "tests/memory.rs";
    import_contacts;
    make_platform_admin;
    preflight_campaign;
    process_call, round_trips = "tests/round_trips.rs";
    process_commerce_event;
    process_provider_event;
    publish_changes;
    publish_events;
    report_campaign;
    run_campaign;
    send_mail;
    send_message;
    send_push;
    sync_templates;
    take_steps;
}
