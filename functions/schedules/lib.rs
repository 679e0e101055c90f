//! All functions of this folder: what serves them, for the program that runs them locally, and their tests as one program, which
//! `cargo stack test` runs once for each program of tests that a function has, with its tests only, so that what there is once per process,
//! such as counters, is of one function.

kit::functions! {
    delete_tenants;
    dispatch_drips, waiting = "tests/waiting/main.rs";
    dispatch_due;
    notify_people;
    roll_up_counters;
    start_template_syncs;
    tend_inbox;
}
