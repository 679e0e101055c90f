//! Runs `cargo stack iam` as a test.

use stack::{build, iam};

use crate::stage::{Stage, alone_on_stage};

#[test]
fn every_role_allows_exactly_what_its_function_calls() {
    alone_on_stage(async |stage: &Stage| {
        let functions = build::functions(&stage.place.root)?;
        Box::pin(iam::check(
            &stage.play,
            &stage.town,
            &stage.aws,
            &functions,
            &stage.place,
        ))
        .await
    });
}
