//! The short run of `cargo stack chaos`, and `cargo stack iam`, as tests: those that need the stack alone for minutes. Their module is the
//! first by name, so that they run while the tests without a stack need the processors most.

use anyhow::{Result, ensure};
use stack::{
    build,
    chaos::{self, Ground, Size},
    iam,
};

use crate::stage::{Stage, alone_on_stage};

#[test]
fn storm_loses_nothing_and_sends_nothing_twice() {
    alone_on_stage(async |stage: &Stage| -> Result<()> {
        let ground = Ground {
            play: &stage.play,
            town: &stage.town,
            aws: &stage.aws,
            place: &stage.place,
            data: &stage.place.data,
        };
        let verdict = Box::pin(chaos::play_out(&ground, Size::SHORT, chaos::new_seed()?)).await?;
        println!("{}", verdict.show());
        ensure!(verdict.held(), "{}", verdict.show());
        Ok(())
    });
}

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
